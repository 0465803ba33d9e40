"""Look-ups gathered: all that an event loop asks in one tick travels to PostgreSQL as one question.

Python and HTTP are the limit of a look-up, not PostgreSQL; sixteen plates cost little more than one. A
thread keeps a connection in autocommit mode. What is asked while it is busy is gathered for its next turn.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from itertools import cycle
from queue import SimpleQueue
from threading import Thread
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import Connection

from projections.connection import connect


class Unavailable(ConnectionError):
    """The database of the read models cannot be reached; nothing can be answered now. Ask again later."""


OTHER_RELEASE = (
    "The read models are still those of another release; nothing can be answered from them until a projector"
    " of this one has brought up its own. Ask again later."
)


_LOG = logging.getLogger(__name__)

type Job = Callable[[Connection[Any]], object]
type Then = Callable[[object, BaseException | None], None]


class Lane:
    """A thread with a connection, which does one job after another."""

    def __init__(self, dsn: str) -> None:
        """Connect when first used."""
        self._dsn = dsn
        self._jobs: SimpleQueue[tuple[Job, Then] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="parkledger-look-ups", daemon=True)
        self._thread.start()

    def do(self, job: Job, then: Then) -> None:
        """Do the job on the connection, and call `then` in the lane's thread with what came of it."""
        self._jobs.put((job, then))

    async def ask[A](self, job: Callable[[Connection[Any]], A]) -> A:
        """Do a job and return what it returns; raise `Unavailable` where the database cannot be reached."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def then(answer: object, failure: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_settle_one, future, answer, failure)

        self.do(job, then)
        answer: A = await future
        return answer

    def close(self) -> None:
        """End the thread after what is queued."""
        self._jobs.put(None)
        self._thread.join(5.0)

    def _run(self) -> None:
        connection: Connection[Any] | None = None
        while (taken := self._jobs.get()) is not None:
            job, then = taken
            try:
                connection, answer = self._done(connection, job)
            except psycopg.OperationalError as failed:
                then(None, Unavailable(f"{Unavailable.__doc__} ({str(failed).strip()})"))
            except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as failed:
                _LOG.warning("%s (%s)", OTHER_RELEASE, str(failed).partition("\n")[0])
                then(None, Unavailable(OTHER_RELEASE))
            except Exception as failed:  # noqa: BLE001 - it belongs to whoever asked
                then(None, failed)
            else:
                then(answer, None)
        if connection is not None:
            connection.close()

    def _done(self, connection: Connection[Any] | None, job: Job) -> tuple[Connection[Any], object]:
        """Do a job; once more on a new connection where the kept one has gone stale."""
        if connection is not None and not connection.closed:
            try:
                return connection, job(connection)
            except psycopg.OperationalError:
                connection.close()
        fresh = connect(self._dsn, name="parkledger look-ups")
        try:
            return fresh, job(fresh)
        except BaseException:
            fresh.close()
            raise


class Lanes:
    """Several lanes beside each other: a job goes to the one after the last."""

    def __init__(self, dsn: str, count: int = 2) -> None:
        """Connect each when it is first used."""
        self._lanes = [Lane(dsn) for _ in range(count)]
        self._turn = cycle(self._lanes)

    def do(self, job: Job, then: Then) -> None:
        """Do the job, and call `then` with what came of it."""
        next(self._turn).do(job, then)

    async def ask[A](self, job: Callable[[Connection[Any]], A]) -> A:
        """Do a job and return what it returns; raise `Unavailable` where the database cannot be reached."""
        return await next(self._turn).ask(job)

    def close(self) -> None:
        """End the threads after what is queued."""
        for lane in self._lanes:
            lane.close()


def _settle_one(future: "asyncio.Future[Any]", answer: object, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(answer)
    else:
        future.set_exception(failure)


class _Turn[Q, A]:
    """What one event loop has asked, and whether a question of it is under way."""

    __slots__ = ("pending", "under_way")

    def __init__(self) -> None:
        self.pending: list[tuple[Q, asyncio.Future[A]]] = []
        self.under_way = False


class Gathering[Q, A]:
    """Questions of one kind, gathered per tick; `answer` answers many of them in order."""

    def __init__(
        self, lane: Lane | Lanes, answer: Callable[[Connection[Any], Sequence[Q]], Sequence[A]]
    ) -> None:
        """Ask in `lane`."""
        self._lane = lane
        self._answer = answer
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn[Q, A]] = WeakKeyDictionary()

    def ask(self, question: Q) -> "asyncio.Future[A]":
        """Return what will be answered; it raises `Unavailable` where the database cannot be reached."""
        loop = asyncio.get_running_loop()
        turn = self._turns.get(loop)
        if turn is None:
            turn = self._turns[loop] = _Turn()
        future: asyncio.Future[A] = loop.create_future()
        turn.pending.append((question, future))
        if not turn.under_way:
            turn.under_way = True
            loop.call_soon(self._send, loop, turn)
        return future

    def _send(self, loop: asyncio.AbstractEventLoop, turn: _Turn[Q, A]) -> None:
        """Send what has gathered."""
        batch = [(question, future) for question, future in turn.pending if not future.done()]
        turn.pending = []
        if not batch:
            turn.under_way = False
            return
        questions = [question for question, _ in batch]
        asked = [future for _, future in batch]

        def then(answers: object, failure: BaseException | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self._settle, loop, turn, asked, answers, failure)

        self._lane.do(lambda connection: self._answer(connection, questions), then)

    def _settle(
        self,
        loop: asyncio.AbstractEventLoop,
        turn: _Turn[Q, A],
        asked: Sequence["asyncio.Future[A]"],
        answers: Any,
        failure: BaseException | None,
    ) -> None:
        """Answer whoever asked, after sending on what has gathered meanwhile."""
        self._send(loop, turn)
        for number, future in enumerate(asked):
            if future.done():
                continue
            if failure is None:
                future.set_result(answers[number])
            else:
                future.set_exception(failure)
