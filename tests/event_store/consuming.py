"""What a subscriber of topics sees, and a relay that runs beside a test."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from event_store.brokers import Access, using
from event_store.relay import Relay
from event_store.topics import AREA_NAMES, Topics

PATIENCE = 60.0


class Message:
    def __init__(self, record: Any) -> None:
        self.topic: str = record.topic
        self.partition: int = record.partition
        self.key: str = record.key.decode()
        self.value: bytes | None = record.value
        self.headers = {name: value.decode() for name, value in record.headers}

    @property
    def position(self) -> int:
        return int(self.headers["position"])


@contextmanager
def subscriber(access: Access, topics: Topics, streams: Sequence[str] = AREA_NAMES) -> Iterator[Any]:
    topics.ensure(access, streams)
    earliest = {"auto_offset_reset": "earliest", "enable_auto_commit": False}
    with using(KafkaConsumer, access, **earliest) as consumer:
        asked = [
            TopicPartition(topics.name(stream), number)
            for stream in streams
            for number in sorted(consumer.partitions_for_topic(topics.name(stream)) or ())
        ]
        consumer.assign(asked)
        consumer.seek_to_beginning()
        yield consumer


def messages(
    access: Access,
    topics: Topics,
    enough: Callable[[list[Message]], bool],
    streams: Sequence[str] = AREA_NAMES,
) -> list[Message]:
    """All messages of the topics, once there are enough of them."""
    end = time.monotonic() + PATIENCE
    found: list[Message] = []
    with subscriber(access, topics, streams) as consumer:
        while not enough(found):
            assert time.monotonic() < end, f"only {len(found)} messages came"
            for records in consumer.poll(timeout_ms=200).values():
                found += [Message(record) for record in records]
    return found


def upto(position: int) -> Callable[[list[Message]], bool]:
    """Whether every position up to this one was seen."""
    return lambda found: {one.position for one in found} >= set(range(1, position + 1))


@contextmanager
def relaying(dsn: str, access: Access, topics: Topics) -> Iterator[Relay]:
    relay = Relay(dsn, access, topics)
    thread = Thread(target=relay.run, name="relay of a test")
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join(PATIENCE)
