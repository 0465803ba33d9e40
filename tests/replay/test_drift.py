"""Drift is looked for on demand: a sample or all keys, with an exit status that a script can rely on."""

import json

import psycopg

from event_store.log import Log
from projections.registry import PROJECTIONS
from replay.drift import look_for_drift
from tests.projections.conftest import Models
from tests.projections.facts import bought, cited, opened, read, revoked, told
from tests.projections.test_parking import POISON, with_a_fault
from tests.replay.test_rebuild import parkledger


def test_all_keys_or_a_sample_of_them_are_folded_again(models: Models, log: Log, dsn: str) -> None:
    told(log, opened(), *(bought(f"T-{n}", plates=[f"ON A{n}"]) for n in range(30)), read("r1"), cited("C-1"))
    models.catch_up()
    whole = {proved.build.name: proved.keys for proved in look_for_drift(dsn, PROJECTIONS)}
    assert (whole["validity"], whole["near_plates"], whole["sightings"]) == (30, 30, 1)
    some = {proved.build.name: proved.keys for proved in look_for_drift(dsn, PROJECTIONS, sample=10)}
    assert (some["validity"], some["zones"], some["watchlist"]) == (10, 1, 0)


def test_the_command_names_row_and_event(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"), revoked("T-1", 30))
    models.catch_up()
    assert parkledger(dsn, "drift", "--all").returncode == 0
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE views.validity_1 SET ended_by = 'expiry' WHERE ended_by = 'revocation'")
    done = parkledger(dsn, "drift", "validity")
    assert done.returncode == 1
    assert "permit:T-1: the row known since 2 differs; see PermitRevoked at 2" in done.stdout
    lines = [json.loads(line) for line in parkledger(dsn, "drift", "--all", "--json").stdout.splitlines()]
    assert sum(line.get("drifted", 0) for line in lines if "model" in line) == 1


def test_parked_keys_are_retried_from_the_command_line(models: Models, log: Log, dsn: str) -> None:
    told(log, bought(POISON), revoked(POISON, 30))
    models.catch_up(models=(with_a_fault(),))
    done = parkledger(dsn, "retry", "validity")
    assert (done.returncode, done.stdout) == (0, f"1 will be tried again: permit:{POISON}\n")
    models.catch_up()
    assert parkledger(dsn, "retry", "validity", "permit:T-9").returncode == 1
    assert parkledger(dsn, "drift", "--all").returncode == 0
