"""The tables of the read models, created by whoever starts first; starting again changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import Connection

from projections.projection import Projection
from projections.table import ENGINE_COLUMNS

_LOCK = 0x7061726B76696577
"""The advisory lock under which tables are created: concurrent `CREATE … IF NOT EXISTS` may collide."""


def ensure(dsn: str, projections: Sequence[Projection] | None = None) -> None:
    """Create what is missing of the schema `views` and of the tables of these projections (of all of them).

    A projection's first version is live at once. A later version begins as a table of its own beside the
    live one, at position 0, and is not read until it is switched in. Where a version was rebuilt, the builds
    that the log is followed into are looked after, and no other is made.
    """
    if projections is None:
        from projections.registry import PROJECTIONS  # noqa: PLC0415 - the registry names this module's users

        projections = PROJECTIONS
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute(_sql("views"), prepare=False)
        connection.execute(_sql("shares"), prepare=False)
        for projection in projections:
            for build in following(connection, projection) or [projection]:
                create(connection, build)


def following(connection: Connection[Any], projection: Projection) -> list[Projection]:
    """Return the builds of a projection's version that follow the log, the live one first."""
    rows = connection.execute(
        "SELECT build FROM views.progress WHERE name = %s AND version = %s AND stage = 'following'"
        " ORDER BY live DESC, build DESC",
        [projection.name, projection.version],
    )
    return [replace(projection, build=row[0]) for row in rows.fetchall()]


class OtherTable(RuntimeError):
    """A read model's table has other columns than this program gives it: raise the version of the model."""


def create(connection: Connection[Any], projection: Projection) -> None:
    """Create a projection's table, its place in `views.progress`, and the view that readers ask.

    Raises:
        OtherTable: if there is a table of that version with other columns.

    """
    for name, statement in projection.table.parts(projection.table_name).items():
        if not _exists(connection, name):  # `IF NOT EXISTS` would wait for who writes, who may wait for us
            connection.execute(statement.encode(), prepare=False)
    _check(connection, projection)
    connection.execute(
        "INSERT INTO views.progress (name, version, build, live)"
        " SELECT %(name)s, %(version)s, %(build)s, NOT EXISTS ("
        "   SELECT FROM views.progress WHERE name = %(name)s AND live)"
        " WHERE NOT EXISTS (SELECT FROM views.progress"
        "   WHERE (name, version, build) = (%(name)s, %(version)s, %(build)s))"
        " ON CONFLICT (name, version, build) DO NOTHING",
        {"name": projection.name, "version": projection.version, "build": projection.build},
    )
    if not _exists(connection, projection.name):
        statement = f"CREATE VIEW views.{projection.name} AS SELECT * FROM views.{projection.table_name}"
        connection.execute(statement.encode())


def _exists(connection: Connection[Any], name: str) -> bool:
    return connection.execute("SELECT to_regclass(%s)", [f"views.{name}"]).fetchone() != (None,)


def _check(connection: Connection[Any], projection: Projection) -> None:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        [f"views.{projection.table_name}"],
    )
    if [row[0] for row in rows] != [*ENGINE_COLUMNS, *projection.table.columns]:
        raise OtherTable(f"{OtherTable.__doc__} ({projection.label})")


def _sql(name: str) -> bytes:
    return files("projections.sql").joinpath(f"{name}.sql").read_bytes()
