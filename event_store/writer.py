"""The one writer of a process: drains the queue of appends into batches, one transaction each.

    1. take what waits, 2. send it in one call under the writer lock, 3. answer once it is committed.

If the connection is lost before the answer came, nobody knows whether the batch was committed. The writer
then ends the lost session, looks every command id up, and sends again what is not there. Only where no
database is to be had within `patience` is `LogUnavailable` the answer.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from event_store.batch import APPEND, Batch, Verdict
from event_store.codec import Unstorable
from event_store.connections import APPEND_ROLE, Succession, is_its_own_fault
from event_store.log import LogUnavailable
from event_store.packing import bigint, blob, integers, moment
from event_store.reading import find
from event_store.recent import Recent
from event_store.waiting import Answer, Waiting, repeated, settle

PATIENCE = 10.0
"""Seconds for which the writer looks for a database before it gives a batch up."""
ATTEMPTS = 3
"""How often an append is sent whose connection is lost each time; its content may be what breaks it."""

_WORTH_A_COMMIT = 16
_MOMENT = 0.000_1
_MOMENTS = 3
_NAME = b"append"
_TRY_AGAIN = {"40"}

type Outcome = tuple[list[tuple[Waiting, Answer]], list[Waiting]]
"""The answers, and those that have to be tried again."""


class Writer:
    """Appends for all callers of this process, in the order of their arrival."""

    def __init__(self, dsn: str, patience: float = PATIENCE) -> None:
        """Start the thread; the connection is made when the first append comes."""
        self._patience = patience
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._door = Lock()
        self._closed = False
        self._company = 0
        self._succession = Succession(dsn, APPEND_ROLE, self._begin)
        self._recent = Recent()
        self._now: datetime | None = None
        self._told: datetime | None = None
        self._thread = Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def put(self, waiting: Waiting) -> None:
        """Queue an append.

        Raises:
            LogUnavailable: if the log was closed.

        """
        with self._door:
            if self._closed:
                raise LogUnavailable("the log was closed")
            self._queue.put(waiting)

    def set_now(self, instant: datetime) -> None:
        """Tell the simulated clock of later batches."""
        self._now = instant

    def close(self) -> None:
        """Write what is queued, then end."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        backlog: deque[Waiting] = deque()
        while self._gather(backlog):
            batch = Batch()
            while backlog and not batch.is_full:
                batch.admit(backlog.popleft())
            try:
                answers, again = self._write(batch)
            except Exception as unforeseen:  # noqa: BLE001  (whoever waits must hear of it)
                answers, again = _all(batch.everybody, type(unforeseen), str(unforeseen)), []
            backlog.extendleft(reversed(again))
            settle(answers)
        self._succession.close()

    def _gather(self, backlog: deque[Waiting]) -> bool:
        """Wait for appends; False when all is done.

        Whoever was just answered comes back in a moment, and a commit costs as much as many events: a small
        batch waits that moment for as many as came together the last time. Large ones rather overlap.
        """
        going_on = self._refill(backlog)
        for _ in range(_MOMENTS):
            if not going_on or len(backlog) >= min(self._company, _WORTH_A_COMMIT):
                break
            time.sleep(_MOMENT)
            going_on = self._refill(backlog)
        self._company = len(backlog)
        return going_on

    def _refill(self, backlog: deque[Waiting]) -> bool:
        """Move what waits into the backlog, and wait where there is nothing; False when all is done."""
        try:
            while True:
                waiting = self._queue.get(block=not backlog)
                if waiting is None:
                    self._queue.put(None)
                    return bool(backlog)
                backlog.append(waiting)
        except Empty:
            return True

    def _write(self, batch: Batch) -> Outcome:
        try:
            connection = self._connected()
            answers, known, again = batch.judge(self._send(connection, batch), self._recent)
            if known:
                answers += _first_answers(connection, known)
        except LogUnavailable as unavailable:
            return _all(batch.everybody, LogUnavailable, str(unavailable)), []
        except psycopg.Error as failed:
            return self._failed(batch, failed)
        return answers, again

    def _begin(self, connection: Connection[Any]) -> None:
        prepare(connection)
        self._recent.forget()
        self._told = None

    def _send(self, connection: Connection[Any], batch: Batch) -> Verdict:
        if self._now is not self._told:
            connection.execute("select set_config('parkledger.now', %s, false)", [str(self._now)])
            self._told = self._now
        verdict = call(connection, batch, self._recent)
        return verdict if verdict.instant else call(connection, batch, None)

    def _failed(self, batch: Batch, failed: psycopg.Error) -> Outcome:
        """Tell what a failed call means for each append of its batch."""
        if self._succession.is_lost:
            return self._in_doubt(batch)
        kind = (failed.sqlstate or "")[:2]
        if kind in _TRY_AGAIN:
            return [], batch.everybody
        if is_its_own_fault(failed):
            return self._one_by_one(batch, failed)
        return _all(batch.everybody, LogUnavailable, f"the log's database refused: {failed}"), []

    def _one_by_one(self, batch: Batch, failed: psycopg.Error) -> Outcome:
        """Find the append that the database cannot keep, so that it fails alone: by halves."""
        if len(batch.members) == 1:
            reason = failed.diag.message_primary or str(failed)
            rivals = [rival for rival, _ in batch.rivals]
            return _all(batch.members, Unstorable, f"the database cannot keep this: {reason}"), rivals
        answers: list[tuple[Waiting, Answer]] = []
        again: list[Waiting] = []
        middle = len(batch.members) // 2
        for members in (batch.members[:middle], batch.members[middle:]):
            half = Batch()
            for member in members:
                half.admit(member)
            some, others = self._write(half)
            answers += some
            again += others
        return answers, again + [rival for rival, _ in batch.rivals]

    def _in_doubt(self, batch: Batch) -> Outcome:
        """Find out what a batch came to whose connection was lost."""
        try:
            connection = self._connected()
            with connection.transaction():
                # Whoever still holds the lock may be the lost session; its commit is waited for.
                connection.execute("select pg_advisory_xact_lock(log.writer_lock())")
                answers = _first_answers(connection, batch.members, ours=True)
        except (LogUnavailable, psycopg.Error) as failed:
            return _all(batch.everybody, LogUnavailable, str(failed)), []
        settled = {waiting for waiting, _ in answers}
        rest = [waiting for waiting in batch.members if waiting not in settled]
        for waiting in rest:
            waiting.attempts += 1
        given_up = [waiting for waiting in rest if waiting.attempts >= ATTEMPTS]
        answers += _all(given_up, LogUnavailable, f"the connection was lost {ATTEMPTS} times while appending")
        again = [waiting for waiting in rest if waiting.attempts < ATTEMPTS]
        return answers, again + [rival for rival, _ in batch.rivals]

    def _connected(self) -> Connection[Any]:
        """Return the connection, waiting for the database as long as the writer's patience lasts.

        Raises:
            LogUnavailable: if it lasts no longer, or the log is being closed.

        """
        deadline, pause = time.monotonic() + self._patience, 0.02
        while True:
            try:
                return self._succession.connection()
            except (LogUnavailable, psycopg.Error) as failed:
                if time.monotonic() + pause > deadline or self._closed:
                    raise LogUnavailable(str(failed)) from failed
            time.sleep(pause)
            pause = min(2 * pause, 0.5)


def prepare(connection: Connection[Any]) -> None:
    """Prepare the call of `log.append` on a connection."""
    _good(connection, connection.pgconn.prepare(_NAME, APPEND.encode()))


def call(connection: Connection[Any], batch: Batch, recent: Recent | None) -> Verdict:
    """Send a batch, and return what became of it once it is committed.

    The lowest layer of psycopg, which is a call of libpq: eighteen ready parameters need no adaptation, and
    going through a cursor took as long as all else that Python does for a small batch.
    """
    parameters = batch.parameters(recent)
    result = _good(connection, connection.pgconn.exec_prepared(_NAME, parameters, [1] * len(parameters), 1))
    head, instant, known, moved = (result.get_value(0, n) for n in range(4))
    told = moment(instant) if instant else None
    return Verdict(bigint(head or b""), told, integers(known), integers(moved))


def _good(connection: Connection[Any], result: PGresult) -> PGresult:
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        raise psycopg.errors.error_from_result(result, encoding=connection.info.encoding)
    return result


def _first_answers(
    connection: Connection[Any], waiting: Sequence[Waiting], *, ours: bool = False
) -> list[tuple[Waiting, Answer]]:
    """Return the answers of those whose command ids are in the log.

    `ours` tells that they were only just sent, so that what is found is no repeat.
    """
    found = find(connection, [blob(w.append.command_id.bytes) for w in waiting])
    answers: list[tuple[Waiting, Answer]] = []
    for one in waiting:
        if one.append.command_id in found:
            first, fingerprint = found[one.append.command_id]
            same = fingerprint == one.append.fingerprint
            answers.append((one, first if ours and same else repeated(one.append, first, fingerprint)))
    return answers


def _all(waiting: Iterable[Waiting], kind: type[Exception], reason: str) -> list[tuple[Waiting, Answer]]:
    return [(one, kind(reason)) for one in waiting]
