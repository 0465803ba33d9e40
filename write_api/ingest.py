"""Plate reads by Kafka: cameras publish, a consumer group appends, many at a time, each read once.

Offsets are committed after the appends are durable and rejects are with the brokers. Whatever dies in
between, messages come again, and the log knows a read by its device and id. Members of the group share the
partitions; one that is gone is replaced by the others within seconds.
"""

import asyncio
import logging
import os
import platform
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any

import msgspec
import psycopg

from event_store import streams
from event_store.brokers import Access, BrokerUnavailable, member_of, unreachable, using
from event_store.log import Log
from event_store.topics import READS_IN, REJECTED, Topics
from operations.identity import Authenticator
from operations.problems import Problem
from operations.settings import Settings
from projections.lookups import Lookups
from write_api.deciding import Deciding
from write_api.door import Means, wall_clock
from write_api.ingest_reads import Arrived, ReadsFromKafka
from write_api.metrics import Metrics
from write_api.reading import Reading
from write_api.remembered import AnswersInMemory, Recalling

GROUP = "ingest"
AT_ONCE = 2_000
"""Messages that are decided and appended together."""
AHEAD = 1
"""Batches that may be under way while the next one is fetched."""
LISTEN = 500
"""Milliseconds that a look for messages waits at most."""
PUBLISHED_WITHIN = 30.0
_REPORT_EVERY = 1.0
_BACK_OFF = (0.2, 0.5, 1.0, 2.0)
_LOG = logging.getLogger(__name__)


class Ingest:
    """One member of the group; takes reads until it is stopped."""

    def __init__(
        self,
        log: Log,
        lookups: Lookups,
        authenticator: Authenticator,
        settings: Settings,
        access: Access,
        topics: Topics,
    ) -> None:
        """Decide on `log` what comes in the topics of `topics`; `settings` need a `dsn`."""
        self._means = Means(
            Deciding(log, settings.remembered_events),
            Recalling(AnswersInMemory()),
            authenticator,
            settings,
            Metrics(),
            wall_clock,
        )
        self._reads = ReadsFromKafka(self._means, Reading(self._means, lookups))
        self._dsn = settings.dsn or ""
        self._access = access
        self._topics = topics
        self._stopped = Flag()
        self._trouble: str | None = None
        self._reported = 0.0
        self._ends: dict[Any, Any] = {}
        self.name = f"{topics.prefix} {platform.node()} {os.getpid()}"

    def stop(self) -> None:
        """Finish the messages at hand and end `run` within about a second."""
        self._stopped.set()

    def run(self) -> None:
        """Take reads until `stop`; whatever fails is said once, and tried again for as long as it takes."""
        from kafka.errors import KafkaError  # noqa: PLC0415 - see event_store.brokers

        failures = 0
        with _loop() as loop:
            while not self._stopped.is_set():
                try:
                    self._consume(loop)
                    failures = 0
                except (BrokerUnavailable, KafkaError, psycopg.Error) as wrong:
                    failures = failures + 1 if self._trouble else 1
                    self._say(str(wrong).strip())
                    self._report(0)
                    self._stopped.wait(_BACK_OFF[min(failures, len(_BACK_OFF)) - 1])
            self._means.deciding.close()
            self._means.recalling.close()

    def _consume(self, loop: asyncio.AbstractEventLoop) -> None:
        from kafka import KafkaConsumer, KafkaProducer  # noqa: PLC0415

        largest = self._topics.ensure(self._access, (READS_IN, REJECTED))[REJECTED]
        group = member_of(self._topics.group(GROUP))
        rejecting = {"allow_auto_create_topics": False, "max_request_size": largest, "metrics_enabled": False}
        with (
            using(KafkaProducer, self._access, **rejecting) as producer,
            using(KafkaConsumer, self._access, **group) as consumer,
        ):
            consumer.subscribe([self._topics.name(READS_IN)])
            try:
                self._take(loop, consumer, producer)
            finally:
                with suppress(Exception):  # what was not committed comes again
                    mine = consumer.assignment()
                    consumer.commit(
                        {at: end for at, end in self._ends.items() if at in mine}, timeout_ms=5_000
                    )
                self._ends.clear()

    def _take(self, loop: asyncio.AbstractEventLoop, consumer: Any, producer: Any) -> None:
        """Append batch after batch, the next one fetched while one is under way, until `stop`."""
        under_way: deque[_Batch] = deque()
        while not self._stopped.is_set() or under_way:
            found = {} if self._stopped.is_set() else self._polled(consumer, waiting=not under_way)
            if found:
                under_way.append(self._begun(loop, found))
            while under_way and (len(under_way) > AHEAD or not found):
                self._finish(consumer, producer, under_way.popleft())
            self._look_after(consumer, idle=not found)

    def _polled(self, consumer: Any, *, waiting: bool) -> Mapping[Any, Sequence[Any]]:
        """Return the next messages by partition; wait for some only where nothing is under way."""
        found: Mapping[Any, Sequence[Any]] = consumer.poll(
            timeout_ms=LISTEN if waiting else 0, max_records=AT_ONCE
        )
        return found

    def _begun(self, loop: asyncio.AbstractEventLoop, found: Mapping[Any, Sequence[Any]]) -> "_Batch":
        """Begin to append a batch."""
        records = [record for part in found.values() for record in part]
        arrived = [Arrived(record.key, record.value, record.headers or ()) for record in records]
        taking = asyncio.run_coroutine_threadsafe(self._reads.take(arrived), loop)
        return _Batch(records, taking, {at: part[-1].offset + 1 for at, part in found.items()})

    def _finish(self, consumer: Any, producer: Any, batch: "_Batch") -> None:
        """Wait until a batch is durable, publish what cannot be taken with its reason, then commit."""
        from kafka.structs import OffsetAndMetadata  # noqa: PLC0415

        problems = batch.taking.result()
        rejected = [
            self._rejected(producer, record, problem)
            for record, problem in zip(batch.records, problems, strict=True)
            if problem is not None
        ]
        deadline = monotonic() + PUBLISHED_WITHIN
        for one in rejected:
            one.get(max(0.0, deadline - monotonic()))
        mine = consumer.assignment()  # what went to another member is that one's to commit
        ends = {at: OffsetAndMetadata(end, "", -1) for at, end in batch.ends.items() if at in mine}
        if ends:
            consumer.commit_async(ends)
            self._ends |= ends

    def _rejected(self, producer: Any, record: Any, problem: Problem) -> Any:
        """Publish a message that cannot be taken as it came, with the problem as RFC 9457 writes it."""
        headers = [
            ("reason", problem.detail.encode()[:2000]),
            ("problem", msgspec.json.encode(problem.body(), enc_hook=str)[:8000]),
            ("source", f"{record.topic}/{record.partition}/{record.offset}".encode()),
        ]
        key = record.key or record.topic.encode()
        return producer.send(self._topics.name(REJECTED), record.value, key, headers)

    def _look_after(self, consumer: Any, *, idle: bool) -> None:
        """Every second, prove to be alive and tell how many messages wait, or what is in the way."""
        if monotonic() - self._reported < _REPORT_EVERY:
            return
        trouble = unreachable(self._access) if idle else None
        if trouble is not None:
            self._say(trouble)
        elif self._trouble is not None:
            _LOG.info("ingest goes on")
            self._trouble = None
        self._report(_waiting(consumer))

    def _report(self, waiting: int) -> None:
        self._reported = monotonic()
        with suppress(psycopg.Error), closing(psycopg.connect(self._dsn, autocommit=True)) as connection:
            streams.ensure(connection)
            streams.report(connection, GROUP, self.name, waiting, self._trouble)

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            _LOG.warning("ingest waits: %s", trouble)
        self._trouble = trouble


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages that are being appended, and the offset that follows them in each partition."""

    records: Sequence[Any]
    taking: "Future[list[Problem | None]]"
    ends: Mapping[Any, int]


def _waiting(consumer: Any) -> int:
    """Return how many messages of its partitions a member has not taken yet, as far as it knows."""
    waiting = 0
    for partition in consumer.assignment():
        end = consumer.highwater(partition)
        if end is not None:
            waiting += max(0, end - (consumer.position(partition, timeout_ms=100) or 0))
    return waiting


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Yield an event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="parkledger-ingest", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
