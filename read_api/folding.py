"""Answers that are folded from the log itself, as far as it was known at a position.

A boundary may widen with what was folded so far (a plate leads to its permits, these to their payments), so
it is read and folded until it stands still, as a decision does; but nothing is decided here.
"""

import asyncio
from collections.abc import Callable, Iterable

from event_store.log import Log
from events.base import Event
from events.boundary import Boundary
from events.envelope import Recorded
from operations.problems import Problem
from read_api.asking import Asked

ROUNDS = 100
"""Far more than any boundary of the domain widens; beyond it, a boundary is at fault."""


def settled[E: Event, F](
    log: Log,
    boundary: Callable[[F], Boundary[E]],
    fold: Callable[[Iterable[Recorded[E]]], F],
    upto: int | None = None,
) -> F:
    """Return the fold of everything inside a boundary, which may grow with the fold, up to a position.

    Raises:
        RuntimeError: if the boundary never stands still.
        LogUnavailable: if the log cannot be reached.

    """
    read: Boundary[E] = Boundary()
    entries: dict[int, Recorded[E]] = {}
    facts = fold(())
    for _ in range(ROUNDS):
        missing: Boundary[E] = Boundary(boundary(facts).criteria - read.criteria)
        if not missing.criteria:
            return facts
        part = log.read(missing, upto=upto)
        upto = part.head if upto is None else upto
        entries.update((entry.position, entry) for entry in part.entries)
        read = read | missing
        facts = fold(entries[position] for position in sorted(entries))
    raise RuntimeError("the boundary of a question does not stand still")


async def stand(log: Log, asked: Asked) -> int:
    """Return the position that a question is answered at: its `known`, or the head of the log.

    Raises:
        Problem: 503, if the log itself has not come to `at_least`.
        LogUnavailable: if it cannot be reached.

    """
    head = await asyncio.to_thread(log.head)
    if asked.at_least is not None and asked.at_least > head:
        behind = asked.at_least - head
        detail = f"The log is at position {head}, {behind} behind {asked.at_least}."
        raise Problem(503, "Not yet", detail, headers={"Retry-After": "1"}, behind=behind)
    if asked.known is None:
        return head
    if isinstance(asked.known, int):
        return min(asked.known, head)
    return await asyncio.to_thread(log.position_at, asked.known)
