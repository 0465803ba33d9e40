"""Reading the log: by boundary, by page, by command id and by instant; every question is one round trip."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from psycopg import Connection

from event_store.codec import Codec, Row
from event_store.log import Reading, Slice
from event_store.packing import array, int4, int8
from event_store.waiting import any_of
from events.base import Event
from events.boundary import Boundary, Criterion
from events.envelope import Appended, Recorded

EVERYTHING: Boundary[Event] = Boundary(frozenset({Criterion(frozenset(), frozenset())}))
NEWEST = 2**63 - 1

COLUMNS = (
    "e.position, e.type, e.version, e.at, e.recorded, e.payload, e.actor, e.channel, e.command_id, "
    "e.correlation, e.causation"
)
"""What a `Row` is made of."""

_READ_MANY = """
    with head as (select coalesce(max(position), 0) as head from log.events),
    found as materialized (
        select distinct c.reading, p.position
        from unnest(%b::integer[], %b::bigint[], %b::bigint[], %b::text[], %b::text[])
            as c (reading, after, upto, tags, types),
        lateral log.positions(
            string_to_array(c.tags, E'\\x1f'), string_to_array(c.types, E'\\x1f'), c.after, c.upto, %b
        ) as p (position)
    )
    select head.head, e.*
    from head left join (
        select f.reading, {columns}
        from found f cross join lateral (select * from log.events e where e.position = f.position offset 0) e
        order by f.reading, e.position limit %b
    ) e on true
    order by e.reading, e.position
"""
# `offset 0` keeps each position a descent of the index: how many there will be, nobody can tell the planner,
# and with statistics at hand it would rather read all of the log than what it takes to be thousands.
_PAGE = """
    select {columns} from log.events e
    where e.position > %b and e.position <= %b order by e.position limit %b
"""
_PAGE_OF_TYPES = """
    select {columns} from log.positions(null, %b::text[], %b, %b, %b) p (position)
    join log.events e on e.position = p.position order by e.position
"""
_FIND = """
    select command_id, max(position), count(*)::integer, min(recorded),
        (array_agg(fingerprint order by step))[1]
    from log.events where command_id = any (%b::uuid[]) group by command_id
"""


class Asked(NamedTuple):
    """One reading in the terms of the log."""

    criteria: Sequence[Criterion]
    after: int
    upto: int | None


def read_many(
    connection: Connection[Any], codec: Codec, readings: Sequence[Reading[Any]], limit: int | None = None
) -> list[Slice[Any]]:
    """Return what each reading asks for, all as of one head; `limit` bounds the entries of all together."""
    asked = [Asked(codec.criteria(r.boundary), r.after, r.upto) for r in readings]
    entries: list[list[Recorded[Event]]] = [[] for _ in readings]
    last, rows = look(connection, asked, limit)
    for row in rows:
        entries[row[0]].append(codec.revive(row[1:]))
    return [Slice(found, last) for found in entries]


def look(
    connection: Connection[Any], asked: Sequence[Asked], limit: int | None, columns: str = COLUMNS
) -> tuple[int, list[Any]]:
    """Return the head, and for each entry the number of the reading that asked for it, and its columns."""
    checks = [(n, one, criterion) for n, one in enumerate(asked) for criterion in one.criteria]
    size = NEWEST if limit is None else limit
    parameters: list[object] = [
        array("integer", len(checks), [int4(n) for n, _, _ in checks]),
        array("bigint", len(checks), [int8(one.after) for _, one, _ in checks]),
        array(
            "bigint", len(checks), [int8(NEWEST if one.upto is None else one.upto) for _, one, _ in checks]
        ),
        array("text", len(checks), [any_of(criterion.tags) for _, _, criterion in checks]),
        array("text", len(checks), [any_of(criterion.types) for _, _, criterion in checks]),
        size,
        size,
    ]
    rows = connection.execute(_of(_READ_MANY, columns), parameters, binary=True).fetchall()
    return rows[0][0], [row[1:] for row in rows if row[1] is not None]


@cache
def _of(statement: str, columns: str) -> bytes:
    return statement.format(columns=columns).encode()


def page(
    connection: Connection[Any],
    after: int,
    upto: int,
    types: Collection[str] | None,
    size: int,
    columns: str = COLUMNS,
) -> Sequence[Any]:
    """Return the first `size` rows after one position and up to another, of all types or of some."""
    bounds: list[object] = [after, upto, size]
    if types is None:
        return connection.execute(_of(_PAGE, columns), bounds, binary=True).fetchall()
    return connection.execute(_of(_PAGE_OF_TYPES, columns), [list(types), *bounds], binary=True).fetchall()


def pages(
    connection: Connection[Any], after: int, upto: int, types: Collection[str] | None, size: int
) -> Iterator[Sequence[Row]]:
    """Yield page after page; every one but the last is full."""
    while rows := page(connection, after, upto, types, size):
        yield rows
        if len(rows) < size:
            return
        after = rows[-1][0]


def find(connection: Connection[Any], keys: Sequence[bytes]) -> dict[UUID, tuple[Appended, bytes]]:
    """Return what was appended under command ids, packed as blobs, and the first one's fingerprint."""
    rows = connection.execute(_FIND, [array("uuid", len(keys), keys)], binary=True).fetchall()
    return {row[0]: (Appended(row[1], row[2], row[3]), row[4]) for row in rows}


def head(connection: Connection[Any]) -> int:
    """Return the newest position."""
    row = connection.execute("select max(position) from log.events").fetchone()
    return row[0] or 0 if row else 0


def position_at(connection: Connection[Any], instant: datetime) -> int:
    """Return the newest position recorded at or before the instant."""
    row = connection.execute("select log.position_at(%s)", [instant]).fetchone()
    position: int = row[0] if row else 0
    return position
