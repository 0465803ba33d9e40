"""A mapping that grows by a few entries at a time, and of which every earlier state stays as it was.

Copying a lot's hundred thousand rights to add one to them costs more than deciding. So what is new lies in a
thin layer over what was there, and is pressed into one only when the layer has become thick.
"""

from collections.abc import Iterator, Mapping, MutableMapping

FEW = 2_048
"""Entries that are simply copied."""
THICK = 1_024
"""Entries of a layer that are pressed into one with what lies below."""


class Layered[K, V](MutableMapping[K, V]):
    """A layer over a mapping that is not written to; nothing can be taken out of it."""

    __slots__ = ("_below", "_layer")

    def __init__(self, below: Mapping[K, V], layer: dict[K, V]) -> None:
        """Lay it over what is there, which the caller no longer changes."""
        self._below, self._layer = below, layer

    def __getitem__(self, key: K) -> V:
        """Return what the layer says, or else what lies below."""
        return self._layer[key] if key in self._layer else self._below[key]

    def __setitem__(self, key: K, value: V) -> None:
        """Say it in the layer."""
        self._layer[key] = value

    def __delitem__(self, key: K) -> None:
        """Raise `TypeError`: what lies below stays as it is."""
        raise TypeError(key)

    def __iter__(self) -> Iterator[K]:
        """Yield the keys: those below in their order, then those that only the layer has."""
        yield from self._below
        yield from (key for key in self._layer if key not in self._below)

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._below) + sum(key not in self._below for key in self._layer)

    def grown(self) -> "Layered[K, V]":
        """Return another one to be written to, which says the same."""
        if len(self._layer) < THICK:
            return Layered(self._below, dict(self._layer))
        return Layered({**self._below, **self._layer}, {})


def grown[K, V](known: MutableMapping[K, V]) -> MutableMapping[K, V]:
    """Return a mapping to be written to that says what `known` says, which stays as it is."""
    if isinstance(known, Layered):
        return known.grown()
    return dict(known) if len(known) < FEW else Layered(known, {})
