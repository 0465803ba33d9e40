"""Clients of Kafka: reached or not, nothing of them runs on when they are not used any more."""

import socket
import threading
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from event_store.brokers import Access, BrokerUnavailable, using
from event_store.relay import producing
from event_store.topics import LARGEST, Topics
from tests.conftest import a_broker

pytestmark = pytest.mark.kafka


@pytest.fixture
def silent() -> Iterator[Access]:
    """An address where connections are accepted and nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Access(f"127.0.0.1:{server.getsockname()[1]}")


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if "kafka" in thread.name}


@pytest.mark.parametrize("make", [KafkaAdminClient, KafkaConsumer, KafkaProducer])
def test_a_client_that_nobody_answers_leaves_nothing_behind(make: type, silent: Access) -> None:
    before = threads()
    with (
        pytest.raises(BrokerUnavailable, match="accepts connections and does not answer"),
        using(make, silent, bootstrap_timeout_ms=300),
    ):
        pytest.fail("there is no broker")
    assert threads() == before


def test_a_producer_gives_up_what_no_broker_takes_when_it_is_let_go(prefix: str) -> None:
    before = threads()
    broker = a_broker()
    access, topics = Access(broker.address()), Topics(prefix, 1)
    try:
        topics.ensure(access, ["reads"])
        with using(KafkaProducer, access, **producing(LARGEST)) as producer:
            producer.send(topics.name("reads"), b"{}", b"key").get(30)
            broker.kill()
            never = producer.send(topics.name("reads"), b"{}", b"key")
        assert never.is_done
        assert threads() == before
    finally:
        broker.close()


def test_a_topic_that_is_missing_and_cannot_be_made_is_named(kafka: Access, prefix: str) -> None:
    topics = Topics(prefix, 1, replication=3)  # of a cluster that has one broker
    with pytest.raises(
        BrokerUnavailable, match=rf"{prefix}.reads are missing and cannot be made .*Make them"
    ):
        topics.ensure(kafka, ["reads"])
