"""Reads that cameras publish to Kafka: each is in the log once; what cannot be taken is told why."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import psycopg
import pytest
from kafka import KafkaProducer
from starlette.testclient import TestClient

from event_store.brokers import Access, using
from event_store.log import Log
from event_store.streams import programs
from event_store.topics import READS_IN, REJECTED, Topics
from events.boundary import on
from events.envelope import Recorded
from events.reads import PlateRead
from operations.identity import Authenticator
from operations.settings import Settings
from projections.lookups import Lookups
from tests.conftest import a_broker
from tests.event_store.consuming import PATIENCE, messages
from write_api.ingest import Ingest

pytestmark = pytest.mark.kafka
AT = "2026-03-05T09:05:40-05:00"


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.fixture
def topics(prefix: str, kafka: Access) -> Topics:
    found = Topics(prefix, partitions=3)
    found.ensure(kafka, (READS_IN, REJECTED))
    return found


@pytest.fixture
def town(client: TestClient) -> None:
    assert client.post("/v1/zones", json={"zone": "F", "timezone": "America/Toronto"}).status_code == 201


type Member = Callable[..., Any]


@pytest.fixture
def member(
    log: Log, dsn: str, office: Settings, authenticator: Authenticator, kafka: Access, topics: Topics
) -> Member:
    """A member of the group that runs meanwhile."""

    @contextmanager
    def started(access: Access = kafka) -> Iterator[Ingest]:
        with Lookups(dsn) as lookups:
            ingest = Ingest(log, lookups, authenticator, office.with_dsn(dsn), access, topics)
            thread = Thread(target=ingest.run, name="ingest of a test")
            thread.start()
            try:
                yield ingest
            finally:
                ingest.stop()
                thread.join(PATIENCE)

    return started


def a_read(number: int, **said: object) -> dict[str, object]:
    return {"read": f"r{number}", "plate": f"ON A{number % 9}", "zone": "F", "device": "H3", "at": AT, **said}


def publish(access: Access, topics: Topics, *values: Any, key: bytes | None = b"H3") -> None:
    with using(KafkaProducer, access) as producer:
        for value in values:
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            producer.send(topics.name(READS_IN), raw, key, [("traceparent", TRACE)])
        producer.flush(PATIENCE)


TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def reads_in(log: Log) -> list[Recorded[PlateRead]]:
    return list(log.read(on(PlateRead)).entries)


@pytest.mark.usefixtures("town")
def test_a_published_read_is_in_the_log_as_over_http(
    member: Member, log: Log, kafka: Access, topics: Topics
) -> None:
    publish(kafka, topics, a_read(1), {name: said for name, said in a_read(2).items() if name != "device"})
    with member():
        until(lambda: len(reads_in(log)) == 2)
    first = min(reads_in(log), key=lambda entry: entry.event.read)
    assert (first.event.plate, first.event.device, first.channel) == ("ON A1", "H3", "kafka")
    assert first.event.shown is not None
    assert first.actor == "H3"
    assert first.correlation is not None
    assert first.correlation.hex == "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.usefixtures("town")
def test_the_same_device_and_id_is_one_read_however_often_and_whichever_way_it_comes(
    member: Member, log: Log, kafka: Access, topics: Topics, client: TestClient
) -> None:
    assert client.post("/v1/plate-reads", json=a_read(1)).status_code == 201
    publish(kafka, topics, a_read(1), a_read(2), a_read(2), a_read(2, device="H4"))
    publish(kafka, topics, a_read(2), a_read(3), key=None)
    with member():
        until(lambda: len(reads_in(log)) == 4)
    publish(kafka, topics, a_read(1), a_read(3), a_read(4))
    with member():
        until(lambda: len(reads_in(log)) == 5)
    assert client.post("/v1/plate-reads", json=a_read(4)).status_code == 200


@pytest.mark.usefixtures("town")
def test_what_cannot_be_taken_goes_to_the_dead_letters_with_the_reason(
    member: Member, log: Log, kafka: Access, topics: Topics
) -> None:
    broken = [
        b"{",
        b"",
        b'{"read": "r1", "read": "r2"}',
        a_read(1, plate=None),
        a_read(2, zone="nowhere"),
        a_read(3, colour="red"),
        a_read(4, at="2026-03-05T09:05:40"),
        a_read(5, officer="4111 1111 1111 1111"),
        b'{"read": "' + b"x" * 100_000 + b'"}',
    ]
    publish(kafka, topics, *broken, a_read(6))
    with member():
        dead = messages(kafka, topics, lambda found: len(found) == len(broken), (REJECTED,))
        until(lambda: len(reads_in(log)) == 1)
    reasons = {one.value: one.headers["reason"] for one in dead}
    assert "not valid JSON" in reasons[b"{"]
    assert "is empty" in reasons[b""]
    assert "given twice" in reasons[b'{"read": "r1", "read": "r2"}']
    said = [json.loads(one.headers["problem"]) for one in dead]
    assert {problem.get("rule") for problem in said} == {None, "NoSuchZone", "CardNumberRefused"}
    assert {one.headers["source"].partition("/")[0] for one in dead} == {topics.name(READS_IN)}
    assert not any("4111" in one.headers["problem"] + one.headers["reason"] for one in dead)


@pytest.mark.usefixtures("town")
def test_members_that_come_and_go_lose_nothing_and_take_nothing_twice(
    member: Member, log: Log, kafka: Access, topics: Topics
) -> None:
    for part in range(4):
        publish(kafka, topics, *(a_read(part * 100 + number) for number in range(100)), key=None)
        with member():
            if part % 2:
                with member():
                    until(lambda part=part: len(reads_in(log)) > part * 100)
    with member():
        until(lambda: len(reads_in(log)) == 400)
    assert len({entry.event.read for entry in reads_in(log)}) == 400


@pytest.mark.usefixtures("town")
def test_how_many_messages_wait_is_told(member: Member, dsn: str, kafka: Access, topics: Topics) -> None:
    publish(kafka, topics, a_read(1))
    with member() as running, psycopg.connect(dsn, autocommit=True) as connection:
        until(lambda: any(one.name == running.name for one in programs(connection)))
        found = next(one for one in programs(connection) if one.name == running.name)
        assert (found.service, found.trouble) == ("ingest", None)


@pytest.mark.usefixtures("town")
def test_without_a_broker_ingest_says_so_and_catches_up(
    member: Member, log: Log, dsn: str, topics: Topics
) -> None:
    broker = a_broker()
    broker.kill()
    access = Access(broker.address())
    try:
        with member(access) as running, psycopg.connect(dsn, autocommit=True) as connection:
            until(lambda: any(one.trouble for one in programs(connection) if one.name == running.name))
            broker.start()
            topics.ensure(access, (READS_IN, REJECTED))
            publish(access, topics, a_read(1))
            until(lambda: len(reads_in(log)) == 1)
            until(lambda: not any(one.trouble for one in programs(connection)))
    finally:
        broker.close()
