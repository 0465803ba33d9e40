"""Read models follow the log, each effect exactly once, whatever dies."""

import random
import time

import psycopg
import pytest

from event_store.log import Log
from projections.changes import Changes
from projections.connection import connect
from projections.progress import Progress
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.sightings import SIGHTINGS
from projections.validity import VALIDITY
from projections.writing import Move, commit
from tests import victims
from tests.projections.conftest import Models, Running, until
from tests.projections.facts import (
    START,
    appealed,
    bought,
    bounced,
    cited,
    corrected,
    dismissed,
    opened,
    paid,
    read,
    revoked,
    told,
    unwatched,
    watched,
)


def position(dsn: str, model: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT position FROM views.progress WHERE name = %s AND live", [model])
        found = row.fetchone()
    return found[0] if found else -1


def tell_a_bit_of_everything(log: Log, number: int) -> None:
    n = str(number)
    told(log, opened(f"Z{n}"), read(f"r{n}", f"ON A{n}"), watched(f"w{n}", f"ON A{n}"))
    told(log, bought(f"T-{n}", [f"ON B{n}"], payment=f"P-{n}"), cited(f"C-{n}", f"ON A{n}", basis=[f"r{n}"]))
    told(log, paid(f"P-{n}"), appealed(f"A-{n}", f"C-{n}"), corrected(f"r{n}", f"ON B{n}"))
    told(log, bounced(f"P-{n}"), dismissed(f"A-{n}", f"C-{n}"), unwatched(f"w{n}"), revoked(f"T-{n}", 30))


@pytest.mark.parametrize("page_size", [1, 3, 4000])
def test_the_models_equal_a_fold_from_zero_whatever_the_size_of_a_page(
    models: Models, log: Log, page_size: int
) -> None:
    for number in range(5):
        tell_a_bit_of_everything(log, number)
        if number % 2:
            models.catch_up(page_size)
    assert models.catch_up(page_size) == log.head()
    assert models.drift() == []
    assert all(models.rows(model) for model in PROJECTIONS)


def test_the_size_of_a_page_leaves_no_trace(models: Models, log: Log, dsn: str) -> None:
    for number in range(4):
        tell_a_bit_of_everything(log, number)
    models.catch_up(2)
    small = [models.rows(model) for model in PROJECTIONS]
    with psycopg.connect(dsn) as connection:
        for model in PROJECTIONS:
            connection.execute(f"TRUNCATE views.{model.table_name}".encode())
        connection.execute("UPDATE views.progress SET position = 0")
    models.catch_up()
    assert [models.rows(model) for model in PROJECTIONS] == small


def test_a_runner_follows_what_is_appended(running: Running, log: Log, dsn: str) -> None:
    running()
    appended = told(log, bought("T-1"))
    until(lambda: position(dsn, "validity") == appended.position)


def test_progress_moves_past_events_that_no_model_handles(models: Models, log: Log, dsn: str) -> None:
    told(log, read("r1"), read("r2"))
    models.catch_up(models=(VALIDITY,))
    assert position(dsn, "validity") == log.head()


def test_a_second_runner_stands_by_and_takes_over(running: Running, log: Log, dsn: str) -> None:
    first = running()
    appended = told(log, bought("T-1"))
    until(lambda: position(dsn, "validity") == appended.position)
    running()
    with pytest.raises(RuntimeError, match="another runner has these read models"):
        Runner(dsn, PROJECTIONS).catch_up()
    first.stop()
    appended = told(log, bought("T-2"))
    until(lambda: position(dsn, "validity") == appended.position)


def test_a_model_that_was_behind_meets_the_others_and_travels_with_them(
    models: Models, running: Running, log: Log, dsn: str
) -> None:
    for number in range(3):
        tell_a_bit_of_everything(log, number)
    models.catch_up(models=(SIGHTINGS,))
    running(page_size=2)
    for number in range(3, 6):
        tell_a_bit_of_everything(log, number)
    until(lambda: all(position(dsn, model.name) == log.head() for model in PROJECTIONS))
    until(lambda: models.drift() == [])


def test_a_cut_connection_loses_nothing_and_applies_nothing_twice(
    models: Models, running: Running, log: Log, dsn: str
) -> None:
    running(page_size=7)
    chance = random.Random(7)  # noqa: S311 - any will do
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(30):
            tell_a_bit_of_everything(log, number)
            if chance.random() < 0.5:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'parkledger projector' AND datname = current_database()"
                )
    until(lambda: position(dsn, "validity") == log.head())
    assert models.drift() == []
    assert len(models.rows(VALIDITY)) == 30


@pytest.mark.fault
def test_a_killed_runner_is_continued_where_it_committed(models: Models, log: Log, dsn: str) -> None:
    chance = random.Random(11)  # noqa: S311 - any will do
    for life in range(6):
        process = victims.runner(dsn, page_size=5)
        try:
            for number in range(life * 5, life * 5 + 5):
                tell_a_bit_of_everything(log, number)
            time.sleep(chance.uniform(0.02, 0.5))  # the moment of the kill is the point of the test
        finally:
            process.kill()
            process.join()
    until(lambda: free(dsn))
    assert models.catch_up() == log.head()
    assert models.drift() == []
    assert len(models.rows(VALIDITY)) == 30


def free(dsn: str) -> bool:
    """Tell whether the server has noticed that the runner is gone."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'parkledger projector' AND datname = current_database()"
        ).fetchone()
    return row == (0,)


def test_a_position_that_somebody_else_moved_rolls_the_batch_back(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"))
    with connect(dsn) as connection, pytest.raises(psycopg.errors.SerializationFailure):
        commit(connection, Move(5, 6, START), {"validity": (VALIDITY, Changes())})
    assert position(dsn, "validity") == 0
    models.catch_up()
    assert models.drift() == []


def test_one_notice_tells_of_all_models(dsn: str, models: Models, log: Log) -> None:
    progress = Progress(dsn)
    try:
        told(log, bought("T-1"))
        models.catch_up()
        until(lambda: all(progress.position(model.name) == log.head() for model in PROJECTIONS))
    finally:
        progress.close()


def test_the_runner_proves_that_it_is_alive(running: Running, dsn: str) -> None:
    def proofs() -> list[object]:
        with psycopg.connect(dsn) as connection:
            return connection.execute("SELECT alive_at FROM views.runners WHERE models <> '{}'").fetchall()

    running()
    until(lambda: bool(proofs()))
    first = proofs()
    until(lambda: proofs() != first)
