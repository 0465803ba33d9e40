"""Facts read by a boundary that widens with them, as of any position: what a decision saw there."""

from collections.abc import Callable

from event_store.log import Log
from events.base import Event
from events.boundary import Boundary
from events.envelope import Recorded


def settled[E: Event, F](
    log: Log,
    boundary: Callable[[F], Boundary[E]],
    initial: Callable[[], F],
    evolve: Callable[[F, Recorded[E]], F],
    upto: int | None = None,
) -> F:
    """Return the facts folded from the boundary, read and asked for again until it grows no more.

    `upto` is the position that is known; by default all of the log, as it stands at the first read.
    """
    facts = initial()
    asked: Boundary[E] = Boundary()
    entries: dict[int, Recorded[E]] = {}
    while missing := (wanted := boundary(facts)).criteria - asked.criteria:
        unread: Boundary[E] = Boundary(missing)
        part = log.read(unread, upto=upto)
        upto = part.head if upto is None else upto
        entries.update((entry.position, entry) for entry in part.entries)
        asked = Boundary(asked.criteria | wanted.criteria)
        facts = initial()
        for position in sorted(entries):
            facts = evolve(facts, entries[position])
    return facts
