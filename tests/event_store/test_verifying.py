"""Whoever alters or removes an entry behind the log's back is found out."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from event_store.postgres import PostgresLog
from event_store.verifying import verify
from events.envelope import Append
from events.zones import ZoneOpened

AT = datetime(2026, 3, 5, 14, tzinfo=UTC)


@pytest.fixture
def filled(log: PostgresLog) -> None:
    for name in ("A", "B", "C"):
        log.append(Append([ZoneOpened(at=AT, zone=name, name=name, timezone="America/Toronto")], uuid4()))


def tamper(dsn: str, statement: str) -> None:
    """Do what only a superuser with all triggers off could do."""
    with psycopg.connect(dsn) as connection:
        for trigger in ("refuse_change", "refuse_direct_insert"):
            for table in ("events", "tags"):
                connection.execute(f"ALTER TABLE log.{table} DISABLE TRIGGER {trigger}".encode())
        connection.execute(statement.encode())


@pytest.mark.usefixtures("filled")
def test_a_log_as_it_was_written_holds(dsn: str) -> None:
    found = verify(dsn)
    assert (found.holds, found.count) == (True, 3)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("statement", "position", "reason"),
    [
        ('UPDATE log.events SET payload = payload || \'{"name": "X"}\' WHERE position = 2', 2, "digest"),
        ("DELETE FROM log.events WHERE position = 2", 3, "position 2 is missing"),
        ("UPDATE log.events SET recorded = '2020-01-01Z' WHERE position = 3", 3, "recorded before"),
        ("DELETE FROM log.tags WHERE position = 2", 2, "not found by the tags"),
        ("UPDATE log.tags SET tag = 'zone:X' WHERE position = 2", 2, "not found by the tags"),
        ("INSERT INTO log.tags VALUES (3, 'zone:X', 'ZoneOpened')", 3, "not found by the tags"),
    ],
)
def test_an_altered_log_names_the_first_entry_that_is_wrong(
    dsn: str, statement: str, position: int, reason: str
) -> None:
    tamper(dsn, statement)
    found = verify(dsn)
    assert not found.holds
    assert found.position == position
    assert reason in (found.reason or "")
