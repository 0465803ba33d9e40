"""The database itself keeps the log: nobody changes it, nobody walks round its door."""

import psycopg
import pytest

from event_store.migrations import ROLES
from event_store.postgres import PostgresLog
from tests.contracts.facts import append, read

CHANGES = [
    "update log.events set actor = 'somebody else'",
    "update log.events set position = 2 where position = 1",
    "delete from log.events",
    "delete from log.events where position = 99",
    "truncate log.events",
    "update log.tags set tag = 'zone:G'",
    "delete from log.tags",
    "truncate log.tags",
]
INTO_EVENTS = """
    insert into log.events (
        position, at, recorded, command_id, version, step, type, tags, payload, actor, channel, digest)
    select {position}, at, recorded, gen_random_uuid(), version, step, type, tags, payload, actor, channel,
        digest from log.events
"""
INSERTS = [
    INTO_EVENTS.format(position=2),
    "insert into log.tags (tag, type, position) values ('zone:F', 'PlateRead', 1)",
    "copy log.tags (tag, type, position) from program 'true'",
]
APPEND = """
    select log.append(
        -1, array[gen_random_uuid()], '{}', '{}', '{}', '{}', '{1}', '{1}', '{PlateRead}', '{1}',
        array[now()], '{zone:F}', array['{}'::jsonb], '{a}', '{a}', '{a}', '{null}', '{null}', '{a}')
"""


@pytest.fixture(autouse=True)
def _one_event(log: PostgresLog) -> None:
    append(log, read())


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_is_possible_even_for_the_owner(dsn: str, change: str) -> None:
    with (
        psycopg.connect(dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="The log is immutable"),
    ):
        connection.execute(change.encode())


@pytest.mark.parametrize("insert", INSERTS)
def test_no_direct_insert_is_possible_even_for_the_owner(dsn: str, insert: str) -> None:
    with (
        psycopg.connect(dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="only, in order"),
    ):
        connection.execute(insert.encode())


def test_the_door_is_shut_behind_every_append(log: PostgresLog, dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(APPEND.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(INSERTS[1].encode())
    assert log.head() == 1


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("change", CHANGES)
def test_the_roles_of_the_application_have_no_right_to_change(dsn: str, role: str, change: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change.encode())


@pytest.mark.parametrize("insert", INSERTS[:2])
def test_the_application_itself_may_not_insert(dsn: str, insert: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("set role parkledger_app")
        connection.execute("set parkledger.appending = 'on'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute(insert.encode())


@pytest.mark.parametrize(
    "forbidden",
    [
        "select log.open_bulk()",
        "select log.close_bulk(1, 0)",
        "create function log.clock() returns timestamptz language sql as 'select now()'",
        "alter table log.events disable trigger all",
        "drop table log.tags",
        "insert into log.migrations (number, name) values (99, 'x')",
    ],
)
def test_the_application_may_read_and_append_and_nothing_else(dsn: str, forbidden: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("set role parkledger_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(forbidden.encode())


def test_a_bulk_append_that_leaves_a_gap_is_refused(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("set role parkledger_import")
        connection.execute("select log.open_bulk()")
        connection.execute(INTO_EVENTS.format(position=3).encode())
        with pytest.raises(psycopg.errors.RaiseException, match="without a gap"):
            connection.execute("select log.close_bulk(1, 1)")
