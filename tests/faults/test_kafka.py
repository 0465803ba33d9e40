"""Whatever happens to Kafka and to those who use it: nothing is lost, nothing is there twice."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread

import psycopg
import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from event_store.brokers import Access, BrokerUnavailable, using
from event_store.postgres import PostgresLog
from event_store.topics import READS_IN, REJECTED, Topics
from operations.broker import PROTOCOLS, Broker
from operations.embedded import THROW_AWAY_OPTIONS, EmbeddedPostgres
from operations.serving import migrate_all
from operations.settings import Settings
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.schema import ensure
from tests.conftest import a_broker
from tests.event_store.consuming import Message, messages
from tests.faults.nursery import Forked, Nursery
from tests.faults.office import ENVIRONMENT, eventually
from tests.faults.test_kill_nine import _models
from tests.faults.wire import Wire
from tests.projections.facts import bought, bounced, opened, paid, told

ROUNDS = int(os.environ.get("KAFKA_ROUNDS", "8"))
"""Each fault once; 400 for fifty rounds of each."""
FAULTS = ("broker", "relay", "projector", "ingest", "pause", "cut", "duplicates", "rebalance")
PAUSE = 10.0
SERVICES = ("relay", "ingest", "projector", "projector")
PROGRAMS = ("operations.processes", "event_store.relay", "write_api.ingest", "projections.from_kafka")

pytestmark = [pytest.mark.kafka, pytest.mark.fault, pytest.mark.timeout(7200)]


class City:
    """A broker behind a wire, PostgreSQL, and the services between them, each of which can be hurt."""

    def __init__(self, root: Path, broker: Broker) -> None:
        self.broker = broker
        self.wire = Wire(int(broker.address().rpartition(":")[2]))
        self.postgres = EmbeddedPostgres(root / "postgres", options=THROW_AWAY_OPTIONS).start()
        self.dsn = self.postgres.ensure("city")
        self.access = Access(f"127.0.0.1:{self.wire.port}")
        self.topics = Topics("city", 4)
        self.settings = Settings(
            data=root, dsn=self.dsn, log_level="warning", kafka_bootstrap=self.access.bootstrap,
            kafka_prefix="city", kafka_partitions=4, projector_source="kafka",
        )  # fmt: skip
        migrate_all(self.dsn)
        self.log = PostgresLog(self.dsn)
        self.published: set[str] = set()
        self._said = (root / "services.log").open("ab")
        self._nursery = Nursery(self._said, PROGRAMS)
        self._running: list[Forked | None] = [None] * len(SERVICES)
        self._closing = Event()
        self._threads = [Thread(target=one) for one in (self._keep, self._publish, self._tell)]

    def begin(self) -> None:
        told(self.log, opened("F"))
        self.topics.ensure(self.access, (READS_IN, REJECTED))
        for thread in self._threads:
            thread.start()

    def _keep(self) -> None:
        while not self._closing.wait(0.05):
            for place, name in enumerate(SERVICES):
                running = self._running[place]
                if running is None or running.poll() is not None:
                    self._running[place] = self._nursery.start(
                        ["serve", name], ENVIRONMENT | self.settings.environment()
                    )

    def _publish(self) -> None:
        """Be a camera: publish, and what was not acknowledged again, until it is."""
        number = 0
        waiting: list[str] = []
        while not self._closing.is_set():
            with (
                suppress(KafkaError, BrokerUnavailable),
                using(KafkaProducer, self.access, max_block_ms=5_000) as producer,
            ):
                while not self._closing.wait(0.02):
                    while len(waiting) < 5:
                        number += 1
                        waiting.append(f"r{number}")
                    sent = [producer.send(self.topics.name(READS_IN), self._read(one)) for one in waiting]
                    for one in sent:
                        one.get(5)
                    self.published.update(waiting)
                    waiting = []

    @staticmethod
    def _read(name: str) -> bytes:
        plate = f"ON A{hash(name) % 50}"
        return json.dumps({"read": name, "plate": plate, "zone": "F", "device": "H1"}).encode()

    def _tell(self) -> None:
        """Sell permits that share payments, so that neighbours are in other shares."""
        number = 0
        while not self._closing.wait(0.02):
            number += 1
            payment = f"P-{number // 4}"
            told(self.log, bought(f"T-{number}", [f"ON B{number // 4}"], payment=payment))
            told(self.log, (paid if number % 3 else bounced)(payment))

    def hurt(self, fault: str, random: Random) -> None:
        if fault == "broker":
            self.broker.kill()
            self.broker.start()
        elif fault == "pause":
            self.broker.pause()
            time.sleep(PAUSE)
            self.broker.resume()
        elif fault == "cut":
            self.wire.cut()
            time.sleep(random.uniform(0.5, 2))
            self.wire.mend()
        elif fault == "duplicates":
            self._again(random)
        elif fault == "rebalance":
            self._signal(SERVICES.index("projector"), signal.SIGSTOP)
            time.sleep(7)  # longer than the group waits for a member
            self._signal(SERVICES.index("projector"), signal.SIGCONT)
        else:
            self._signal(SERVICES.index(fault), signal.SIGKILL)

    def _again(self, random: Random) -> None:
        """Let cameras publish again, and the relay and the router repeat."""
        with (
            suppress(KafkaError, BrokerUnavailable),
            using(KafkaProducer, self.access, max_block_ms=5_000) as producer,
        ):
            for name in random.sample(sorted(self.published), min(50, len(self.published))):
                producer.send(self.topics.name(READS_IN), self._read(name))
            producer.flush(5)
        with psycopg.connect(self.dsn) as connection:
            connection.execute("UPDATE streams.programs SET position = greatest(0, position - 200)")

    def _signal(self, place: int, number: signal.Signals) -> None:
        running = self._running[place]
        if running is not None:
            running.send_signal(number)

    def rest(self) -> None:
        """Let no more come in, and wait until all of it is everywhere."""
        self._closing.set()
        for thread in self._threads:
            thread.join()
        eventually(self._settled, 180)

    def _settled(self) -> bool:
        with psycopg.connect(self.dsn) as connection:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM log.events WHERE type = 'PlateRead'),"
                " (SELECT max(position) FROM log.events), (SELECT min(position) FROM views.progress),"
                " (SELECT position FROM streams.programs WHERE service = 'relay')"
            ).fetchone()
        return row is not None and row[0] >= len(self.published) and row[1] == row[2] == row[3]

    def stop(self) -> None:
        self._closing.set()
        for running in self._running:
            if running is not None:
                running.kill()
                running.wait()
        self._running = [None] * len(SERVICES)

    def close(self) -> None:
        self.stop()
        self.log.close()
        self.wire.close()
        self._nursery.close()
        self._said.close()
        self.postgres.close()


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that went through all rounds under load, at rest again."""
    broker = a_broker()
    city = City(Path(tmp_path_factory.mktemp("city")), broker)
    try:
        broker.advertise({name: city.wire.port for name in PROTOCOLS if name == "PLAINTEXT"})
        city.begin()
        random = Random(11)  # noqa: S311
        for number in range(ROUNDS):
            before = len(city.published)
            eventually(lambda before=before: len(city.published) > before + 10, 120)
            time.sleep(random.uniform(0, 0.5))
            city.hurt(FAULTS[number % len(FAULTS)], random)
        city.rest()
        yield city
    finally:
        city.close()
        broker.close()


def test_every_acknowledged_read_is_in_the_log_exactly_once(survivor: City) -> None:
    with psycopg.connect(survivor.dsn) as connection:
        rows = connection.execute("SELECT tag FROM log.tags WHERE type = 'PlateRead' AND tag LIKE 'read:%'")
        found = Counter(row[0].removeprefix("read:") for row in rows)
    assert len(survivor.published) > ROUNDS
    assert survivor.published - set(found) == set()
    assert max(found.values()) == 1


def test_every_event_is_in_its_topic_and_first_occurrences_are_in_order(survivor: City) -> None:
    head = survivor.log.head()
    found: list[Message] = messages(
        survivor.access, survivor.topics, lambda f: {m.position for m in f} >= set(range(1, head + 1))
    )
    last: dict[tuple[str, int], int] = {}
    seen: set[int] = set()
    for one in found:
        home = (one.topic, one.partition)
        if one.position not in seen:
            assert one.position > last.get(home, 0)
        seen.add(one.position)
        last[home] = max(last.get(home, 0), one.position)
    assert seen == set(range(1, head + 1))


def test_the_read_models_equal_a_refold_from_zero(survivor: City) -> None:
    survivor.stop()
    lived = _models(survivor.dsn)
    with psycopg.connect(survivor.dsn) as connection:
        connection.execute("DROP SCHEMA views CASCADE")
    ensure(survivor.dsn)
    Runner(survivor.dsn, PROJECTIONS).catch_up()
    assert _models(survivor.dsn) == lived
    assert any(lived.values())
