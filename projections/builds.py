"""Builds beside the live one: made bare, filled, given their indexes, switched to, retired and dropped."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import Connection

from projections.changes import Changes
from projections.projection import Projection, label
from projections.writing import copy_rows

PIECE = 50_000
"""Rows that are handed to COPY at a time, so that whoever looks on sees it move."""

_STAGES = "SELECT build, stage, live, position FROM views.progress WHERE name = %s AND version = %s"
_FILLED = (
    "UPDATE views.progress SET position = %s, recorded = %s, changed = %s"
    " WHERE (name, version, build) = (%s, %s, %s) AND stage = 'building' AND position = 0"
)
_PARKED = (
    "INSERT INTO views.parked (name, version, build, key, position, type, error, waiting)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
_GONE = "DELETE FROM views.{} WHERE (name, version, build) = (%s, %s, %s)"
_STAGE = "UPDATE views.progress SET stage = %s WHERE (name, version, build) = (%s, %s, %s)"
_SWITCH = "SELECT views.switch(%s, %s, %s)"
_DIGEST = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM views.{} t"


class Build(NamedTuple):
    """One build of a projection's version: its number, its stage, whether it is live, and its position."""

    number: int
    stage: str
    live: bool
    position: int


def builds_of(connection: Connection[Any], projection: Projection) -> list[Build]:
    """Return the builds of a projection's version, the oldest first."""
    statement = f"{_STAGES} ORDER BY build"
    rows = connection.execute(statement.encode(), [projection.name, projection.version])
    return [Build(*row) for row in rows.fetchall()]


def live_build(connection: Connection[Any], name: str) -> tuple[int, int, int] | None:
    """Return version, build and position of the build that readers are answered from."""
    row = connection.execute(
        "SELECT version, build, position FROM views.progress WHERE name = %s AND live", [name]
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def begin(connection: Connection[Any], projection: Projection) -> Projection:
    """Make a bare table for the next build of a projection, which nobody reads and no runner touches."""
    numbers = [build.number for build in builds_of(connection, projection)]
    new = replace(projection, build=max(numbers, default=0) + 1)
    with connection.transaction():
        connection.execute(new.table.bare(new.table_name).encode(), prepare=False)
        connection.execute(
            "INSERT INTO views.progress (name, version, build, stage, live) VALUES (%s, %s, %s, %s, false)",
            [*new.identity, "building"],
        )
    return new


def fill(
    connection: Connection[Any], build: Projection, changes: Changes, upto: int, recorded: datetime | None
) -> None:
    """Write the whole table of a build and its position, or nothing.

    Raises:
        RuntimeError: if the build is not bare any more.

    """
    with connection.transaction():
        for start in range(0, len(changes.opened), PIECE):
            copy_rows(connection, build, changes.opened[start : start + PIECE])
        for parked in changes.parked:
            waiting = changes.waiting.get(parked.key, 0)
            told = [parked.key, parked.position, parked.wire_name, parked.error, waiting]
            connection.execute(_PARKED, [*build.identity, *told])
        moved = connection.execute(_FILLED, [upto, recorded, _last_change(changes, upto), *build.identity])
        if moved.rowcount != 1:
            raise RuntimeError(f"somebody else filled {build.label}")


def _last_change(changes: Changes, upto: int) -> int:
    """Return the last position by which a row of a whole table opened or closed."""
    positions = (position for row in changes.opened for position in row[1:4:2] if isinstance(position, int))
    return max((position for position in positions if position <= upto), default=0)


def is_indexed(connection: Connection[Any], build: Projection) -> bool:
    """Tell whether the table of a build has its indexes already."""
    row = connection.execute(
        "SELECT relhasindex FROM pg_class WHERE oid = %s::regclass", [f"views.{build.table_name}"]
    ).fetchone()
    return row is not None and bool(row[0])


def index(connection: Connection[Any], build: Projection) -> None:
    """Give a filled table its indexes, in one transaction, and let the planner know it."""
    if not is_indexed(connection, build):
        with connection.transaction():
            connection.execute("SET LOCAL maintenance_work_mem TO '256MB'")
            connection.execute(build.table.indexes_of(build.table_name).encode(), prepare=False)
    connection.execute(f"ANALYZE views.{build.table_name}".encode())


def set_stage(connection: Connection[Any], build: Projection, stage: str) -> None:
    """Move a build to another stage of its life."""
    connection.execute(_STAGE, [stage, *build.identity])


def switch(connection: Connection[Any], build: Projection) -> None:
    """Let readers be answered from this build, in one statement.

    Raises:
        psycopg.errors.SerializationFailure: if the build is behind the live one; catch up and try again.

    """
    connection.execute(_SWITCH, build.identity)


def drop(connection: Connection[Any], build: Projection) -> None:
    """Remove a build that readers are not answered from, and all that is known of it."""
    with connection.transaction():
        row = connection.execute(
            "SELECT live FROM views.progress WHERE (name, version, build) = (%s, %s, %s) FOR UPDATE",
            build.identity,
        ).fetchone()
        if row is not None and row[0]:
            raise RuntimeError(f"{build.label} is live; switch to another build before it is dropped")
        connection.execute(f"DROP TABLE IF EXISTS views.{build.table_name}".encode())
        for table in ("parked", "rebuilds", "progress"):
            connection.execute(_GONE.format(table).encode(), build.identity)


def digest(connection: Connection[Any], build: Projection) -> tuple[int, str]:
    """Return the number of a build's rows, and a digest of them that does not depend on their order."""
    row = connection.execute(_DIGEST.format(build.table_name).encode()).fetchone()
    return (row[0], row[1]) if row else (0, "")


def labels(builds: Sequence[Projection]) -> str:
    """Return what builds are called, for a sentence."""
    return ", ".join(label(*build.identity) for build in builds)
