"""Kafka out, in and shared: the relay beside a bare producer, ingest beside HTTP, two projectors beside one.

A real Apache Kafka and a PostgreSQL that makes commits durable run on this machine and share its cores with
what is measured. Each side is a process of its own.

    python -m benchmarks.kafka [--quick]
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import batched, count
from pathlib import Path
from statistics import median

import psycopg
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from benchmarks.harness import Sample, at_least, emit, figure, interleaved, note, percentile
from benchmarks.kafka_ingest import by_http, by_topic
from benchmarks.kafka_work import HEAVY
from benchmarks.projections_telling import scattered
from event_store import streams
from event_store.brokers import Access, using
from event_store.connections import connect
from event_store.identifiers import uuid7
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from event_store.reading import NEWEST, page
from event_store.relay import producing
from event_store.relayed import RELAYED_COLUMNS, message
from event_store.topics import AREA_NAMES, LARGEST, WORK, Topics
from events.envelope import Append
from operations.broker import Broker
from operations.embedded import EmbeddedPostgres
from projections.progress import Progress
from projections.schema import ensure
from projections.validity import VALIDITY

BENCH = "kafka"
_numbers = count(1)
_RELAY = """
import sys, threading, time
import psycopg
from event_store.brokers import Access
from event_store.relay import Relay
from event_store.topics import Topics
from operations.memory import settle_memory
dsn, bootstrap, prefix, head = sys.argv[1:4] + [int(sys.argv[4])]
settle_memory()
relay = Relay(dsn, Access(bootstrap), Topics(prefix, 3))
thread = threading.Thread(target=relay.run)
began = time.perf_counter()
thread.start()
with psycopg.connect(dsn, autocommit=True) as connection:
    def reached():
        row = connection.execute(
            "select position from streams.programs where service = 'relay' and name = %s", [prefix]
        ).fetchone()
        return row[0] if row else 0
    while reached() < head:
        time.sleep(0.005)
    print(head / (time.perf_counter() - began))
relay.stop()
thread.join()
"""
_RUNNER = """
import sys
from operations.memory import settle_memory
from projections.runner import Runner
from projections.validity import VALIDITY
settle_memory()
Runner(sys.argv[1], (VALIDITY,)).run()
"""
_RELAYING = """
import sys
from event_store.brokers import Access
from event_store.relay import Relay
from event_store.topics import Topics
from operations.memory import settle_memory
settle_memory()
Relay(sys.argv[1], Access(sys.argv[2]), Topics(sys.argv[3], 3)).run()
"""
_PROJECTOR = """
import sys
from benchmarks.kafka_work import HEAVY
from event_store.brokers import Access
from event_store.topics import Topics
from operations.memory import settle_memory
from projections.from_kafka import FromKafka
settle_memory()
FromKafka(sys.argv[1], Access(sys.argv[2]), Topics(sys.argv[3], 8), (HEAVY,)).run()
"""


def main(*, quick: bool = False) -> None:
    """Measure; `quick` is a smoke test."""
    events, rounds, seconds = (4_000, 2, 3.0) if quick else (60_000, 5, 10.0)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parkledger-bench-")))
        options = {"max_wal_size": "4GB", "checkpoint_timeout": "1h"}
        server = stack.enter_context(EmbeddedPostgres(directory / "server", options=options))
        broker = stack.enter_context(Broker(directory / "kafka"))
        access = Access(broker.address())
        relay(server, access, events, rounds)
        end_to_end(server, access, seconds, rounds)
        reads = 1_000 if quick else 20_000
        note(f"taking {reads:,} reads")
        pairs = interleaved(
            lambda: by_topic(server, access, directory, reads),
            lambda: by_http(server, access, directory, reads),
            rounds,
        )
        emit(
            figure(
                BENCH, f"ingest, {reads:,} reads, topic to log", pairs, "rate",
                unit="reads/s", other_name="HTTP NDJSON to log", goal=at_least(0.8),
            )
        )  # fmt: skip
        sharing(server, access, 600 if quick else 8_000, rounds)


def prepared(server: EmbeddedPostgres) -> str:
    """Return an empty database with all tables."""
    dsn = server.create(f"bench_{next(_numbers)}")
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        streams.ensure(connection)
    return dsn


def filled(server: EmbeddedPostgres, events: int) -> str:
    """Return a database whose log holds so many events."""
    dsn = prepared(server)
    with closing(PostgresLog(dsn)) as log:
        for batch in batched(scattered(events), 1000):
            log.append(Append(batch, uuid7()))
    return dsn


def relay(server: EmbeddedPostgres, access: Access, events: int, rounds: int) -> None:
    """Publish a log; the bare producer sends the same messages, which it has in memory."""
    note(f"relaying {events:,} events")
    dsn = filled(server, events)
    pairs = interleaved(lambda: _relayed(dsn, access, events), lambda: _bare(dsn, access, events), rounds)
    emit(
        figure(
            BENCH, f"relay, {events:,} events", pairs, "rate",
            unit="events/s", other_name="bare kafka-python producer, same bytes", goal=at_least(0.7),
        )
    )  # fmt: skip


def _relayed(dsn: str, access: Access, events: int) -> Sample:
    prefix = f"relay-{next(_numbers)}"
    Topics(prefix, 3).ensure(access, AREA_NAMES)
    done = subprocess.run(
        [sys.executable, "-c", _RELAY, dsn, access.bootstrap, prefix, str(events)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {"rate": float(done.stdout)}


def _bare(dsn: str, access: Access, events: int) -> Sample:
    prefix = f"bare-{next(_numbers)}"
    topics = Topics(prefix, 3)
    topics.ensure(access, AREA_NAMES)
    largest = dict.fromkeys(AREA_NAMES, LARGEST)
    with closing(connect(dsn)) as reading:
        rows = page(reading, 0, NEWEST, None, events, RELAYED_COLUMNS)
    ready = [message(row, largest) for row in rows]
    names = {area: topics.name(area) for area in AREA_NAMES}
    began = time.perf_counter()
    topics.ensure(access, AREA_NAMES)  # both connect, look at the topics, and connect again
    with using(KafkaProducer, access, **producing(LARGEST)) as producer:
        for one in ready:
            producer.send(names[one.stream], one.value, one.key, one.headers)
        producer.flush(60)
        return {"rate": len(ready) / (time.perf_counter() - began)}


def end_to_end(server: EmbeddedPostgres, access: Access, seconds: float, rounds: int) -> None:
    """Append 500 events a second, and see when each is at a consumer, and when in a read model."""
    note("log to consumer, beside log to read model")
    dsn = prepared(server)
    ensure(dsn, (VALIDITY,))
    prefix = f"live-{next(_numbers)}"
    Topics(prefix, 3).ensure(access, AREA_NAMES)
    with running(_RELAYING, dsn, access.bootstrap, prefix), running(_RUNNER, dsn):
        pairs = [_lived(dsn, access, prefix, seconds) for _ in range(rounds)]
    for name in ("p50", "p99"):
        emit(
            figure(
                BENCH, f"log to consumer at 500/s, {name}", pairs, name,
                unit="ms", other_name="log to PostgreSQL projection",
            )
        )  # fmt: skip


def _lived(dsn: str, access: Access, prefix: str, seconds: float) -> tuple[Sample, Sample]:
    partitions = [TopicPartition(f"{prefix}.{area}", n) for area in ("permits", "payments") for n in range(3)]
    program = [sys.executable, "-c", _TELLING, dsn, str(seconds)]
    told: dict[int, float] = {}
    seen: dict[int, float] = {}
    folded: dict[int, float] = {}
    with (
        tempfile.TemporaryFile("w+") as said,  # a pipe would fill up: it is read at the end
        closing(Progress(dsn)) as progress,
        using(KafkaConsumer, access, enable_auto_commit=False, fetch_max_wait_ms=100) as consumer,
    ):
        consumer.assign(partitions)
        consumer.seek_to_end()
        for partition in partitions:
            consumer.position(partition)
        reached = progress.position("validity")
        telling = subprocess.Popen(program, stdout=said, text=True)
        end = time.monotonic() + 10 * seconds + 30
        while (telling.poll() is None or len(seen) < 500 * seconds * 0.99) and time.monotonic() < end:
            for records in consumer.poll(timeout_ms=1).values():
                now = time.time()
                for record in records:
                    seen[int(dict(record.headers)["position"])] = now
            at = progress.position("validity")
            if at > reached:
                folded.update(dict.fromkeys(range(reached + 1, at + 1), time.time()))
                reached = at
        telling.wait()
        if len(seen) < 500 * seconds * 0.99:
            raise RuntimeError(f"only {len(seen)} of {500 * seconds:.0f} events came by way of Kafka")
        said.seek(0)
        for line in said:
            position, _, instant = line.partition(" ")
            told[int(position)] = float(instant)
    return _latencies(told, seen), _latencies(told, folded)


def _latencies(told: dict[int, float], seen: dict[int, float]) -> Sample:
    found = [1000 * (seen[position] - told[position]) for position in told if position in seen]
    return {"p50": median(found), "p99": percentile(found, 0.99)}


_TELLING = """
import sys, time
from benchmarks.projections_telling import scattered
from event_store.identifiers import uuid7
from event_store.postgres import PostgresLog
from events.envelope import Append
log, seconds = PostgresLog(sys.argv[1]), float(sys.argv[2])
began, told = time.perf_counter(), []
for number, event in enumerate(scattered(int(500 * seconds))):
    time.sleep(max(0.0, began + number / 500 - time.perf_counter()))
    done = log.append(Append([event], uuid7()))
    told.append((done.position, time.time()))
log.close()
for position, instant in told:
    print(position, instant)
"""


@contextmanager
def running(program: str, *arguments: str) -> Iterator[None]:
    """Run a program of Python meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", program, *arguments])
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def sharing(server: EmbeddedPostgres, access: Access, events: int, rounds: int) -> None:
    """Fold a model that is bound by its own work: two processes beside one."""
    note("two projectors beside one")
    one, two = (lambda: _shared(server, access, events, 1)), (lambda: _shared(server, access, events, 2))
    pairs = interleaved(two, one, rounds)
    emit(
        figure(
            BENCH, "two projectors, a model bound by its own work", pairs, "rate",
            unit="events/s", other_name="one projector", goal=at_least(1.5),
        )
    )  # fmt: skip


def _shared(server: EmbeddedPostgres, access: Access, events: int, projectors: int) -> Sample:
    """Append events once all projectors have a part of the work, and wait until they are folded."""
    dsn, prefix = prepared(server), f"shared-{next(_numbers)}"
    Topics(prefix, 8).ensure(access, (WORK,))
    ensure(dsn, (HEAVY,))
    with ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(dsn, autocommit=True))
        for _ in range(projectors):
            stack.enter_context(running(_PROJECTOR, dsn, access.bootstrap, prefix))
        working = "SELECT count(*) = %s FROM views.runners WHERE models <> '{}'"
        while connection.execute(working, [projectors]).fetchone() != (True,):
            time.sleep(0.05)
        began = time.perf_counter()
        with closing(PostgresLog(dsn)) as log:
            for batch in batched(scattered(events), 500):
                log.append(Append(batch, uuid7()))
        while connection.execute("SELECT min(position) FROM views.shares").fetchone() != (events,):
            time.sleep(0.01)
        return {"rate": events / (time.perf_counter() - began)}


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
