"""The schema is made once, whoever starts first, and a newer one is left alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from event_store import migrations
from event_store.log import LogUnavailable
from event_store.migrations import (
    Migration,
    NewerSchema,
    OpenPlates,
    VaultMissing,
    known_migrations,
    migrate,
    simulate,
)
from event_store.postgres import PostgresLog
from tests.contracts.facts import append, read


def test_several_processes_may_migrate_at_once(empty_dsn: str) -> None:
    with ThreadPoolExecutor(8) as starting:
        versions = list(starting.map(migrate, [empty_dsn] * 8))
    assert set(versions) == {known_migrations()[-1].number}
    with psycopg.connect(empty_dsn) as connection:
        applied = connection.execute("select number from log.migrations order by number").fetchall()
    assert [number for (number,) in applied] == [step.number for step in known_migrations()]


def test_migrating_again_changes_nothing(log: PostgresLog, dsn: str) -> None:
    append(log, read())
    migrate(dsn)
    assert log.head() == 1


def test_a_newer_schema_is_left_alone(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("insert into log.migrations (number, name) values (999, 'from the future')")
    with pytest.raises(NewerSchema, match="999"):
        migrate(dsn)
    log = PostgresLog(dsn, patience=0.1)
    with pytest.raises(LogUnavailable, match="upgrade this one"):
        log.head()
    with pytest.raises(LogUnavailable, match="upgrade this one"):
        append(log, read())
    log.close()


def test_a_log_restored_without_the_secret_of_its_tags_is_refused(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("drop schema vault cascade")
    with pytest.raises(VaultMissing, match="Restore it"):
        migrate(dsn)


def test_a_log_that_names_plates_openly_is_not_carried_on(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known_migrations()[:5]
    monkeypatch.setattr(migrations, "known_migrations", lambda: before)
    migrate(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("set local parkledger.appending = 'on'")
        connection.execute("insert into log.tags values (1, 'plate:ON B1', 'PermitPurchased')")
    monkeypatch.undo()
    with pytest.raises(OpenPlates, match="Go on with that release"):
        migrate(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        assert connection.execute("select max(number) from log.migrations").fetchone() == (5,)


def test_a_database_without_a_log_is_said_to_be_one(empty_dsn: str) -> None:
    log = PostgresLog(empty_dsn, patience=0.1)
    with pytest.raises(LogUnavailable, match="run its migration"):
        log.head()
    log.close()


def test_a_step_that_fails_leaves_nothing_behind(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Migration(1, "broken", "create table log.half (a int); select 1 / 0")
    monkeypatch.setattr(migrations, "known_migrations", lambda: (broken,))
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_dsn)
    monkeypatch.undo()
    migrate(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        assert connection.execute("select to_regclass('log.half')").fetchone() == (None,)


def test_a_simulated_log_records_the_time_that_it_is_told(dsn: str) -> None:
    simulate(dsn)
    log = PostgresLog(dsn)
    noon = datetime(2026, 3, 5, 12, tzinfo=UTC)
    for instant in (noon, noon + timedelta(hours=1), noon + timedelta(minutes=30)):
        log.set_now(instant)
        append(log, read(str(instant)))
    told = [entry.recorded for entry in log.read().entries]
    assert told == [noon, noon + timedelta(hours=1), noon + timedelta(hours=1)]
    assert log.position_at(noon) == 1
    log.close()


def test_a_simulated_log_that_was_told_no_time_says_so(dsn: str) -> None:
    simulate(dsn)
    log = PostgresLog(dsn)
    with pytest.raises(LogUnavailable, match="simulated time"):
        append(log, read())
    log.close()


def test_a_log_with_events_keeps_its_clock(log: PostgresLog, dsn: str) -> None:
    append(log, read())
    with pytest.raises(ValueError, match="clock"):
        simulate(dsn)


def test_a_user_who_may_not_create_roles_is_told_which_are_missing(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as owner:
        owner.execute("drop role if exists parkledger_guest")
        owner.execute("create role parkledger_guest login")
        owner.execute("grant all on database " + owner.info.dbname + " to parkledger_guest")  # type: ignore[operator]
    guest = psycopg.conninfo.make_conninfo(empty_dsn, user="parkledger_guest")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "ROLES", ("parkledger_absent",))
        with pytest.raises(migrations.RoleMissing, match="create role parkledger_absent"):
            migrate(guest)
