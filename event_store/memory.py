"""The in-memory twin of the log: the same contract without a database, for tests of rules and stories."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Condition, RLock
from typing import Any, cast
from uuid import UUID

from event_store.codec import Codec, Row
from event_store.log import LogUnavailable, Reading, Slice
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Appended, BoundaryMoved, CommandIdReused, Recorded


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryLog:
    """A log in a list. `clock` tells the time that appends are recorded at; it may be simulated."""

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        """Start empty."""
        self._clock = clock
        self.codec = Codec()
        self._entries: list[Recorded[Event]] = []
        self._tags: list[frozenset[str]] = []
        self._commands: dict[UUID, tuple[bytes, Appended]] = {}
        self._changed = Condition(RLock())
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
        with self._changed:
            head = len(self._entries)
            last = head if upto is None else min(upto, head)
            found = [
                self._entries[i] for i in range(after, last) if boundary is None or self._covers(boundary, i)
            ]
        return Slice(cast("Sequence[Recorded[E]]", found[:limit]), head)

    def _covers[E: Event](self, boundary: Boundary[E], index: int) -> bool:
        name = type(self._entries[index].event).__name__
        return any(c.covers(name, self._tags[index]) for c in boundary.criteria)

    def read_many(self, readings: Sequence[Reading[Any]]) -> Sequence[Slice[Any]]:
        """Return what each reading asks for; see `Log.read_many`."""
        with self._changed:
            return [self.read(r.boundary, after=r.after, upto=r.upto) for r in readings]

    def pages(
        self,
        after: int = 0,
        *,
        types: Collection[str] | None = None,
        upto: int | None = None,
        size: int = 5000,
    ) -> Iterator[Sequence[Row]]:
        """Yield raw rows; see `Log.pages`."""
        entries: Sequence[Recorded[Event]] = self.read(after=after, upto=upto).entries
        found = [e for e in entries if types is None or type(e.event).__name__ in types]
        for start in range(0, len(found), size):
            yield [self._row(e) for e in found[start : start + size]]

    def _row(self, entry: Recorded[Event]) -> Row:
        name, version, at, _, payload, _ = self.codec.encode(entry.event)
        return (
            entry.position, name, version, at, entry.recorded, payload, entry.actor, entry.channel,
            entry.command_id, entry.correlation, entry.causation,
        )  # fmt: skip

    def submit(self, append: Append) -> Future[Appended]:
        """Append at once; see `Log.submit`."""
        future: Future[Appended] = Future()
        try:
            future.set_result(self.append(append))
        except (BoundaryMoved, CommandIdReused, LogUnavailable) as refused:
            future.set_exception(refused)
        return future

    async def append_async(self, append: Append) -> Appended:
        """Append at once; see `Log.append_async`."""
        return self.append(append)

    def append(self, append: Append) -> Appended:
        """Append whole or not at all; see `Log.append`."""
        if not append.events:
            raise ValueError("an append holds at least one event")
        with self._changed:
            if self._closed:
                raise LogUnavailable("the log was closed")
            known = self._commands.get(append.command_id)
            if known is not None:
                return self._known(append, *known)
            if self._holds(append.boundary, append.after) or self._holds(append.absent, 0):
                raise BoundaryMoved
            return self._accept(append)

    def _holds(self, boundary: Boundary[Event] | None, after: int) -> bool:
        """Tell whether an event after a position lies inside."""
        return boundary is not None and any(
            self._covers(boundary, i) for i in range(after, len(self._entries))
        )

    @staticmethod
    def _known(append: Append, fingerprint: bytes, first: Appended) -> Appended:
        if fingerprint != append.fingerprint:
            raise CommandIdReused
        return Appended(first.position, first.count, first.recorded, known_already=True)

    def _accept(self, append: Append) -> Appended:
        recorded = self._clock()
        if self._entries:
            recorded = max(recorded, self._entries[-1].recorded)
        appended = Appended(len(self._entries) + len(append.events), len(append.events), recorded)
        for entry in append.entries(appended):
            self._entries.append(entry)
            self._tags.append(frozenset(entry.event.tags()))
        self._commands[append.command_id] = (append.fingerprint, appended)
        self._changed.notify_all()
        return appended

    def find(self, command_id: UUID) -> Appended | None:
        """Return what an earlier append under this id came to; see `Log.find`."""
        known = self._commands.get(command_id)
        return known[1] if known else None

    def head(self) -> int:
        """Return the position of the newest event."""
        return len(self._entries)

    def position_at(self, instant: datetime) -> int:
        """Return the newest position recorded at or before the instant."""
        with self._changed:
            return sum(entry.recorded <= instant for entry in self._entries)

    def follow(self, after: int = 0) -> Iterator[Sequence[Recorded[Event]]]:
        """Yield batches for ever; see `Log.follow`."""
        while not self._closed:
            with self._changed:
                if len(self._entries) == after:
                    self._changed.wait(1.0)
                batch = self._entries[after:]
            after += len(batch)
            yield batch

    def close(self) -> None:
        """End every follower."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
