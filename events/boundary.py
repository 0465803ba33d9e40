"""The boundary of a decision: which events, by type and tag, it rests on (Dynamic Consistency Boundary).

`on(PermitPurchased, PermitRevoked, permit="T-1")` is a `Boundary[PermitPurchased | PermitRevoked]`, and
`Boundary[A] | Boundary[B]` is `Boundary[A | B]`: the type checker proves that whoever folds a boundary
handles every event that it can return.
"""

from functools import cache
from typing import overload

import msgspec

from events.base import Event


class Criterion(msgspec.Struct, frozen=True, gc=False):  # a dataclass takes five times as long to make
    """Events of any of `types` (of every type where empty) that carry all of `tags`."""

    types: frozenset[str]
    tags: frozenset[str]

    def covers(self, wire_name: str, tags: frozenset[str]) -> bool:
        """Tell whether an event of that name and those tags lies inside."""
        return (not self.types or wire_name in self.types) and self.tags <= tags


type Criteria = frozenset[Criterion]


class Boundary[E: Event](msgspec.Struct, frozen=True):
    """A union of criteria; `E` is the union of the events that it can return."""

    criteria: Criteria = frozenset()

    def __or__[F: Event](self, other: "Boundary[F]") -> "Boundary[E | F]":
        """Return the boundary of what either holds."""
        return Boundary(self.criteria | other.criteria)

    def covers(self, event: Event) -> bool:
        """Tell whether the event lies inside."""
        tags = frozenset(event.tags())
        return any(c.covers(type(event).__name__, tags) for c in self.criteria)


NOTHING: Boundary[Event] = Boundary()


@overload
def on[A: Event](a: type[A], /, **tags: str) -> Boundary[A]: ...
@overload
def on[A: Event, B: Event](a: type[A], b: type[B], /, **tags: str) -> Boundary[A | B]: ...
@overload
def on[A: Event, B: Event, C: Event](
    a: type[A], b: type[B], c: type[C], /, **tags: str
) -> Boundary[A | B | C]: ...
@overload
def on[A: Event, B: Event, C: Event, D: Event](
    a: type[A], b: type[B], c: type[C], d: type[D], /, **tags: str
) -> Boundary[A | B | C | D]: ...
@overload
def on[A: Event, B: Event, C: Event, D: Event, F: Event](
    a: type[A], b: type[B], c: type[C], d: type[D], e: type[F], /, **tags: str
) -> Boundary[A | B | C | D | F]: ...
@overload
def on[A: Event, B: Event, C: Event, D: Event, F: Event, G: Event](
    a: type[A], b: type[B], c: type[C], d: type[D], e: type[F], f: type[G], /, **tags: str
) -> Boundary[A | B | C | D | F | G]: ...


def on(*types: type[Event], **tags: str) -> Boundary[Event]:
    """Return the boundary of the events of `types` that carry all of `tags`, written `name=value`."""
    carried = frozenset([f"{name}:{value}" for name, value in tags.items()])
    return Boundary(frozenset((Criterion(names_of(types), carried),)))


@cache
def names_of(types: tuple[type[Event], ...]) -> frozenset[str]:
    """Return the wire names of the types; the same few are asked for all the time."""
    return frozenset(t.__name__ for t in types)
