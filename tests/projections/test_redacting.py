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
