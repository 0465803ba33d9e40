"""Read models forget what the log can show no longer, in every row that they ever had."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg

from event_store.postgres import PostgresLog
from events.envelope import Append
from events.privacy import RetentionKeyDestroyed
from events.reads import PlateRead, PlateReadCorrected
from events.vocabulary import REDACTED, Plate
from projections.connection import connect
from projections.patrol import Patrol
from projections.refold import drift
from projections.runner import Runner
from projections.sightings import SIGHTINGS

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_a_destroyed_bucket_leaves_no_plate_in_the_rows_and_they_are_what_the_log_leads_to(
    log: PostgresLog, dsn: str
) -> None:
    said = [
        PlateRead(at=NOON, read="r1", plate=Plate("ON CKTR482"), zone="F", device="H1"),
        PlateReadCorrected(at=NOON, read="r1", plate=Plate("ON CKTR48Z")),
        PlateRead(at=NOON.replace(day=6), read="r2", plate=Plate("ON AB1"), zone="F", device="H1"),
        PlateRead(at=NOON.replace(day=6), read="r1", plate=Plate("ON AB2"), zone="F", device="H2"),
    ]
    for event in said:
        log.append(Append([event], uuid4()))
    runner = Runner(dsn, (SIGHTINGS,))
    runner.catch_up()
    log.append(Append([RetentionKeyDestroyed(at=NOON, bucket="2026-03-05")], uuid4()))
    log.codec.destroy("2026-03-05")
    position = runner.catch_up()
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT read, device, plate, was FROM views.sightings_2 ORDER BY known_from"
        ).fetchall()
    assert rows == [
        ("r1", "H1", REDACTED, None),
        ("r1", "H1", REDACTED, REDACTED),
        ("r2", "H1", "ON AB1", None),
        ("r1", "H2", "ON AB2", None),
    ]
    with connect(dsn) as connection:
        assert drift(connection, SIGHTINGS, position, {"read:r1", "read:r2"}) == []


def test_the_patrol_notes_no_plate_of_a_date_whose_key_is_yet_to_be_destroyed(
    log: PostgresLog, dsn: str
) -> None:
    runner, patrol = Runner(dsn, (SIGHTINGS,)), Patrol(dsn, (SIGHTINGS,), share=1.0)
    log.append(Append([PlateRead(at=NOON, read="r1", plate=Plate("ON B1"), zone="F", device="H1")], uuid4()))
    runner.catch_up()
    log.append(Append([RetentionKeyDestroyed(at=NOON, bucket="2026-03-05")], uuid4()))
    with connect(dsn) as connection:
        assert patrol.round(connection) == 0  # the model has not come to the end of the date
        runner.catch_up()
        assert patrol.round(connection) == 0  # it has, and automation has not come to the key
        log.codec.destroy("2026-03-05")
        assert patrol.round(connection) == 0


def test_what_the_patrol_noted_of_a_read_leaves_with_its_date(log: PostgresLog, dsn: str) -> None:
    runner = Runner(dsn, (SIGHTINGS,))
    log.append(Append([PlateRead(at=NOON, read="r1", plate=Plate("ON B1"), zone="F", device="H1")], uuid4()))
    runner.catch_up()
    with connect(dsn) as connection:
        connection.execute("UPDATE views.sightings_2 SET zone = 'G'")
        assert Patrol(dsn, (SIGHTINGS,), share=1.0).round(connection) == 1
    log.append(Append([RetentionKeyDestroyed(at=NOON, bucket="2026-03-05")], uuid4()))
    runner.catch_up()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT key FROM views.drifted").fetchall() == []
