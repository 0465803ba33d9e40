"""The patrol goes through every key, and names rows that drifted and the event behind each."""

from dataclasses import replace
from threading import Thread

import psycopg
import pytest

from event_store.log import Log
from projections.cells import Entry
from projections.connection import connect
from projections.health import Health, health
from projections.patrol import Patrol
from projections.projection import Projection
from projections.registry import PROJECTIONS
from projections.validity import VALIDITY
from tests.projections.conftest import Models, until
from tests.projections.facts import bought, cited, opened, paid, read, revoked, told
from tests.projections.test_parking import with_a_fault


def forgetful() -> Projection:
    """The model of validity with a wrong fold: it does not hear of one permit's revocation."""
    permits, *others = VALIDITY.things

    def evolve(state: object, entry: Entry) -> object:
        if type(entry.event).__name__ == "PermitRevoked" and entry.event.__dict__["permit"] == "T-2":
            return state
        return permits.evolve(state, entry)

    return replace(VALIDITY, things=(replace(permits, evolve=evolve), *others))


def patrolled(dsn: str, *models: Projection, size: int = 2) -> Health:
    """How the models are after one round."""
    patrol = Patrol(dsn, models or PROJECTIONS, size=size, share=1.0)
    with connect(dsn) as connection:
        patrol.round(connection)
        return health(connection)


def test_a_wrong_fold_is_found_within_one_round_and_row_and_event_are_named(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, *(bought(f"T-{number}", payment=f"P-{number}") for number in range(5)))
    told(log, *(paid(f"P-{number}", permit=f"T-{number}") for number in range(5)))
    told(log, revoked("T-1", 30), revoked("T-2", 30))
    models.catch_up(models=(forgetful(),))
    found = patrolled(dsn, VALIDITY)
    assert {(row.key, row.position, row.type) for row in found.drifted} == {
        ("permit:T-2", 12, "PermitRevoked")
    }
    assert {bytes(row.live) != b"null" for row in found.drifted} == {True, False}
    (proof,) = [model.proof for model in found.models if model.name == "validity"]
    assert proof is not None
    assert (proof.rounds, proof.round_keys, proof.round_found, proof.round_position) == (1, 5, 2, 12)


def test_what_was_mended_is_no_longer_named(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"), bought("T-2"), revoked("T-2", 30))
    models.catch_up()
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE views.validity_1 SET zone = 'G' WHERE key = 'permit:T-1'")
    (row,) = patrolled(dsn).drifted
    assert (row.key, row.position, row.type) == ("permit:T-1", 1, "PermitPurchased")
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE views.validity_1 SET zone = 'F' WHERE key = 'permit:T-1'")
    assert patrolled(dsn).drifted == ()


def test_rows_that_are_missing_and_rows_that_nothing_led_to_are_found(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1"), bought("T-2"))
    models.catch_up()
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM views.validity_1 WHERE key = 'permit:T-1'")
        connection.execute(
            "INSERT INTO views.validity_1 SELECT 'permit:T-9', known_from, part, known_until, kind, 'T-9',"
            " plate, zone, start, until, ended_by FROM views.validity_1"
        )
    found = patrolled(dsn, VALIDITY).drifted
    assert {(row.key, bytes(row.live) == b"null", bytes(row.wanted) == b"null") for row in found} == {
        ("permit:T-1", True, False),
        ("permit:T-9", False, True),
    }


def test_parked_keys_wait_and_do_not_drift(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-BAD"), revoked("T-BAD", 30), bought("T-1"))
    models.catch_up(models=(with_a_fault(),))
    assert patrolled(dsn, with_a_fault()).drifted == ()


@pytest.mark.parametrize("size", [1, 3, 50])
def test_every_key_of_every_model_is_looked_at(models: Models, log: Log, dsn: str, size: int) -> None:
    told(log, opened(), *(bought(f"T-{n}", plates=[f"ON A{n}"]) for n in range(4)), read("r1"), cited("C-1"))
    models.catch_up()
    found = patrolled(dsn, size=size)
    counted = {model.name: model.proof.round_keys for model in found.models if model.proof}
    assert found.drifted == ()
    assert counted == {
        "validity": 4, "watchlist": 0, "near_plates": 4, "permits": 4, "citations": 1, "appeals": 1,
        "sightings": 1, "zones": 1,
    }  # fmt: skip


def test_it_goes_on_where_it_was_and_stops_when_it_is_told_to(models: Models, log: Log, dsn: str) -> None:
    told(log, *(bought(f"T-{number}") for number in range(20)))
    models.catch_up()
    patrol = Patrol(dsn, (VALIDITY,), size=1, share=0.05, pause=0.01)
    thread = Thread(target=patrol.run)
    thread.start()

    def keys() -> int:
        with psycopg.connect(dsn) as connection:
            row = connection.execute("SELECT coalesce(max(keys), 0) FROM views.proofs").fetchone()
        return row[0] if row else 0

    until(lambda: keys() >= 3)
    patrol.stop()
    thread.join(10)
    assert not thread.is_alive()
    found = patrolled(dsn, VALIDITY)
    assert [model.proof.round_keys for model in found.models if model.proof] == [20]


def test_what_is_known_beyond_the_models_position_is_no_drift(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"), bought("T-2"))
    told(log, revoked("T-1", 30), bought("T-3"))
    models.catch_up()
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE views.progress SET position = 2 WHERE name = 'validity'")
    assert patrolled(dsn, VALIDITY).drifted == ()
