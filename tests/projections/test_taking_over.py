"""A new release is answered from its own versions of the read models, as soon as the older one is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest

from event_store.log import Log
from events.vocabulary import Plate
from projections.connection import connect
from projections.gathering import Lane, Unavailable
from projections.locking import lock_shared
from projections.near_plates import NEAR_PLATES
from projections.projection import Projection
from projections.runner import Runner
from projections.table import Table
from tests.projections.conftest import Models, Running, until
from tests.projections.facts import bought, told

LATER = replace(
    NEAR_PLATES,
    version=NEAR_PLATES.version + 1,
    table=Table({"filed_as": "text", "plate": "text"}, indexes=("filed_as",)),
)


def live(dsn: str) -> tuple[int, int]:
    """Version and position of what readers are answered from."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT version, position FROM views.progress WHERE name = 'near_plates' AND live"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


@contextmanager
def kept(dsn: str, model: Projection) -> Iterator[None]:
    """Somebody of the older release who has the model."""
    with connect(dsn) as connection:
        assert lock_shared(connection, model)
        yield


def test_readers_are_let_over_once_the_later_version_is_there(
    models: Models, log: Log, dsn: str, running: Running
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    told(log, bought("T-2", ["ON B2"]))
    running((LATER,))
    until(lambda: live(dsn) == (LATER.version, 2))
    told(log, bought("T-3", ["ON B3"]))
    until(lambda: live(dsn) == (LATER.version, 3))
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT DISTINCT plate FROM views.near_plates WHERE filed_as <> ''")
        assert {Plate("ON B2"), Plate("ON B3")} <= {row[0] for row in rows}


def test_while_a_projector_of_the_older_release_runs_its_version_stays(
    models: Models, log: Log, dsn: str, running: Running
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    with kept(dsn, NEAR_PLATES):
        Runner(dsn, (LATER,)).catch_up()
        Runner(dsn, (LATER,)).catch_up()
        assert live(dsn) == (NEAR_PLATES.version, 1)
    running((LATER,))
    until(lambda: live(dsn)[0] == LATER.version)


def test_a_projector_of_the_older_release_never_takes_readers_back(
    models: Models, log: Log, dsn: str, running: Running
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    running((LATER,))
    until(lambda: live(dsn)[0] == LATER.version)
    models.catch_up()
    told(log, bought("T-2"))
    models.catch_up()
    assert live(dsn)[0] == LATER.version


def test_until_then_whoever_asks_is_told_to_come_again(models: Models, dsn: str) -> None:
    models.catch_up()
    lane = Lane(dsn)
    failures: list[BaseException | None] = []
    lane.do(
        lambda connection: connection.execute("SELECT filed_as FROM views.near_plates").fetchall(),
        lambda _, failure: failures.append(failure),
    )
    lane.close()
    assert [type(one) for one in failures] == [Unavailable]
    with pytest.raises(Unavailable, match="another release"):
        raise failures[0] or AssertionError
