"""The log's schema: numbered SQL files, applied once each, whoever starts first.

Several processes may migrate at once: the first takes a lock, the others wait and find nothing left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import psycopg
from psycopg import Connection, sql

ROLES = ("parkledger_app", "parkledger_import")
"""Who appends commands, and who brings history in. Neither can change what stands in the log."""

_LOCK = 0x7061726B6D6967
_HASHED_FROM = 6
"""The step that made the secret that plates in tags are hashed with; what stands in the log cannot follow."""
_PLATES = "select 1 from log.tags where tag >= 'plate:' and tag < 'plate;' limit 1"
_SIMULATED = """
create or replace function log.clock() returns timestamptz language plpgsql volatile as $$
begin
    return current_setting('parkledger.now')::timestamptz;
exception when undefined_object or invalid_datetime_format then
    raise exception 'This log keeps simulated time: set parkledger.now before appending.';
end $$
"""


_REAL = """
create or replace function log.clock() returns timestamptz language sql volatile as 'select clock_timestamp()'
"""


class NewerSchema(RuntimeError):
    """A newer ParkLedger migrated this database; upgrade this one, or connect it to another database."""


class NotMigrated(RuntimeError):
    """The database lacks tables that this ParkLedger needs; run its migration first (`serve` does)."""


class OpenPlates(RuntimeError):
    """This log was begun by a release that kept plates in its tags as they are; this one looks for hashes.

    Go on with that release, or begin a new database and bring the history in.
    """


class VaultMissing(RuntimeError):
    """The schema `vault` is missing, and without it no plate is found. Restore it; keys may be left out."""


class RoleMissing(PermissionError):
    """The user of the connection may not create the roles of the log; an administrator has to."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; `number` is its place in the order, and is never given to another."""

    number: int
    name: str
    script: str


@cache
def known_migrations() -> Sequence[Migration]:
    """Return the steps that this version of the program knows, in order."""
    found = sorted(f.name for f in files("event_store.sql").iterdir() if f.name.endswith(".sql"))
    return tuple(
        Migration(int(name[:3]), name[4:-4], files("event_store.sql").joinpath(name).read_text())
        for name in found
    )


def migrate(dsn: str) -> int:
    """Bring the log's schema up to date, and return its version.

    Raises:
        NewerSchema: if the database is ahead of this program.
        OpenPlates: if the log names plates that this program looks for as hashes.
        RoleMissing: if a role is missing and may not be created.
        VaultMissing: if the log was restored without the secret that plates in tags are hashed with.

    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        _create_roles(connection)
        connection.execute("create schema if not exists log")
        connection.execute(
            "create table if not exists log.migrations ("
            "number integer primary key, name text not null, applied timestamptz not null default now())"
        )
        version = _version(connection)
        if version >= _HASHED_FROM and not _has_vault(connection):
            raise VaultMissing(VaultMissing.__doc__)
        for step in known_migrations():
            if step.number > version:
                _apply(connection, step)
        return _version(connection)


def check(connection: Connection[object]) -> None:
    """Refuse a database whose log is not the one that this program knows.

    Raises:
        NewerSchema: if the database is ahead of this program.
        NotMigrated: if it is behind.

    """
    row = connection.execute("select to_regclass('log.migrations') is not null").fetchone()
    if row != (True,) or _version(connection) < known_migrations()[-1].number:
        raise NotMigrated(NotMigrated.__doc__)


def simulate(dsn: str) -> None:
    """Let an empty log keep simulated time: `recorded` comes from the session's setting `parkledger.now`.

    Raises:
        ValueError: if the log holds events; their clock was the real one.

    """
    with psycopg.connect(dsn) as connection:
        connection.execute("select pg_advisory_xact_lock(log.writer_lock())")
        if connection.execute("select 1 from log.events limit 1").fetchone():
            raise ValueError("a log that holds events cannot change its clock")
        connection.execute(_SIMULATED)


def end_simulation(dsn: str) -> None:
    """Let a log that kept simulated time keep the real one from now on; `recorded` still never decreases."""
    with psycopg.connect(dsn) as connection:
        connection.execute("select pg_advisory_xact_lock(log.writer_lock())")
        connection.execute(_REAL)


def _has_vault(connection: Connection[object]) -> bool:
    return connection.execute("select to_regclass('vault.secret')").fetchone() != (None,)


def _version(connection: Connection[object]) -> int:
    row = connection.execute("select coalesce(max(number), 0) from log.migrations").fetchone()
    version: int = row[0]  # type: ignore[index]
    newest = known_migrations()[-1].number
    if version > newest:
        raise NewerSchema(f"{NewerSchema.__doc__} (It has version {version}, this program knows {newest}.)")
    return version


def _apply(connection: Connection[object], step: Migration) -> None:
    with connection.transaction():
        if step.number == _HASHED_FROM and connection.execute(_PLATES).fetchone():
            raise OpenPlates(" ".join(str(OpenPlates.__doc__).split()))
        connection.execute(step.script.encode())
        connection.execute(
            "insert into log.migrations (number, name) values (%s, %s)", [step.number, step.name]
        )


def _create_roles(connection: Connection[object]) -> None:
    """Create what is missing; roles belong to the whole cluster, where others may be doing the same."""
    for role in ROLES:
        name = sql.Identifier(role)
        known = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
        try:
            if not known:
                connection.execute(sql.SQL("create role {} nologin").format(name))
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass  # another database of the cluster was migrated at the same moment
        except psycopg.errors.InsufficientPrivilege:
            raise RoleMissing(f"{RoleMissing.__doc__} (create role {role} nologin)") from None
        row = connection.execute("select pg_has_role(%s, 'set')", [role]).fetchone()
        if row != (True,):
            connection.execute(sql.SQL("grant {} to current_user").format(name))
