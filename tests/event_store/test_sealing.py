"""Personal data of reads is sealed under the key of its local date, and gone for good with that key."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from event_store.codec import Codec
from event_store.postgres import PostgresLog
from event_store.vault import Vault
from event_store.verifying import verify
from events.base import Event
from events.boundary import on
from events.envelope import Append
from events.privacy import RetentionKeyDestroyed
from events.reads import Place, PlateRead, PlateReadCorrected
from events.vocabulary import REDACTED, Plate
from events.zones import ZoneOpened

LATE = datetime(2026, 3, 6, 3, 30, tzinfo=UTC)
"""Still the evening of 5 March in Toronto."""


def read_of(plate: str, name: str = "r1", at: datetime = LATE, zone: str = "F") -> PlateRead:
    return PlateRead(
        at=at,
        read=name,
        plate=Plate(plate),
        zone=zone,
        device="H1",
        raw="CKTR 482",
        place=Place(latitude=43.6),
    )


@pytest.fixture
def toronto(log: PostgresLog) -> PostgresLog:
    put(log, ZoneOpened(at=LATE, zone="F", name="F", timezone="America/Toronto"))
    return log


@pytest.fixture
def elsewhere(dsn: str) -> Iterator[PostgresLog]:
    """The same log as another process sees it, with a memory of its own."""
    opened = PostgresLog(dsn)
    yield opened
    opened.close()


def put(log: PostgresLog, *events: Event) -> None:
    log.append(Append(events, uuid4()))


def kept(dsn: str) -> list[Any]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select payload::text, tags from log.events order by position").fetchall()


def test_nothing_of_the_plate_stands_in_the_log(toronto: PostgresLog, dsn: str) -> None:
    put(toronto, read_of("ON CKTR482"))
    payload, tags = kept(dsn)[-1]
    assert "CKTR" not in payload
    assert "43.6" not in payload
    assert '"bucket": "2026-03-05"' in payload
    assert not any("CKTR" in tag for tag in tags)


def test_who_has_the_key_reads_what_was_written(toronto: PostgresLog, elsewhere: PostgresLog) -> None:
    put(toronto, read_of("ON CKTR482"))
    [entry] = elsewhere.read(on(PlateRead, plate="ON CKTR482", zone="F")).entries
    assert entry.event == read_of("ON CKTR482")


def test_the_same_read_is_sealed_otherwise_each_time(toronto: PostgresLog, dsn: str) -> None:
    put(toronto, read_of("ON CKTR482"), read_of("ON CKTR482"))
    assert kept(dsn)[-1][0] != kept(dsn)[-2][0]


def test_a_destroyed_key_leaves_redacted_reads_and_a_log_that_verifies(
    toronto: PostgresLog, dsn: str
) -> None:
    put(toronto, read_of("ON CKTR482"), read_of("ON AB1", "r2", at=datetime(2026, 3, 6, 12, tzinfo=UTC)))
    toronto.codec.destroy("2026-03-05")
    first, second = (e.event for e in toronto.read(on(PlateRead)).entries)
    assert (first.plate, first.raw, first.place, first.zone) == (REDACTED, None, None, "F")
    assert second.plate == "ON AB1"
    assert verify(dsn).holds


def test_the_event_alone_closes_the_box_for_everybody_who_reads_it(
    toronto: PostgresLog, elsewhere: PostgresLog
) -> None:
    put(toronto, read_of("ON CKTR482"))
    assert elsewhere.read(on(PlateRead)).entries[0].event.plate == "ON CKTR482"
    put(toronto, RetentionKeyDestroyed(at=LATE, bucket="2026-03-05"))
    elsewhere.read(on(RetentionKeyDestroyed))
    assert elsewhere.read(on(PlateRead)).entries[0].event.plate == REDACTED


def test_a_read_that_arrives_after_the_destruction_is_kept_without_its_plate(
    toronto: PostgresLog, dsn: str
) -> None:
    toronto.codec.destroy("2026-03-05")
    put(toronto, read_of("ON CKTR482"))
    assert "box" not in kept(dsn)[-1][0]
    assert toronto.read(on(PlateRead)).entries[0].event.plate == REDACTED


def test_what_is_said_of_a_read_lies_in_the_reads_own_bucket(toronto: PostgresLog, dsn: str) -> None:
    put(toronto, read_of("ON CKTR482"))
    later = datetime(2026, 4, 1, tzinfo=UTC)
    put(toronto, PlateReadCorrected(at=later, read="r1", plate=Plate("ON CKTR48Z")))
    assert '"bucket": "2026-03-05"' in kept(dsn)[-1][0]


def test_a_destroyed_key_is_never_made_again(dsn: str) -> None:
    vault = Vault.of(dsn)
    assert vault.key_to_seal("2026-03-05") == Vault.of(dsn).key_to_seal("2026-03-05")
    vault.destroy("2026-03-05")
    vault.destroy("2026-03-05")
    assert Vault.of(dsn).key_to_seal("2026-03-05") is None


def test_who_has_no_keys_reads_redacted(toronto: PostgresLog) -> None:
    put(toronto, read_of("ON CKTR482"))
    [page] = toronto.pages(after=1)
    event = Codec().revive(page[0]).event
    assert isinstance(event, PlateRead)
    assert event.plate == REDACTED
