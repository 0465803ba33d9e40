"""The position that a question is answered at."""

import asyncio

from event_store.log import Log
from operations.problems import Problem
from read_api.asking import Asked


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
