"""History on its way into the log: thousands of appends at a time, through COPY.

The invariants are the log's own: a batch takes the writer lock, its positions follow the head without a
gap, a command id is taken once, and one notice is given. What differs is that an append of history rests on
nothing, so it has no boundary. A batch is encoded by the thread that submits it while the one before is
being written; after a lost connection it is sent again, which its command ids make safe.
"""

import sys
import time
from collections.abc import Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection

from event_store.codec import Codec, Unstorable
from event_store.connections import IMPORT_ROLE, Succession, is_its_own_fault
from event_store.copying import COPY_EVENTS, COPY_TAGS, Ready, copy, event_rows, tag_rows
from event_store.log import LogUnavailable
from event_store.reading import find
from event_store.waiting import Answer, repeated
from events.envelope import Append, Appended

SIZE = 10_000
"""Appends of a batch that COPY is worth its while for, and that lets live appends wait for a moment only."""
AHEAD = 2
"""Batches that are under way at most; whoever submits a further one waits."""

_TURN = 0.000_5
"""Seconds until a thread that waits for Python gets its turn: at the usual 5 ms, the one that writes would
stand still at every piece that it sends while another encodes."""
_PATIENCE = 30.0


class Bulk:
    """The way into the log for history; close it when all is in."""

    def __init__(self, dsn: str, *, codec: Codec | None = None, patience: float = _PATIENCE) -> None:
        """Connect when the first batch comes; a lost one is tried again for `patience` seconds."""
        sys.setswitchinterval(min(sys.getswitchinterval(), _TURN))
        self._codec = codec or Codec.of(dsn)
        self._patience = patience
        self._succession = Succession(dsn, IMPORT_ROLE)
        self._writing = ThreadPoolExecutor(1, "log bulk")
        self._ahead = BoundedSemaphore(AHEAD)

    def submit(self, appends: Sequence[Append]) -> Future[list[Answer]]:
        """Encode a batch and queue it; waits while `AHEAD` batches are under way.

        The future answers, in order, what became of each append: an `Appended`, or `CommandIdReused` or
        `Unstorable`. It raises `LogUnavailable` if the database was away for longer than the patience; then
        nothing of the batch is known to be in the log, and submitting it again is safe.
        """
        ready = [self._ready(append) for append in appends]
        self._ahead.acquire()
        future = self._writing.submit(self._write, ready)
        future.add_done_callback(lambda _: self._ahead.release())
        return future

    def append(self, appends: Sequence[Append]) -> list[Answer]:
        """Append a batch and wait for it; see `submit`."""
        return self.submit(appends).result()

    def close(self) -> None:
        """Write what is queued, then let go of the connection."""
        self._writing.shutdown()
        self._succession.close()

    def _ready(self, append: Append) -> Ready | Unstorable:
        try:
            return Ready(append, self._codec)
        except Unstorable as refused:
            return refused

    def _write(self, batch: Sequence[Ready | Unstorable]) -> list[Answer]:
        """Write what can be kept, and put its answers in the places of the batch."""
        sound = [one for one in batch if isinstance(one, Ready)]
        answers = iter(self._kept(sound))
        return [one if isinstance(one, Unstorable) else next(answers) for one in batch]

    def _kept(self, batch: Sequence[Ready]) -> list[Answer]:
        before: set[UUID] | None = None
        deadline, pause = time.monotonic() + self._patience, 0.05
        while batch:
            try:
                connection = self._succession.connection()
                with connection.transaction():
                    written = _Batch(connection, batch)
                    before = before if before is not None else set(written.found)
                    written.copy()
                return written.answers(before)
            except psycopg.Error as failed:
                if is_its_own_fault(failed):
                    return self._by_halves(batch, failed)
                reason: Exception = failed
            except LogUnavailable as failed:
                reason = failed
            if time.monotonic() + pause > deadline:
                raise LogUnavailable(f"{LogUnavailable.__doc__} ({reason})") from reason
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        return []

    def _by_halves(self, batch: Sequence[Ready], failed: psycopg.Error) -> list[Answer]:
        """Write what the database can keep of a batch that it refused, so that the rest fails alone."""
        if len(batch) == 1:
            return [Unstorable(f"the database cannot keep this: {failed.diag.message_primary or failed}")]
        middle = len(batch) // 2
        return self._kept(batch[:middle]) + self._kept(batch[middle:])


class _Batch:
    """One batch inside its transaction."""

    def __init__(self, connection: Connection[Any], batch: Sequence[Ready]) -> None:
        """Take the writer lock, and look up what is in the log already."""
        self._connection = connection
        self._batch = batch
        opened = connection.execute("select head, instant from log.open_bulk()").fetchall()
        self._head: int = opened[0][0]
        self._instant: datetime = opened[0][1]
        self.found = find(connection, [one.key for one in batch])
        self._taken: dict[UUID, tuple[Appended, bytes]] = {}

    def copy(self) -> None:
        """Copy what is new into both tables, and close the door behind it."""
        fresh: list[tuple[int, Ready]] = []
        position = self._head
        for one in self._batch:
            known_as = one.append.command_id
            if known_as not in self.found and known_as not in self._taken:
                fresh.append((position, one))
                position += len(one.rows)
                done = Appended(position, len(one.rows), self._instant)
                self._taken[known_as] = (done, one.append.fingerprint)
        if fresh:
            copy(self._connection, COPY_EVENTS, event_rows(fresh, self._instant))
            copy(self._connection, COPY_TAGS, tag_rows(fresh))
            self._connection.execute("select log.close_bulk(%s, %s)", [self._head, position - self._head])

    def answers(self, before: Container[UUID]) -> list[Answer]:
        """Return what became of each append, `before` being what stood in the log when it was first sent."""
        answers: list[Answer] = []
        said: set[UUID] = set()
        for one in self._batch:
            known_as = one.append.command_id
            first, fingerprint = self.found.get(known_as) or self._taken[known_as]
            is_first = known_as not in before and known_as not in said
            answers.append(first if is_first else repeated(one.append, first, fingerprint))
            said.add(known_as)
        return answers
