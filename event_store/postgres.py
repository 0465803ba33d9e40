"""The log on PostgreSQL: one ordered writer, a few readers, and followers that never skip."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any
from uuid import UUID

from event_store import reading
from event_store.codec import Codec, Row
from event_store.connections import Pool, connect
from event_store.log import Reading, Slice
from event_store.packing import blob
from event_store.tail import follow
from event_store.waiting import Waiting
from event_store.writer import PATIENCE, Writer
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Appended, Recorded

READERS = 8


class PostgresLog:
    """The log of one database; share one among the threads and event loops of a process.

    Whether `recorded` is the real or a simulated time is the database's own (`migrations.simulate`).
    """

    def __init__(
        self, dsn: str, *, codec: Codec | None = None, readers: int = READERS, patience: float = PATIENCE
    ) -> None:
        """Connect when first used. `readers` connections are kept, `patience` is the writer's, in seconds."""
        self._dsn = dsn
        self.codec = codec or Codec.of(dsn)
        self._readers = Pool(lambda: connect(dsn), readers)
        self._writer = Writer(dsn, patience)
        self._closed = False

    def read[E: Event](
        self,
        boundary: Boundary[E] | None = None,
        *,
        after: int = 0,
        upto: int | None = None,
        limit: int | None = None,
    ) -> Slice[E]:
        """Return what lies in the boundary; see `Log.read`."""
        asked: Reading[Any] = Reading(reading.EVERYTHING if boundary is None else boundary, after, upto)
        return self._readers.run(lambda c: reading.read_many(c, self.codec, [asked], limit)[0])

    def read_many(self, readings: Sequence[Reading[Any]]) -> Sequence[Slice[Any]]:
        """Return what each reading asks for; see `Log.read_many`."""
        return self._readers.run(lambda c: reading.read_many(c, self.codec, readings))

    def pages(
        self,
        after: int = 0,
        *,
        types: Collection[str] | None = None,
        upto: int | None = None,
        size: int = 5000,
    ) -> Iterator[Sequence[Row]]:
        """Yield raw rows; see `Log.pages`."""
        last = self.head() if upto is None else upto
        with self._readers.connection() as connection:
            yield from reading.pages(connection, after, last, types, size)

    def submit(self, append: Append) -> Future[Appended]:
        """Queue an append; see `Log.submit`. What cannot be encoded is refused at once."""
        future: Future[Appended] = Future()
        future.set_running_or_notify_cancel()
        self._writer.put(Waiting.of(append, self.codec, future))
        return future

    def append(self, append: Append) -> Appended:
        """Append and wait; see `Log.append`."""
        return self.submit(append).result()

    async def append_async(self, append: Append) -> Appended:
        """Append without blocking the event loop, which is woken once for a whole batch."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Appended] = loop.create_future()
        self._writer.put(Waiting.of(append, self.codec, future, loop))
        return await future

    def find(self, command_id: UUID) -> Appended | None:
        """Return what an earlier append under this id came to; see `Log.find`."""
        found = self._readers.run(lambda c: reading.find(c, [blob(command_id.bytes)]))
        return found[command_id][0] if found else None

    def head(self) -> int:
        """Return the position of the newest event."""
        return self._readers.run(reading.head)

    def position_at(self, instant: datetime) -> int:
        """Return the newest position recorded at or before the instant."""
        return self._readers.run(lambda c: reading.position_at(c, instant))

    def follow(self, after: int = 0) -> Iterator[Sequence[Recorded[Event]]]:
        """Yield batches for ever; see `Log.follow`."""
        for rows in follow(self._dsn, after, until=lambda: self._closed):
            yield [self.codec.revive(row) for row in rows]

    def set_now(self, instant: datetime) -> None:
        """Set the time of later appends, in a database made for simulated time."""
        self._writer.set_now(instant)

    def close(self) -> None:
        """Write what is queued, end every follower within a second, and let go of all connections."""
        self._closed = True
        self._writer.close()
        self._readers.close()
