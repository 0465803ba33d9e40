"""Where the event loop meets the log: what many requests read in one turn of the loop travels together.

Reads of a turn go to the log as one `read_many` from a thread; while it is under way the next ones gather.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from event_store.log import Log, Reading, Slice
from events.boundary import Boundary

READERS = 2
"""Rounds of reading under way at once: one is answered while the other is asked."""

MOST_AT_ONCE = 256
"""Readings in one round."""

type Asked = tuple[Reading[Any], asyncio.Future[Slice[Any]]]


class Gathering:
    """The log's reads as coroutines see them. Bound to the event loop that first uses it."""

    def __init__(self, log: Log) -> None:
        """Stand in front of the log; closing it stays with its owner."""
        self.log = log
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="log-reader")
        self._waiting: deque[Asked] = deque()
        self._under_way = 0
        self._woken = False

    async def read(self, boundary: Boundary[Any], after: int = 0, upto: int | None = None) -> Slice[Any]:
        """Return what lies in the boundary after one position and up to another, and the head then.

        Raises:
            LogUnavailable: if the log cannot be reached.

        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Slice[Any]] = loop.create_future()
        self._waiting.append((Reading(boundary, after, upto), future))
        if not self._woken and self._under_way < READERS:
            self._woken = True
            loop.call_soon(self._send, loop)
        return await future

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        self._woken = False
        while self._waiting and self._under_way < READERS:
            count = min(len(self._waiting), MOST_AT_ONCE)
            batch = [self._waiting.popleft() for _ in range(count)]
            self._under_way += 1
            round_trip = self._threads.submit(self.log.read_many, [reading for reading, _ in batch])
            round_trip.add_done_callback(self._waking(loop, batch))

    def _waking(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[Asked]
    ) -> Callable[[Future[Sequence[Slice[Any]]]], None]:
        return lambda done: _call(loop, self._answer, loop, batch, done)

    def _answer(
        self, loop: asyncio.AbstractEventLoop, batch: Sequence[Asked], done: Future[Sequence[Slice[Any]]]
    ) -> None:
        self._under_way -= 1
        wrong = done.exception()
        if wrong is not None:
            for _, future in batch:
                if not future.done():
                    future.set_exception(wrong)
        else:
            for (_, future), found in zip(batch, done.result(), strict=True):
                if not future.done():
                    future.set_result(found)
        self._send(loop)

    async def ask[T](self, question: Callable[[], T]) -> T:
        """Return what a blocking question to the log answers, asked from a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, question)

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _call(loop: asyncio.AbstractEventLoop, step: Callable[..., None], *arguments: object) -> None:
    """Run a step in the loop from another thread; nothing where the loop is gone, and nobody waits."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(step, *arguments)
