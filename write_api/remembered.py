"""Answers under an Idempotency-Key that are not in the log: refusals, and commands that changed nothing.

An accepted command is remembered by the log itself, under its command id. A refused one left no event, yet
the same key must give the same answer again, and another body under it must be refused, by whichever process
is asked and after any restart. So those answers are kept in a small table of their own, for a while.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Protocol
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from event_store.log import LogUnavailable

KEPT_DAYS = 30
_LOCK = 0x7061726B646F6F72
_TABLE = """
create schema if not exists doors;
create table if not exists doors.answers (
    command_id uuid primary key,
    fingerprint bytea not null,
    status smallint not null,
    position bigint,
    body bytea not null,
    answered timestamptz not null default now()
);
create index if not exists answers_by_age on doors.answers (answered);
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer as it was given, and the digest of the request that it was given to.

    `position` is the log's where there was nothing to do; a refusal has none.
    """

    fingerprint: bytes
    status: int
    position: int | None
    body: bytes


class Answers(Protocol):
    """Where answers are remembered; blocking, and safe to use from several threads."""

    def known(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Remembered]:
        """Return the answers that were given under those of the command ids that are known."""
        ...

    def keep(self, command_id: UUID, answer: Remembered) -> Remembered:
        """Remember an answer, unless there is one; return the one that holds."""
        ...

    def close(self) -> None:
        """Let go of all connections."""
        ...


class AnswersInMemory:
    """Answers of one process, for tests and for a log in memory."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[UUID, Remembered] = {}

    def known(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Remembered]:
        """Return the answers known; see `Answers.known`."""
        return {one: self._kept[one] for one in command_ids if one in self._kept}

    def keep(self, command_id: UUID, answer: Remembered) -> Remembered:
        """Remember an answer; see `Answers.keep`."""
        return self._kept.setdefault(command_id, answer)

    def close(self) -> None:
        """Nothing to let go of."""


class AnswersInPostgres:
    """Answers in the table `doors.answers`, which is made where it is missing."""

    def __init__(self, dsn: str) -> None:
        """Connect when first asked."""
        self._dsn = dsn
        self._lock = Lock()
        self._connection: Connection[TupleRow] | None = None

    def known(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Remembered]:
        """Return the answers known; see `Answers.known`."""
        rows = self._rows(
            "select command_id, fingerprint, status, position, body from doors.answers "
            "where command_id = any(%s)",
            (list(command_ids),),
        )
        return {row[0]: Remembered(bytes(row[1]), row[2], row[3], bytes(row[4])) for row in rows}

    def keep(self, command_id: UUID, answer: Remembered) -> Remembered:
        """Remember an answer; see `Answers.keep`."""
        self._rows(
            "insert into doors.answers (command_id, fingerprint, status, position, body) "
            "values (%s, %s, %s, %s, %s) on conflict do nothing returning 1",
            (command_id, answer.fingerprint, answer.status, answer.position, answer.body),
        )
        return self.known([command_id])[command_id]

    def _rows(self, query: str, parameters: Sequence[object]) -> list[TupleRow]:
        """Run a query, once more on a fresh connection where the kept one turned out to be broken.

        Raises:
            LogUnavailable: if the database cannot be reached.

        """
        with self._lock:
            for last in (False, True):
                try:
                    if self._connection is None or self._connection.closed:
                        self._connection = self._connected()
                    return self._connection.execute(query, parameters, prepare=True, binary=True).fetchall()
                except psycopg.OperationalError as wrong:
                    self._connection = None
                    if last:
                        raise LogUnavailable(str(LogUnavailable.__doc__)) from wrong
        raise AssertionError("unreachable")

    def _connected(self) -> Connection[TupleRow]:
        connection = psycopg.connect(self._dsn, autocommit=True, application_name="parkledger answers")
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(_TABLE)
            connection.execute(
                "delete from doors.answers where answered < now() - make_interval(days => %s)", (KEPT_DAYS,)
            )
        return connection

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class Recalling:
    """Answers as coroutines see them: what many requests ask in one turn of the loop travels together."""

    def __init__(self, answers: Answers) -> None:
        """Stand in front of the answers; closing them stays with their owner."""
        self._answers = answers
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._waiting: dict[UUID, asyncio.Future[Remembered | None]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def find(self, command_id: UUID) -> Remembered | None:
        """Return the answer given under the command id, if there is one."""
        future = self._waiting.get(command_id)
        if future is None:
            future = self._waiting[command_id] = asyncio.get_running_loop().create_future()
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(future)

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await loop.run_in_executor(self._thread, self._answers.known, tuple(asked))
            except Exception as wrong:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                for future in asked.values():
                    future.set_exception(wrong)
                continue
            for command_id, future in asked.items():
                future.set_result(found.get(command_id))
        self._asking = None

    async def keep(self, command_id: UUID, answer: Remembered) -> Remembered:
        """Remember an answer, unless there is one; return the one that holds."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._answers.keep, command_id, answer)

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
