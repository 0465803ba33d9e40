"""A boundary that widens with the facts it leads to, read until it stands still.

A plate leads to its permits, these to their payments: what has to be read is known only from what was read.
Everything is read as of one position, so that the facts are what stood in the log together.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

from event_store.log import Log, Reading, Slice
from events.base import Event
from events.boundary import Boundary, Criteria
from events.envelope import Recorded

ROUNDS = 100
"""Far more than any boundary of the domain widens; beyond it, a boundary is at fault."""


class Widening[F]:
    """Facts so far, and what is still to be read for them.

        while known.missing:
            known.take(log.read(Boundary(known.missing), upto=known.head))

    `entries` are all that was read, by position; `covered` the criteria that were asked for; `head` the
    position that all of it is read up to, once it is known.
    """

    def __init__(
        self,
        boundary: Callable[[F], Boundary[Any]],
        fold: Callable[[Iterable[Recorded[Any]]], F],
        upto: int | None = None,
        *,
        first: Criteria | None = None,
    ) -> None:
        """Know nothing; without `upto`, the first part that is read sets the head.

        `first` is what is wanted by who knows nothing, where that was asked for already.
        """
        self._boundary, self._fold = boundary, fold
        self._rounds = 0
        self.facts = fold(())
        self.head = upto
        self.covered: Criteria = frozenset()
        self.entries: dict[int, Recorded[Any]] = {}
        self.missing = boundary(self.facts).criteria if first is None else first

    def take(self, part: Slice[Event]) -> None:
        """Fold what was read of `missing`, up to `head`, and see what else is wanted.

        Raises:
            RuntimeError: if the boundary never stands still.

        """
        self._rounds += 1
        if self._rounds > ROUNDS:
            raise RuntimeError("a boundary that widens with its facts does not stand still")
        self.head = part.head if self.head is None else self.head
        self.covered |= self.missing
        if part.entries:
            self.entries.update((entry.position, entry) for entry in part.entries)
            self.facts = self._fold(self.entries[position] for position in sorted(self.entries))
        self.missing = self._boundary(self.facts).criteria - self.covered


def widened[F](
    log: Log,
    boundary: Callable[[F], Boundary[Any]],
    fold: Callable[[Iterable[Recorded[Any]]], F],
    upto: int | None = None,
) -> Widening[F]:
    """Return the facts of a whole boundary, and what they rest on, up to a position or the head.

    Raises:
        RuntimeError: if the boundary never stands still.
        LogUnavailable: if the log cannot be reached.

    """
    known = Widening(boundary, fold, upto)
    while known.missing:
        part: Slice[Event] = log.read(Boundary(known.missing), upto=known.head)
        known.take(part)
    return known


def widen_together(log: Log, growing: Sequence[Widening[Any]]) -> None:
    """Read what several of them miss, in rounds of one trip each, until none misses anything.

    Those that name no position are all read up to the head of the log as the first round finds it.

    Raises:
        RuntimeError: if a boundary never stands still.
        LogUnavailable: if the log cannot be reached.

    """
    while lacking := [one for one in growing if one.missing]:
        readings: list[Reading[Any]] = [Reading(Boundary(one.missing), upto=one.head) for one in lacking]
        for one, part in zip(lacking, log.read_many(readings), strict=True):
            one.take(part)


def settled[E: Event, F](
    log: Log,
    boundary: Callable[[F], Boundary[E]],
    fold: Callable[[Iterable[Recorded[E]]], F],
    upto: int | None = None,
) -> F:
    """Return the facts folded from a boundary that may widen with them; see `widened`."""
    return widened(log, boundary, fold, upto).facts


def folding[E: Event, F](
    initial: Callable[[], F], evolve: Callable[[F, Recorded[E]], F]
) -> Callable[[Iterable[Recorded[E]]], F]:
    """Return the fold of entries, one by one, onto the facts of none."""
    return lambda entries: reduce(evolve, entries, initial())
