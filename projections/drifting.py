"""Rows that differ from what the log leads to: looked for key by key, and named with the event to look at.

Everything is read in one snapshot, so a model may move on meanwhile. What is compared are whole rows, those
that nothing stands behind any more included: a model may be right today and wrong about last year.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from psycopg import Connection

from event_store.codec import Codec
from projections.parking import parked_keys
from projections.projection import Projection
from projections.refold import Drift, drift
from projections.schema import following
from projections.shares import by_position
from projections.table import ENGINE_COLUMNS, Row

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_POSITION = "SELECT position FROM views.progress WHERE (name, version, build) = (%s, %s, %s)"
_ENDED = "SELECT payload ->> 'bucket', position FROM log.events WHERE type = 'RetentionKeyDestroyed'"
_EVENT = "SELECT position, type FROM log.events WHERE position = ANY(%s)"
_OF_TABLE = (
    "SELECT key FROM (SELECT DISTINCT key FROM views.{} WHERE key > %s ORDER BY key LIMIT %s) k ORDER BY key"
)
_OF_LOG = """
    WITH RECURSIVE k AS (
        (SELECT tag, 1 AS n FROM log.tags WHERE tag > %(after)s AND tag < %(end)s ORDER BY tag LIMIT 1)
        UNION ALL
        SELECT (SELECT t.tag FROM log.tags t
            WHERE t.tag > k.tag AND t.tag < %(end)s ORDER BY t.tag LIMIT 1), n + 1
        FROM k WHERE k.tag IS NOT NULL AND n < %(size)s
    )
    SELECT tag FROM k WHERE tag IS NOT NULL
"""
_SOME_OF_LOG = """
    SELECT DISTINCT t.tag FROM unnest(%(positions)s::int8[]) p (position)
    JOIN log.events e ON e.position = p.position, unnest(e.tags) t (tag)
    WHERE split_part(t.tag, ':', 1) = ANY(%(kinds)s)
"""


@dataclass(frozen=True, slots=True)
class Drifted:
    """A row that differs; `position` and `type` are of the event by which it came to.

    `live` is the row as it stands, `wanted` as the log leads to it; `None` where there is or should be none.
    """

    name: str
    version: int
    build: int
    key: str
    known_from: int
    part: int
    live: dict[str, Any] | None
    wanted: dict[str, Any] | None
    position: int
    type: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """Keys that were folded again, at which position, and what was found."""

    keys: int
    position: int
    drifted: Sequence[Drifted]


def check(
    connection: Connection[Any], build: Projection, keys: Sequence[str], codec: Codec | None = None
) -> Checked:
    """Fold keys of a build again from the log and compare; parked keys, which wait, are left out.

    What the log says ended is redacted here as well, though its key be there yet; where a build has not come
    to such an end, nothing is compared: either side would show what is to be read no longer.
    """
    codec = codec or Codec.over(connection)
    connection.execute(_SNAPSHOT)
    try:
        row = connection.execute(_POSITION, build.identity).fetchone()
        position = row[0] if row else 0
        wanted = set(keys) - parked_keys(connection, build).keys()
        found: list[Drift] = []
        for bucket, ended_at in connection.execute(_ENDED).fetchall():
            if ended_at > position:
                return Checked(len(wanted), position, ())
            codec.forget(bucket)
        for stands_at, some in by_position(connection, build, position, wanted, codec).items():
            found += drift(connection, build, stands_at, some, codec)
        return Checked(len(wanted), position, _paired(connection, build, found))
    finally:
        connection.execute("ROLLBACK")


def live(connection: Connection[Any], projections: Iterable[Projection]) -> list[Projection]:
    """Return the builds that follow the log, of each model the live one first."""
    return [build for projection in projections for build in following(connection, projection)]


def keys_of_table(connection: Connection[Any], build: Projection, after: str, size: int) -> list[str]:
    """Return the next keys that have rows."""
    rows = connection.execute(_OF_TABLE.format(build.table_name).encode(), [after, size])
    return [row[0] for row in rows.fetchall()]


def keys_of_log(
    connection: Connection[Any], kind: str, after: str, size: int, codec: Codec | None = None
) -> list[str]:
    """Return the next keys of a kind that events carry, whether they have rows or not.

    None where the log keeps tags of that kind as keyed hashes: what they hash is not to be found there.
    """
    if not _told_plainly(connection, kind, codec):
        return []
    asked = {"after": max(after, f"{kind}:"), "end": f"{kind};", "size": size}
    return [row[0] for row in connection.execute(_OF_LOG, asked).fetchall()]


def without_rows(connection: Connection[Any], build: Projection, keys: Sequence[str]) -> list[str]:
    """Return those of the keys that have no row, though events tell of them that the model handles."""
    statement = (
        "SELECT k FROM unnest(%s::text[]) k"
        f" WHERE NOT EXISTS (SELECT FROM views.{build.table_name} t WHERE t.key = k)"
        " AND EXISTS (SELECT FROM log.tags t WHERE t.tag = k AND t.type = ANY(%s))"
    )
    types = {event.__name__ for thing in build.things if thing.kind in build.rooted for event in thing.types}
    rows = connection.execute(statement.encode(), [list(keys), sorted(types)])
    return [row[0] for row in rows.fetchall()]


def _told_plainly(connection: Connection[Any], kind: str, codec: Codec | None) -> bool:
    """Tell whether the log keeps tags of a kind as they are, and not as keyed hashes."""
    tag = f"{kind}:?"
    return (codec or Codec.over(connection)).tag(tag) == tag


def keys_at(
    connection: Connection[Any], build: Projection, positions: Sequence[int], codec: Codec | None = None
) -> list[str]:
    """Return the keys of a build that the events at these positions carry."""
    kinds = [kind for kind in sorted(build.rooted) if _told_plainly(connection, kind, codec)]
    asked = {"positions": list(positions), "kinds": kinds}
    return sorted(row[0] for row in connection.execute(_SOME_OF_LOG, asked).fetchall())


def _paired(connection: Connection[Any], build: Projection, found: Sequence[Drift]) -> list[Drifted]:
    """Return differences by the place of the row, each with the event that it came to by."""
    sides: dict[tuple[Any, ...], list[Row | None]] = {}
    for one in found:
        sides.setdefault(one.row[:3], [None, None])[0 if one.extra else 1] = one.row
    positions = {place: _explaining(*rows) for place, rows in sides.items()}
    events = dict(connection.execute(_EVENT, [list(positions.values())]).fetchall())
    return [
        Drifted(
            build.name,
            build.version,
            build.build,
            str(place[0]),
            int(place[1]),
            int(place[2]),
            _named(build, rows[0]),
            _named(build, rows[1]),
            positions[place],
            events.get(positions[place]),
        )
        for place, rows in sorted(sides.items())
    ]


def _explaining(standing: Row | None, wanted: Row | None) -> int:
    """Return the position at which the two began to differ."""
    either: Any = wanted or standing
    if standing is not None and wanted is not None and standing[4:] == wanted[4:]:
        ends: list[Any] = [standing[3], wanted[3]]
        return int(min(ends))
    return int(either[1])


def _named(build: Projection, row: Row | None) -> dict[str, Any] | None:
    """Return a row by column, as values of JSON."""
    if row is None:
        return None
    columns = [*ENGINE_COLUMNS, *build.table.columns]
    named: dict[str, Any] = msgspec.to_builtins(dict(zip(columns, row, strict=True)))
    return named
