"""Parked keys: which they are, and trying them again, in order, from the log.

A key is parked at the event that it could not take; what follows for that key waits, everything else goes
on. Trying again folds the key and those that are drawn with it anew from the log, so nothing that waited
can be skipped or taken twice.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import Connection

from projections.changes import Parked
from projections.fold import Fold
from projections.history import Stored
from projections.projection import Projection
from projections.refold import Refolded, refold
from projections.writing import copy_rows

_REQUEST = (
    "UPDATE views.parked SET retry = true WHERE name = %s AND (%s::text IS NULL OR key = %s)"
    " RETURNING position, key"
)


def parked_keys(connection: Connection[Any], projection: Projection) -> dict[str, int]:
    """Return the parked keys of a projection, each with the position that it stands still at."""
    rows = connection.execute(
        "SELECT key, position FROM views.parked WHERE (name, version, build) = (%s, %s, %s)",
        projection.identity,
    )
    return dict(rows.fetchall())


def request_retry(connection: Connection[Any], name: str, key: str | None = None) -> list[str]:
    """Ask whoever runs the projection to try a parked key (all of them where none is named) again.

    Returns the keys that will be tried; none where none is parked under that name.
    """
    with connection.transaction():
        rows = connection.execute(_REQUEST, [name, key, key]).fetchall()
        connection.execute("SELECT pg_notify('parkledger_log', '')")
    return [row[1] for row in sorted(rows)]


def requested(connection: Connection[Any]) -> list[tuple[str, int, int, str]]:
    """Return `(name, version, build, key)` of the parked keys that are to be tried again, in order."""
    rows = connection.execute(
        "SELECT name, version, build, key FROM views.parked WHERE retry ORDER BY position, key"
    )
    return list(rows.fetchall())


def retry(connection: Connection[Any], projection: Projection, fold: Fold, position: int, key: str) -> bool:
    """Fold a parked key again from the log up to `position`; tell whether it is parked no longer.

    Only for whoever runs the projection, between two batches. The rows of the key and of those that are
    drawn with it are replaced by what the log leads to; its earlier rows come out the same.
    """
    again = refold(projection, Stored(connection, projection, position), {key})
    still = {parked.key: parked for parked in again.changes.parked}
    freed = [one for one in {key, *again.keys} if one in fold.parked and one not in still]
    with connection.transaction():
        _replace(connection, projection, position, again)
        _note(connection, projection, freed, still, again.changes.waiting)
    fold.parked = parked_keys(connection, projection)
    fold.forget()
    return key not in still


def _replace(connection: Connection[Any], projection: Projection, position: int, again: Refolded) -> None:
    held = connection.execute(
        "SELECT FROM views.progress WHERE (name, version, build) = (%s, %s, %s) AND position = %s FOR UPDATE",
        [*projection.identity, position],
    )
    if held.rowcount != 1:
        raise psycopg.errors.SerializationFailure(
            f"{projection.label} is not at position {position} any more"
        )
    statement = f"DELETE FROM views.{projection.table_name} WHERE key = ANY(%s)"
    connection.execute(statement.encode(), [list(again.keys)])
    copy_rows(connection, projection, again.changes.opened)
    connection.execute(
        "UPDATE views.progress SET changed = position WHERE (name, version, build) = (%s, %s, %s)",
        projection.identity,
    )


def _note(
    connection: Connection[Any],
    projection: Projection,
    freed: list[str],
    still: Mapping[str, Parked],
    waiting: Mapping[str, int],
) -> None:
    connection.execute(
        "DELETE FROM views.parked WHERE (name, version, build) = (%s, %s, %s) AND key = ANY(%s)",
        [*projection.identity, freed],
    )
    for parked in still.values():
        connection.execute(
            "INSERT INTO views.parked (name, version, build, key, position, type, error, waiting)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name, version, build, key) DO UPDATE"
            " SET position = excluded.position, type = excluded.type, error = excluded.error,"
            " waiting = excluded.waiting, attempts = parked.attempts + 1, retry = false",
            [
                *projection.identity,
                parked.key,
                parked.position,
                parked.wire_name,
                parked.error,
                waiting.get(parked.key, 0),
            ],
        )
