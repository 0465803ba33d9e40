"""Folding keys again from the log: to bring a parked key back, and to prove that a table did not drift."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from event_store.codec import Codec
from projections.cells import Cells
from projections.changes import Changes
from projections.fold import Fold, Nowhere, Source, closure
from projections.history import Stored, as_written
from projections.projection import Projection
from projections.table import OPEN, Row


@dataclass(frozen=True, slots=True)
class Refolded:
    """Keys that belong together, and all rows that they should have, whole and in order."""

    keys: Sequence[str]
    changes: Changes


@dataclass(frozen=True, slots=True)
class Drift:
    """A row that the log does not lead to (`extra`), or that it leads to and the table lacks."""

    key: str
    extra: bool
    row: Row


def refold(projection: Projection, source: Source, keys: set[str]) -> Refolded:
    """Fold keys, and those that are drawn together with them, again from the beginning."""
    cells = Cells(projection)
    asked, entries = closure(cells, source, keys | set(cells.common_keys))
    changes = Fold(projection, complete=True).apply(entries, Nowhere())
    rooted = sorted(key for key in asked if key.startswith(cells.roots))
    return Refolded(rooted, changes)


def drift(
    connection: Connection[Any],
    projection: Projection,
    position: int,
    keys: set[str],
    codec: Codec | None = None,
) -> list[Drift]:
    """Compare the rows of keys, as known at the projection's position, with those the log leads to there.

    Where several share its keys, some may be further already.
    Parked keys differ by what waits; leave them out.
    """
    again = refold(projection, Stored(connection, projection, position, codec=codec), keys)
    wanted = {row for row in again.changes.opened if row[0] in keys}
    rows = standing_rows(connection, projection, sorted(keys))
    found = {known for row in rows if (known := as_known(row, position)) is not None}
    return [Drift(str(row[0]), extra=True, row=row) for row in sorted(found - wanted, key=repr)] + [
        Drift(str(row[0]), extra=False, row=row) for row in sorted(wanted - found, key=repr)
    ]


def standing_rows(
    connection: Connection[Any], projection: Projection, keys: Sequence[str] | None = None
) -> list[Row]:
    """Return the rows of keys (of all where none are given) as they stand in the table, whole."""
    statement = f"SELECT * FROM views.{projection.table_name} WHERE %s::text[] IS NULL OR key = ANY(%s)"
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(statement.encode(), [keys, keys]).fetchall()
    return sorted((as_written(row) for row in found), key=lambda row: row[:3])


def as_known(row: Row, position: int) -> Row | None:
    """Return a whole row as it was known at a position, `None` where it was not yet."""
    _, known_from, _, known_until, *_ = row
    if int(str(known_from)) > position:
        return None
    return row if int(str(known_until)) <= position else (*row[:3], OPEN, *row[4:])


def is_open(row: Row) -> bool:
    """Tell whether nothing has superseded a whole row."""
    return row[3] == OPEN
