"""Writing what a batch changed: rows, positions and the notice, in one transaction.

A small batch is one statement and so one round trip; a large one streams its new rows through COPY first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from projections.changes import Changes
from projections.projection import Projection
from projections.table import ENGINE_COLUMNS

COPY_FROM = 40
"""From this many new rows on, COPY costs less than JSON (measured: 0.9 against 1.8 microseconds a row)."""

_COMMIT = "SELECT views.commit_batch(%s, %s, %s, %s::json)"


@dataclass(frozen=True, slots=True)
class Move:
    """From which position to which the models travel, and when the event at the new one was recorded."""

    old: int
    new: int
    recorded: datetime


def commit(
    connection: Connection[Any], move: Move, changes: Mapping[str, tuple[Projection, Changes]]
) -> None:
    """Write the changes of each model and move them all, or do nothing.

    The connection is in autocommit mode.

    Raises:
        psycopg.errors.SerializationFailure: if somebody else moved one of the models.

    """
    large = [
        (projection, change) for projection, change in changes.values() if len(change.opened) >= COPY_FROM
    ]
    payload = msgspec.json.encode(
        [as_json(p, c, copied=len(c.opened) >= COPY_FROM) for p, c in changes.values()]
    ).decode()
    parameters = [move.old, move.new, move.recorded, payload]
    if not large:
        connection.execute(_COMMIT, parameters)
        return
    with connection.transaction():
        for projection, change in large:
            copy_rows(connection, projection, change.opened)
        connection.execute(_COMMIT, parameters)


def copy_rows(connection: Connection[Any], projection: Projection, rows: Sequence[Sequence[Any]]) -> None:
    """Stream whole rows into a projection's table."""
    statement = f"COPY views.{projection.table_name} FROM STDIN (FORMAT binary)"
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(projection.table.types)
        write = copy.write_row
        if any(kind.endswith("[]") for kind in projection.table.types):
            for row in rows:
                write([list(value) if type(value) is tuple else value for value in row])
        else:
            for row in rows:
                write(row)


def as_json(projection: Projection, changes: Changes, *, copied: bool) -> dict[str, Any]:
    """Return changes as the database takes them, without the new rows where those were copied."""
    columns = [*ENGINE_COLUMNS, *projection.table.columns]
    return {
        "name": projection.name,
        "version": projection.version,
        "build": projection.build,
        "changed": bool(changes.opened or changes.closed),
        "opened": [] if copied else [dict(zip(columns, row, strict=True)) for row in changes.opened],
        "closed": [
            {"key": key, "known_from": known_from, "part": part, "known_until": known_until}
            for key, known_from, part, known_until in changes.closed
        ],
        "parked": changes.parked,
        "waiting": changes.waiting,
    }
