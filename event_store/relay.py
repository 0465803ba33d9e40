"""The relay: publishes every entry of the log to the topics of its area, in order, at least once.

One relay is active, whoever holds the lock; others stand by and take over within a second. Its position
stands in the database and moves only when brokers have acknowledged everything up to it, so a crash repeats
messages and loses none. Repeats carry the position that they had: within a partition, first occurrences come
in order, and whoever remembers the last position has seen everything that is not greater.

It reads no more of the log than brokers have taken of it, but for `AHEAD` pages: a slow broker slows the
relay and nothing else.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Event as Flag
from time import monotonic
from typing import Any

import psycopg
from psycopg import Connection

from event_store import streams
from event_store.brokers import Access, BrokerUnavailable, using
from event_store.codec import NewerEvent
from event_store.log import LogUnavailable
from event_store.relayed import RELAYED_COLUMNS, Message, message
from event_store.tail import PAGE, follow
from event_store.topics import AREA_NAMES, Topics

ACKNOWLEDGED_WITHIN = 30.0
"""Seconds after which brokers that acknowledge nothing are given up, and connected to again."""
AHEAD = 2
"""Pages that may be under way to the brokers while the next one is read."""
STANDING_BY = 0.5
_BACK_OFF = (0.1, 0.2, 0.5, 1.0, 2.0)
_LOG = logging.getLogger(__name__)

_BEGIN = "insert into streams.programs (service, name, position) values (%s, %s, %s) on conflict do nothing"
_POSITION = "select position from streams.programs where service = %s and name = %s"
_MOVE = (
    "update streams.programs set position = %s, trouble = null, alive_at = clock_timestamp()"
    " where service = %s and name = %s and position = %s"
)
_LOCK = "select pg_try_advisory_lock(hashtextextended('parkledger ' || %s || ' ' || %s, 0))"

type Made = Callable[[Sequence[Any]], Iterable[Message]]
"""What makes the messages of a page of rows."""

type UnderWay = deque[tuple[int, list[Any]]]
"""Pages that were sent: the last position of each, and what brokers will say of its messages."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a relay publishes: to which streams, from which columns, beginning where, and how it is made.

    `making(connection, position, largest, partitions)` is called for every new connection: `largest` has the
    bytes that each stream's topic takes, `partitions` the number of its partitions.
    """

    service: str
    streams: Sequence[str]
    columns: str
    begin: Callable[[Connection[Any]], int]
    making: Callable[[Connection[Any], int, Mapping[str, int], Callable[[str], int]], Made]


def _events(_: Connection[Any], __: int, largest: Mapping[str, int], ___: Callable[[str], int]) -> Made:
    return lambda rows: (message(row, largest) for row in rows)


EVENTS = Course("relay", AREA_NAMES, RELAYED_COLUMNS, lambda _: 0, _events)
"""Every event, to the topic of its area."""


class Overtaken(RuntimeError):
    """Another relay moved the position: this one is not the active one any more."""


class Relay:
    """Publishes the log of one database until it is stopped."""

    def __init__(self, dsn: str, access: Access, topics: Topics, course: Course = EVENTS) -> None:
        """Publish to the topics of `topics`, by way of the brokers of `access`."""
        self._dsn = dsn
        self._course = course
        self._known_as = [course.service, topics.prefix]
        self._access = access
        self._topics = topics
        self._stopped = Flag()
        self._trouble: str | None = None

    def stop(self) -> None:
        """Finish what is under way and end `run` within about a second."""
        self._stopped.set()

    def run(self) -> None:
        """Publish until `stop`; whatever fails is said once, and tried again for as long as it takes."""
        failures = 0
        while not self._stopped.is_set():
            try:
                with self._office() as connection:
                    if connection is not None:
                        self._publish(connection, self._went_well)
                failures = 0
            except (psycopg.Error, LogUnavailable, BrokerUnavailable, NewerEvent, Overtaken) as wrong:
                failures = failures + 1 if self._trouble else 1
                self._say(str(wrong).strip())
                self._stopped.wait(_BACK_OFF[min(failures, len(_BACK_OFF)) - 1])

    def _went_well(self) -> None:
        if self._trouble is not None:
            _LOG.info("the %s goes on", self._course.service)
        self._trouble = None

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            _LOG.warning("the %s waits: %s", self._course.service, trouble)
        self._trouble = trouble

    @contextmanager
    def _office(self) -> Iterator[Connection[Any] | None]:
        """Yield the connection that holds the lock of the active relay; nothing when told to stop first."""
        with closing(psycopg.connect(self._dsn, autocommit=True, connect_timeout=5)) as connection:
            streams.ensure(connection)
            while not self._stopped.is_set():
                if connection.execute(_LOCK, self._known_as).fetchone() == (True,):
                    connection.execute(_BEGIN, [*self._known_as, self._course.begin(connection)])
                    connection.execute("set synchronous_commit to off")  # lost, it only repeats messages
                    if self._trouble is not None:
                        streams.report(
                            connection, self._course.service, self._topics.prefix, 0, self._trouble
                        )
                    yield connection
                    return
                self._stopped.wait(STANDING_BY)
            yield None

    def _publish(self, connection: Connection[Any], went_well: Callable[[], None]) -> None:
        from kafka import KafkaProducer  # noqa: PLC0415 - see event_store.brokers
        from kafka.errors import KafkaError  # noqa: PLC0415

        row = connection.execute(_POSITION, self._known_as).fetchone()
        position = row[0] if row else 0
        course, name = self._course, self._topics.name
        largest = self._topics.ensure(self._access, course.streams)
        try:
            with using(KafkaProducer, self._access, **producing(max(largest.values()))) as producer:
                made = course.making(
                    connection, position, largest, lambda stream: len(producer.partitions_for(name(stream)))
                )
                sending = _Sending(producer, {stream: name(stream) for stream in course.streams})
                self._send(connection, position, sending, made, went_well)
        except KafkaError as failed:
            raise BrokerUnavailable(
                f"Kafka at {self._access.bootstrap} took nothing more ({failed})."
            ) from failed

    def _send(
        self,
        connection: Connection[Any],
        position: int,
        sending: "_Sending",
        made: Made,
        went_well: Callable[[], None],
    ) -> None:
        """Follow the log from a position, and move it by what brokers acknowledge."""
        columns = self._course.columns
        for rows in follow(self._dsn, position, until=self._stopped.is_set, columns=columns):
            if rows:
                sending.send(rows[-1][0], made(rows))
            left = AHEAD if len(rows) == PAGE else 0
            while len(sending.under_way) > left:
                position = self._moved(connection, position, sending.acknowledged())
            if not rows:
                position = self._moved(connection, position, position)
            went_well()

    def _moved(self, connection: Connection[Any], old: int, new: int) -> int:
        """Note how far the topics are, and prove to be alive.

        Raises:
            Overtaken: if another relay did meanwhile.

        """
        if connection.execute(_MOVE, [new, *self._known_as, old]).rowcount != 1:
            raise Overtaken(Overtaken.__doc__)
        return new


def producing(largest: int) -> dict[str, Any]:
    """Return how a producer works that must keep order: idempotent, never giving up a message by itself.

    A message that expired inside the producer would be overtaken by the next one of its partition.
    """
    return {
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "delivery_timeout_ms": 24 * 60 * 60 * 1000,
        "request_timeout_ms": round(ACKNOWLEDGED_WITHIN * 500),
        "max_block_ms": round(ACKNOWLEDGED_WITHIN * 500),
        "max_request_size": largest,
        "batch_size": min(131_072, largest),
        "metrics_enabled": False,
    }


class _Sending:
    """Messages on their way to the brokers, page by page."""

    def __init__(self, producer: Any, names: Mapping[str, str]) -> None:
        self._producer = producer
        self._names = names
        self.under_way: UnderWay = deque()

    def send(self, position: int, made: Iterable[Message]) -> None:
        """Hand a page, which goes up to a position, to the producer."""
        send, names = self._producer.send, self._names
        asked = [send(names[m.stream], m.value, m.key, m.headers, m.partition) for m in made]
        self.under_way.append((position, asked))

    def acknowledged(self) -> int:
        """Wait until the oldest page is with the brokers, and return its last position.

        Raises:
            KafkaError: if it is not, in time.

        """
        position, asked = self.under_way[0]
        deadline = monotonic() + ACKNOWLEDGED_WITHIN
        for one in asked:
            one.get(max(0.0, deadline - monotonic()))
        self.under_way.popleft()
        return position
