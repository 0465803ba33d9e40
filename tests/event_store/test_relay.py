"""The relay: all of the log is in its topics, in order, whatever dies, and nobody else minds it."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from event_store.brokers import Access, using
from event_store.log import Log
from event_store.streams import Program, programs
from event_store.topics import Keep, Topics, UnknownRetention, retention
from events.envelope import Append, Origin
from events.privacy import RecordAccessed
from tests.conftest import a_broker
from tests.event_store.consuming import PATIENCE, Message, messages, relaying, upto
from tests.projections.facts import bought, cited, corrected, minute, opened, paid, read, told

pytestmark = pytest.mark.kafka
TRACE = UUID("0af7651916cd43dd8448eb211c80319c")


@pytest.fixture
def topics(prefix: str) -> Topics:
    return Topics(prefix, partitions=3)


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


def relay_of(dsn: str) -> Program | None:
    with psycopg.connect(dsn) as connection:
        return next((one for one in programs(connection) if one.service == "relay"), None)


def reached(dsn: str, position: int) -> bool:
    found = relay_of(dsn)
    return found is not None and found.position >= position


def test_every_event_is_in_the_topic_of_its_area_with_what_the_log_says_of_it(
    dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    command, sold = uuid4(), bought("T-1", ["ON A1"], payment="P-1")
    log.append(Append([sold, paid("P-1")], command, origin=Origin("u-1", "http", TRACE, None)))
    head = told(log, opened("F"), read("r1", "ON A1")).position
    with relaying(dsn, kafka, topics):
        found = {one.position: one for one in messages(kafka, topics, upto(head))}
    permit = found[1]
    assert (permit.topic, permit.key) == (topics.name("permits"), "permit:T-1")
    assert permit.value is not None
    assert json.loads(permit.value) == sold.payload()
    assert permit.headers | {"recorded": ""} == {
        "position": "1",
        "type": "PermitPurchased",
        "version": "1",
        "at": sold.at.isoformat(),
        "recorded": "",
        "traceparent": f"00-{TRACE.hex}-{command.hex[16:]}-01",
        "correlation": str(TRACE),
        "command": str(command),
        "channel": "http",
    }
    assert [found[n].topic.rpartition(".")[2] for n in (2, 3, 4)] == ["payments", "zones", "reads"]


def test_events_of_one_plate_or_case_stay_in_order(dsn: str, log: Log, kafka: Access, topics: Topics) -> None:
    for number in range(200):
        name = f"r{number}"
        told(log, read(name, f"ON A{number % 5}"), cited(f"C-{number % 7}"), paid(f"P-{number % 3}"))
    head = told(log, corrected("r0", "ON A1", 2).model_copy(update={"was": "ON A0"})).position
    with relaying(dsn, kafka, topics):
        found = messages(kafka, topics, upto(head))
    homes: dict[tuple[str, str], set[int]] = {}
    for one in found:
        homes.setdefault((one.topic, one.key), set()).add(one.partition)
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert len({partition for partitions in homes.values() for partition in partitions}) == 3
    _in_order(found)
    key_at = {one.position: one.key for one in found}
    assert key_at[head] == key_at[1]  # the correction follows the read of the plate that it was taken for
    assert key_at[1].startswith("plate:")
    assert "ON A0" not in key_at[1]  # a plate is no key in clear


def _in_order(found: list[Message]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for one in found:
        assert one.position > seen.get((one.topic, one.partition), 0)
        seen[one.topic, one.partition] = one.position


def test_a_relay_goes_on_where_it_stood_and_repeats_what_was_not_noted(
    dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    head = told(log, *(read(f"r{number}") for number in range(10))).position
    with relaying(dsn, kafka, topics):
        until(lambda: reached(dsn, head))
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE streams.programs SET position = 4 WHERE service = 'relay'")
    head = told(log, read("r-last")).position
    with relaying(dsn, kafka, topics):
        found = messages(kafka, topics, upto(head))
        until(lambda: reached(dsn, head))
    assert sorted(one.position for one in found) == sorted([*range(1, 12), *range(5, 11)])


def test_one_relay_is_active_and_another_takes_over(
    dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    with relaying(dsn, kafka, topics) as first:
        head = told(log, read("r1")).position
        until(lambda: reached(dsn, head))
        with relaying(dsn, kafka, topics):
            first.stop()
            head = told(log, read("r2")).position
            until(lambda: reached(dsn, head))
    assert [one.position for one in messages(kafka, topics, upto(head))] == [1, 2]


def test_a_relay_that_was_overtaken_stops_publishing(
    dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    with relaying(dsn, kafka, topics):
        head = told(log, read("r1")).position
        until(lambda: reached(dsn, head))
        with psycopg.connect(dsn) as connection:
            connection.execute("UPDATE streams.programs SET position = 0 WHERE service = 'relay'")
        until(lambda: reached(dsn, head))
    assert [one.position for one in messages(kafka, topics, lambda f: len(f) == 2)] == [1, 1]


def test_an_event_that_no_message_can_hold_is_named_and_the_rest_goes_on(
    dsn: str, log: Log, kafka: Access, topics: Topics
) -> None:
    topics.ensure(kafka, ["privacy"])
    limit = ConfigResource(ConfigResourceType.TOPIC, topics.name("privacy"), {"max.message.bytes": "4000"})
    with using(KafkaAdminClient, kafka) as admin:
        admin.alter_configs([limit])
    large = RecordAccessed(at=minute(0), who="u-1", query="x" * 4000, purpose="audit")
    small = RecordAccessed(at=minute(0), who="u-1", query="x", purpose="audit")
    head = told(log, large, small, read("r1")).position
    with relaying(dsn, kafka, topics):
        found = {one.position: one for one in messages(kafka, topics, upto(head))}
    assert found[1].value == b"{}"
    assert found[1].headers["withheld"].endswith("bytes, the topic takes 4000")
    assert b"{}" not in (found[2].value, found[3].value)


def test_without_a_broker_the_relay_says_so_and_catches_up_when_there_is_one(
    dsn: str, log: Log, topics: Topics
) -> None:
    broker = a_broker()
    broker.kill()
    access = Access(broker.address())
    head = told(log, read("r1")).position
    try:
        with relaying(dsn, access, topics):
            until(lambda: (found := relay_of(dsn)) and found.trouble)
            found = relay_of(dsn)
            assert found is not None
            assert "No Kafka broker answers at 127.0.0.1" in str(found.trouble)
            assert found.waiting == head
            broker.start()
            until(lambda: reached(dsn, head))
            until(lambda: (now := relay_of(dsn)) and now.trouble is None)
            assert len(messages(access, topics, upto(head))) == 1
    finally:
        broker.close()


def test_a_topic_that_was_deleted_is_made_again(dsn: str, log: Log, kafka: Access, topics: Topics) -> None:
    head = told(log, read("r1")).position
    with relaying(dsn, kafka, topics):
        until(lambda: reached(dsn, head))
    with using(KafkaAdminClient, kafka) as admin:
        admin.delete_topics([topics.name("reads")])
        until(lambda: topics.name("reads") not in admin.list_topics())
    told(log, read("r2"))
    with relaying(dsn, kafka, topics):
        assert [one.position for one in messages(kafka, topics, lambda found: len(found) > 0)] == [2]


def test_personal_data_leaves_a_topic_when_its_time_is_over(dsn: str, log: Log, prefix: str) -> None:
    broker = a_broker({"log.retention.check.interval.ms": "300", "log.initial.task.delay.ms": "300"})
    topics = Topics(prefix, 1, keeps={"reads": Keep(timedelta(seconds=1)), "payments": Keep(None)})
    access = Access(broker.address())
    head = told(log, read("r1"), paid("P-1")).position
    try:
        with relaying(dsn, access, topics):
            until(lambda: reached(dsn, head))
        until(lambda: _beginning(access, topics.name("reads")) == 1)
        assert _beginning(access, topics.name("payments")) == 0
    finally:
        broker.close()


def _beginning(access: Access, topic: str) -> int:
    asked = TopicPartition(topic, 0)
    with using(KafkaConsumer, access) as consumer:
        return int(consumer.beginning_offsets([asked])[asked])


def test_what_a_topic_keeps_follows_the_setting(kafka: Access, prefix: str) -> None:
    Topics(prefix, 1).ensure(kafka, ["reads"])
    Topics(prefix, 1, keeps=retention("reads=36h+compact")).ensure(kafka, ["reads"])
    topic = f"{prefix}.reads"
    with using(KafkaAdminClient, kafka) as admin:
        found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])["topic"][topic]
    assert found["cleanup.policy"]["value"] == "compact,delete"
    assert found["retention.ms"]["value"] == str(36 * 3600 * 1000)


def test_retention_is_read_as_it_is_written() -> None:
    assert retention("reads=1d, citations=compact, payments=90m+compact") == {
        "reads": Keep(timedelta(days=1)),
        "citations": Keep(None, compact=True),
        "payments": Keep(timedelta(minutes=90), compact=True),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raeds=1d", "did you mean reads"),
        ("reads=soon", "should be a time such as 36h"),
        ("reads", "should be a time"),
    ],
)
def test_retention_that_cannot_be_understood_is_named(text: str, said: str) -> None:
    with pytest.raises(UnknownRetention, match=said):
        retention(text)
