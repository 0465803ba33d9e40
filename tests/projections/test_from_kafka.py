"""Projectors as a consumer group: whoever comes, goes or is told wrong, the rows are those of the log."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Thread

import psycopg
import pytest
from kafka import KafkaProducer

from event_store.brokers import Access, using
from event_store.log import Log
from event_store.topics import WORK, Topics
from projections.connection import connect
from projections.from_kafka import FromKafka
from projections.health import health
from projections.parking import request_retry
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.validity import VALIDITY
from tests.conftest import a_broker
from tests.event_store.consuming import messages
from tests.projections.conftest import Models
from tests.projections.conftest import until as until_soon
from tests.projections.facts import bought, bounced, paid, revoked, told
from tests.projections.test_parking import POISON, parked, with_a_fault
from tests.projections.test_runner import position, tell_a_bit_of_everything
from tests.projections.test_shares import tell_at_random

pytestmark = pytest.mark.kafka
PATIENCE = 90.0


def until(holds: Callable[[], bool]) -> None:
    until_soon(holds, PATIENCE)


@contextmanager
def projecting(
    dsn: str, access: Access, topics: Topics, models: Sequence[Projection] = PROJECTIONS
) -> Iterator[FromKafka]:
    projector = FromKafka(dsn, access, topics, models)
    thread = Thread(target=projector.run, name="projector of a test")
    thread.start()
    try:
        yield projector
    finally:
        projector.stop()
        thread.join(PATIENCE)


@pytest.fixture
def topics(prefix: str) -> Topics:
    return Topics(prefix, partitions=4)


def caught_up(dsn: str, log: Log) -> bool:
    head = log.head()
    return all(position(dsn, model.name) == head for model in PROJECTIONS)


def test_one_projector_keeps_up_with_the_log(
    models: Models, dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    tell_at_random(log, random.Random(1), 60)  # noqa: S311 - any will do
    with projecting(dsn, kafka, topics):
        until(lambda: caught_up(dsn, log))
        tell_a_bit_of_everything(log, 1)
        until(lambda: caught_up(dsn, log))
        with connect(dsn) as connection:
            assert {model.state for model in health(connection).models} == {"running"}
    assert models.drift() == []
    assert all(models.rows(model) for model in PROJECTIONS)


def test_projectors_that_come_and_go_share_the_work(
    models: Models, dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    chance = random.Random(2)  # noqa: S311 - any will do
    with projecting(dsn, kafka, topics):
        for _ in range(2):
            tell_at_random(log, chance, 20)
            with projecting(dsn, kafka, topics):
                tell_at_random(log, chance, 20)
                until(lambda: caught_up(dsn, log))
            tell_at_random(log, chance, 20)
        until(lambda: caught_up(dsn, log))
    assert models.drift() == []


def test_what_was_told_twice_late_or_never_leaves_no_trace(
    models: Models, dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    chance = random.Random(3)  # noqa: S311 - any will do
    tell_at_random(log, chance, 40)
    with projecting(dsn, kafka, topics):
        until(lambda: caught_up(dsn, log))
    heard = messages(kafka, topics, lambda found: len(found) >= 4, (WORK,))
    tell_at_random(log, chance, 40)
    with projecting(dsn, kafka, topics):
        with using(KafkaProducer, kafka) as producer:
            for one in heard:
                producer.send(topics.name(WORK), one.value, one.key.encode(), partition=one.partition)
            producer.flush(PATIENCE)
        until(lambda: caught_up(dsn, log))
    with psycopg.connect(dsn) as connection:  # as if it had been routed, and its messages were lost
        connection.execute(
            "UPDATE streams.programs SET position = %s WHERE service = 'router'", [log.head() + 30]
        )
    tell_at_random(log, chance, 30)
    with projecting(dsn, kafka, topics):
        until(lambda: caught_up(dsn, log))
    assert models.drift() == []


def test_from_kafka_and_back_again(models: Models, dsn: str, log: Log, kafka: Access, topics: Topics) -> None:
    chance = random.Random(4)  # noqa: S311 - any will do
    tell_at_random(log, chance, 30)
    models.catch_up()
    tell_at_random(log, chance, 30)
    with projecting(dsn, kafka, topics):
        until(lambda: caught_up(dsn, log))
        with pytest.raises(RuntimeError, match="another runner has these read models"):
            Runner(dsn, PROJECTIONS).catch_up()
    tell_at_random(log, chance, 30)
    models.catch_up()
    assert models.drift() == []


def test_a_key_that_cannot_be_folded_is_parked_and_a_retry_takes_what_waited(
    models: Models, dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    told(log, bought(POISON, payment="P-1"), bought("T-1"), paid("P-1", permit=POISON), revoked(POISON, 30))
    told(log, bounced("P-1"), revoked(POISON, 20), bought("T-2"))
    with projecting(dsn, kafka, topics, (with_a_fault(),)):
        until(lambda: position(dsn, "validity") == log.head())
    assert [row[:2] for row in parked(dsn)] == [(f"permit:{POISON}", 4)]
    with connect(dsn) as connection:
        request_retry(connection, "validity")
    with projecting(dsn, kafka, topics, (VALIDITY,)):
        until(lambda: parked(dsn) == [])
        told(log, revoked("T-2", 40))
        until(lambda: position(dsn, "validity") == log.head())
    assert models.drift((VALIDITY,)) == []


def test_without_a_broker_projectors_say_so_and_catch_up(
    models: Models, dsn: str, log: Log, topics: Topics
) -> None:
    broker = a_broker()
    broker.kill()
    told(log, bought("T-1"))
    try:
        with ExitStack() as running:
            running.enter_context(projecting(dsn, Access(broker.address()), topics))
            broker.start()
            until(lambda: caught_up(dsn, log))
            broker.kill()
            told(log, bought("T-2"))
            broker.start()
            until(lambda: caught_up(dsn, log))
    finally:
        broker.close()
    assert models.drift() == []
