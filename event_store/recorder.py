"""The log behind the `eventsourcing` library's own interface, so that its published test cases judge it.

An event of the library is a type, bytes and tags, and needs no model in our catalogue. Bytes that are a JSON
object in canonical form stay that object; all others are wrapped, without loss, in an object of one member.
"""

import contextlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import msgspec
from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBQueryItem,
    DCBReadResponse,
    DCBRecorder,
    DCBSequencedEvent,
    DCBSubscription,
)
from eventsourcing.persistence import IntegrityError, ProgrammingError

from event_store.codec import Encoded, Unstorable, canonical_again, digest
from event_store.connections import Pool, connect
from event_store.identifiers import uuid7
from event_store.reading import Asked, look
from event_store.tail import follow
from event_store.waiting import Waiting
from event_store.writer import Writer
from events.boundary import Criterion
from events.envelope import Append, Appended, BoundaryMoved

_COLUMNS = "e.position, e.type, e.payload, e.tags"
_WRAPPED = "base64"


def wrap(data: bytes) -> bytes:
    """Return bytes as a JSON object that the database can keep."""
    try:
        plain = msgspec.json.decode(data)
        if isinstance(plain, dict) and set(plain) != {_WRAPPED} and canonical_again(data) == data:
            return data
    except (msgspec.DecodeError, Unstorable, UnicodeDecodeError):
        pass
    return b'{"%s":"%s"}' % (_WRAPPED.encode(), b64encode(data))


def unwrap(payload: bytes) -> bytes:
    """Return the bytes that were wrapped."""
    plain = msgspec.json.decode(payload)
    return b64decode(plain[_WRAPPED]) if set(plain) == {_WRAPPED} else canonical_again(payload)


class Recorder(DCBRecorder):
    """A recorder of the library on our log."""

    def __init__(self, dsn: str) -> None:
        """Connect to a migrated database when first used."""
        self.dsn = dsn
        self._writer = Writer(dsn)
        self._readers = Pool(lambda: connect(dsn), 4)

    def append(self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None) -> int:
        """Append whole or not at all, and return the last position.

        Raises:
            IntegrityError: if the condition fails.
            ProgrammingError: if there is no event.

        """
        if not events:
            raise ProgrammingError("there is no event to append")
        after = condition.after or 0 if condition else 0
        future: Future[Appended] = Future()
        envelope = Append((), uuid7(), None, after)
        criteria = _criteria(condition.fail_if_events_match) if condition else ()
        self._writer.put(Waiting(envelope, [_encoded(event) for event in events], criteria, future))
        try:
            return future.result().position
        except BoundaryMoved as moved:
            raise IntegrityError(condition) from moved

    def read(
        self, query: DCBQuery | None = None, *, after: int | None = None, limit: int | None = None
    ) -> "Response":
        """Return what matches the query; `head` is that of the log, or of what was read where limited."""
        asked = Asked(_criteria(query or DCBQuery()), after or 0, None)
        head, rows = self._readers.run(lambda c: look(c, [asked], limit, _COLUMNS))
        events = [_sequenced(row[1:]) for row in rows]
        if limit is not None:
            return Response(events, events[-1].position if events else None)
        return Response(events, head or None)

    def subscribe(self, query: DCBQuery | None = None, *, after: int | None = None) -> "Subscription":
        """Return what matches the query, then what is appended."""
        return Subscription(self, query, after)

    def close(self) -> None:
        """Let go of all connections."""
        self._writer.close()
        self._readers.close()


class Response(DCBReadResponse):
    """What was read."""

    def __init__(self, events: Sequence[DCBSequencedEvent], head: int | None) -> None:
        """Hold events, and the head that they were read at."""
        self._events = iter(events)
        self._head = head

    @property
    def head(self) -> int | None:
        """The position that the reading reached."""
        return self._head

    def __next__(self) -> DCBSequencedEvent:
        return next(self._events)


class Subscription(DCBSubscription[Recorder]):
    """Follows the log until it is stopped, from whichever thread."""

    def __init__(self, recorder: Recorder, query: DCBQuery | None = None, after: int | None = None) -> None:
        """Begin after a position."""
        super().__init__(recorder, query, after)
        self._rows = follow(recorder.dsn, after or 0, until=lambda: self._has_been_stopped, columns=_COLUMNS)
        self._wanted = _criteria(query or DCBQuery())
        self._waiting: Iterator[DCBSequencedEvent] = iter(())

    def __next__(self) -> DCBSequencedEvent:
        while not self._has_been_stopped:
            for event in self._waiting:
                tags = frozenset(event.event.tags)
                if any(criterion.covers(event.event.type, tags) for criterion in self._wanted):
                    return event
            self._waiting = map(_sequenced, next(self._rows))
        raise StopIteration

    def stop(self) -> None:
        """End within a second, or at once where nobody is waiting."""
        super().stop()
        with contextlib.suppress(ValueError):  # another thread is waiting; it sees the end by itself
            self._rows.close()


def _criteria(query: DCBQuery) -> Sequence[Criterion]:
    return [Criterion(frozenset(i.types), frozenset(i.tags)) for i in query.items or [DCBQueryItem()]]


def _encoded(event: DCBEvent) -> Encoded:
    payload = wrap(event.data)
    return Encoded(event.type, 1, datetime.now(UTC), tuple(event.tags), payload, digest(payload))


def _sequenced(row: Any) -> DCBSequencedEvent:
    position, name, payload, tags = row
    return DCBSequencedEvent(DCBEvent(type=name, data=unwrap(payload), tags=tags), position)
