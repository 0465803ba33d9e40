"""The position that a question is answered at."""

import asyncio
import contextlib

from operations.problems import Problem
from projections.lookups import NotYet
from read_api.asking import Asked
from read_api.door import Door

HERALD = "validity"
"""The read model whose notices tell that the log goes on."""


async def stand(door: Door, asked: Asked) -> int:
    """Return the position that a question is answered at: its `known`, or the head of the log.

    Raises:
        Problem: 503, if the log itself does not come to `at_least` in time.
        LogUnavailable: if it cannot be reached.

    """
    head = await asyncio.to_thread(door.log.head)
    if asked.at_least is not None and asked.at_least > head:
        head = await _come_to(door, asked.at_least)
    if asked.known is None:
        return head
    if isinstance(asked.known, int):
        return min(asked.known, head)
    return await asyncio.to_thread(door.log.position_at, asked.known)


async def _come_to(door: Door, position: int) -> int:
    """Wait until the log holds the position, and return its head.

    Read models tell by a notice how far they are, and none is ahead of the log; should they be behind, the
    log itself has the last word.
    """
    with contextlib.suppress(NotYet):
        await door.lookups.reach(HERALD, position)
    head = await asyncio.to_thread(door.log.head)
    if head < position:
        behind = position - head
        detail = f"The log is at position {head}, {behind} behind {position}."
        raise Problem(503, "Not yet", detail, headers={"Retry-After": "1"}, behind=behind)
    return head
