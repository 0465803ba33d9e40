"""Whatever is killed at whatever moment: nothing acknowledged is lost, nothing is there twice."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.schema import ensure
from tests.faults.office import Load, Office, eventually

ROUNDS = int(os.environ.get("KILL_ROUNDS", "200"))
VICTIMS = ("write-api", "projector", "postgres")
CLIENTS = 4

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Load]]:
    """An office that went through all rounds, with all of its clients gone and its models at the head."""
    office = Office(Path(tmp_path_factory.mktemp("office")))
    try:
        office.insist("/v1/zones", {"zone": "F", "name": "Lot F", "timezone": "America/Toronto"})
        load = Load(office)
        load.begin(CLIENTS)
        random = Random(9)  # noqa: S311
        try:
            for number in range(ROUNDS):
                served = len(load.acknowledged)
                eventually(lambda served=served: len(load.acknowledged) > served or load.failures)
                time.sleep(random.uniform(0, 0.4))
                office.kill(VICTIMS[number % len(VICTIMS)])
        finally:
            load.end()
        eventually(lambda: _caught_up(office.dsn))
        yield office, load
    finally:
        office.close()


def _caught_up(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT (SELECT max(position) FROM log.events), (SELECT min(position) FROM views.progress)"
        ).fetchone()
    return row is not None and row[0] == row[1]


def test_every_acknowledged_command_is_in_the_log_exactly_once(survivor: tuple[Office, Load]) -> None:
    office, load = survivor
    with psycopg.connect(office.dsn) as connection:
        rows = connection.execute(
            "SELECT tag, position FROM log.tags WHERE tag LIKE 'permit:%' OR tag LIKE 'read:%'"
        ).fetchall()
    found = Counter(tag for tag, _ in rows)
    assert len(load.acknowledged) > ROUNDS
    assert [tag for tag, _ in load.acknowledged if found[tag] != 1] == []
    assert set(load.acknowledged) <= set(rows)
    assert max(found.values()) == 1


def test_positions_have_no_gap_and_recorded_never_runs_backwards(survivor: tuple[Office, Load]) -> None:
    office, _ = survivor
    with psycopg.connect(office.dsn) as connection:
        rows = connection.execute("SELECT position, recorded FROM log.events ORDER BY position").fetchall()
    assert [position for position, _ in rows] == list(range(1, len(rows) + 1))
    assert [recorded for _, recorded in rows] == sorted(recorded for _, recorded in rows)


def test_the_read_models_equal_a_refold_from_zero(survivor: tuple[Office, Load]) -> None:
    office, _ = survivor
    lived = _models(office.dsn)
    office.close()
    office.postgres.start()
    again = office.postgres.create("again", "office")
    with psycopg.connect(again) as connection:
        connection.execute("DROP SCHEMA views CASCADE")
    ensure(again)
    Runner(again, PROJECTIONS).catch_up()
    assert _models(again) == lived
    assert any(lived.values())


def _models(dsn: str) -> dict[str, list[str]]:
    """Return every row of every read model as text, in order."""
    with psycopg.connect(dsn) as connection:
        return {
            projection.name: sorted(
                str(row) for row in connection.execute(f"SELECT * FROM views.{projection.name}").fetchall()
            )
            for projection in PROJECTIONS
        }
