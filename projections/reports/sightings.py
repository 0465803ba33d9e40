"""Plate reads as reports count them: for the vehicle that they were of, with the stay that they belong to.

What a read says of a stay follows from the vehicle's read before it (`commands.stays`). To find that out
over all of history costs a sort of all reads; so it is archived, as a row for each read. A read that comes
late, or is corrected, changes what other reads say: these are told again, and the newest row of each counts.

    sightings = Sightings(duckdb.connect())
    table = sightings.of(events, Known("read_parquet([…])", "retold", "said"), moved, upto)
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import Connection

from event_store.codec import Codec

SIGHTINGS = "sightings"
COLUMNS: Mapping[str, str] = {
    "position": "BIGINT",
    "read_position": "BIGINT",
    "occurred": "TIMESTAMPTZ",
    "vehicle": "UBIGINT",
    "zone": "VARCHAR",
    "device": "VARCHAR",
    "officer": "VARCHAR",
    "patrol": "VARCHAR",
    "direction": "VARCHAR",
    "place": "UBIGINT",
    "since": "TIMESTAMPTZ",
    "stays": "BOOLEAN",
    "place_since": "UBIGINT",
    "again": "BOOLEAN",
}
"""A row of this data set, by DuckDB types.

`position` is what the row is known from, `read_position` tells reads apart. `since` is the vehicle's read
before, where the vehicle stood from then until this one; null where a stay begins. An exit of a vehicle that
was not there is no part of a stay, and `stays` says so. `place_since` is the place that the stay was seen at.
`again` marks a row that takes the place of an older one.
"""

CORRECTIONS = ("PlateReadCorrected", "PossibleMatchConfirmed")
SAID = 'select read, coalesce(candidate, plate) as vehicle, {at} as occurred, "position" from {events}'
"""What people said that a read was of, from the archive's events of these types."""

_INSTANT = pa.timestamp("us", "UTC")
_TAKEN: Mapping[str, pa.DataType] = {
    "position": pa.int64(), "type": pa.string(), "at": _INSTANT, "read": pa.string(), "plate": pa.uint64(),
    "zone": pa.string(), "device": pa.string(), "officer": pa.string(), "session": pa.string(),
    "direction": pa.string(), "place": pa.uint64(),
}  # fmt: skip
_ARROW = {
    "BIGINT": pa.int64(), "TIMESTAMPTZ": _INSTANT, "UBIGINT": pa.uint64(), "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
}  # fmt: skip
_KINDS = {name: _ARROW[kind] for name, kind in COLUMNS.items()}
_READS_OF = (
    "select distinct position from log.tags where tag = any(%s) and type = 'PlateRead' and position <= %s"
)
_NEAR, _FAR = timedelta(days=1), timedelta(days=31)
"""How far before a read its vehicle's read before matters: an exit ends a stay however long ago that was, and
so may what follows a read that was another vehicle's; but nobody is looked for longer than a month.
"""

_COMING = """
    create or replace temp table coming as
    with meant as (
        select read, arg_max(vehicle, {{'at': occurred, 'position': "position"}}) as vehicle
        from {said} group by read
    )
    select b."position" as read_position, b."at" as occurred, coalesce(m.vehicle, b.plate) as vehicle, b.zone,
        b.device, b.officer, b.session as patrol, b.direction, b.place, null::ubigint as left_vehicle,
        false as again
    from batch b left join meant m on m.read = b.read where b.type = 'PlateRead'
"""
_MOVED = """
    insert into coming by name
    with meant as (
        select read, arg_max(vehicle, {{'at': occurred, 'position': "position"}}) as vehicle
        from {said} group by read
    )
    select k.read_position, k.occurred, t.vehicle, k.zone, k.device, k.officer, k.patrol, k.direction,
        k.place, k.vehicle as left_vehicle, true as again
    from {newest} k join (
        select unnest($positions::bigint[]) as read_position, unnest($reads::varchar[]) as read
    ) asked on asked.read_position = k.read_position join meant t on t.read = asked.read
"""
_TOUCHED = """
    create or replace temp table touched as
    select vehicle, min({'at': occurred, 'position': read_position}) as first from (
        select vehicle, occurred, read_position from coming
        union all select left_vehicle, occurred, read_position from coming where left_vehicle is not null)
    group by vehicle
"""
_CHAIN = """
    create or replace temp table chain as
    with near as (
        select k.*, {{'at': k.occurred, 'position': k.read_position}} < t.first as before
        from {newest} k join touched t on t.vehicle = k.vehicle
        where k.occurred >= {since} and k.occurred >= t.first.at - {back}
    )
    select read_position, occurred, vehicle, zone, device, officer, patrol, direction, place, since, stays,
        place_since, before as fixed, false as fresh, true as again
    from near where not before and read_position not in (select read_position from coming where again)
    union all by name
    select last.read_position, last.occurred, vehicle, last.zone, last.direction, last.since, last.stays,
        last.place_since, true as fixed, false as fresh, true as again
    from (
        select vehicle, arg_max(
            {{'read_position': read_position, 'occurred': occurred, 'zone': zone, 'direction': direction,
              'since': since, 'stays': stays, 'place_since': place_since}},
            {{'at': occurred, 'position': read_position}}) as last
        from near where before group by vehicle)
    union all by name
    select * exclude (left_vehicle), false as fixed, true as fresh from coming
"""
_LINKED = """
    with seen as (
        select *, lag(zone) over vehicles as zone_before, lag(direction) over vehicles as direction_before,
            lag(occurred) over vehicles as occurred_before
        from chain window vehicles as (partition by vehicle order by occurred, read_position)
    ),
    broken as (
        select *, direction = 'exit' as leaves, coalesce(
            zone_before is distinct from zone or direction_before = 'exit' or direction = 'entry'
            or occurred - occurred_before > interval 1 day, true) as breaks,
            fixed or direction <> 'exit'
            or coalesce(zone_before = zone and direction_before <> 'exit', false) as counts
        from seen
    ),
    {placed}
    linked as (
        select *,
            case when counts and (leaves or not (breaks or moves)) then occurred_before end as link
        from placed
    )
    select case when l.again then {upto}::bigint else l.read_position end as "position", l.read_position,
        l.occurred, l.vehicle, l.zone, l.device, l.officer, l.patrol, l.direction, l.place, l.link as since,
        l.counts as stays, l.place_now as place_since, l.again
    from linked l
    where not l.fixed and (l.fresh or l.since is distinct from l.link or l.stays is distinct from l.counts
        or l.place_since is distinct from l.place_now)
    order by 1, 2
"""
_UNPLACED = "placed as (select *, false as moves, null::ubigint as place_now from broken),"
_PLACED = """
    grouped as (
        select *, sum((breaks and not leaves and not fixed)::int) over (
            partition by vehicle order by occurred, read_position) as stretch
        from broken where counts
        union all by name select *, null as stretch from broken where not counts
    ),
    remembered as (
        select *, case when direction = 'none' then place end as stood_at,
            last_value(
                case when fixed then place_since when direction = 'none' then place end ignore nulls) over (
            partition by vehicle, stretch, counts order by occurred, read_position
            rows between unbounded preceding and 1 preceding) as place_before
        from grouped
    ),
    placed as (
        select *, counts and not leaves and place is not null and place_before is not null
            and place <> place_before as moves,
            case when counts then coalesce(stood_at, place_before) end as place_now
        from remembered
    ),
"""
_NEWEST = """
    (select s.* from {stored} s left join (
        select read_position, max("position") as newest from {retold} where "position" <= {upto}
        group by read_position) r on r.read_position = s.read_position
    where s."position" <= {upto} and (r.newest is null or r.newest = s."position"))
"""


class Known(NamedTuple):
    """Relations of the database that say what is known: rows of reads, those told again, and corrections.

    `stored` has the columns of this data set, `retold` the newest `position` of each `read_position` that was
    told more than once, `said` those of `SAID`, those of the events that come included.
    """

    stored: str
    retold: str
    said: str


class Sightings:
    """Makes the rows of a stretch of events. Not for several threads at once."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        """Work in temporary tables of `database`."""
        self._database = database

    def of(self, events: pa.Table, known: Known, moved: Mapping[int, str], after: int, upto: int) -> pa.Table:
        """Return the rows that follow from the archive's columns of the events at positions `(after, upto]`.

        `moved` are the older reads of which these events say what they were of, by their positions.
        """
        database = self._database
        if not moved and not pc.any(pc.equal(events["type"], "PlateRead")).as_py():
            return pa.table({name: pa.array([], kind) for name, kind in _KINDS.items()})
        newest = _NEWEST.format(stored=known.stored, retold=known.retold, upto=after)
        database.register("batch", _taken(events))
        try:
            database.execute(_COMING.format(said=known.said))
        finally:
            database.unregister("batch")
        if moved:
            asked = {"positions": list(moved), "reads": list(moved.values())}
            database.execute(_MOVED.format(said=known.said, newest=newest), asked)
        database.execute(_TOUCHED)
        back = _FAR if moved or "exit" in pc.unique(events["direction"]).to_pylist() else _NEAR
        [(first,)] = database.execute("select min(first.at) from touched").fetchall()
        since = f"TIMESTAMPTZ '{(first - back).astimezone(UTC).isoformat()}'"
        database.execute(_CHAIN.format(newest=newest, since=since, back=f"interval {back.days} day"))
        [(places,)] = database.execute("select count(place) + count(place_since) from chain").fetchall()
        placed = _PLACED if places else _UNPLACED
        return database.sql(_LINKED.format(placed=placed, upto=upto)).to_arrow_table()


def _taken(events: pa.Table) -> pa.Table:
    """Return the columns that rows are made of, also those that no event of the stretch has."""
    nothing = {name: pa.nulls(events.num_rows, kind) for name, kind in _TAKEN.items()}
    return pa.table({name: events[name] if name in events.column_names else nothing[name] for name in _TAKEN})


def corrected(events: pa.Table) -> list[str]:
    """Return the reads of which the events say what they were of."""
    of_them = pc.is_in(events["type"], pa.array(CORRECTIONS))
    return sorted(set(events.filter(of_them)["read"].to_pylist())) if pc.any(of_them).as_py() else []


def moved_by(reads: Iterable[str], connection: Connection[Any], codec: Codec, after: int) -> dict[int, str]:
    """Return the positions up to `after` of the reads, each with the name of its read."""
    found: dict[int, str] = {}
    for read in reads:
        rows = connection.execute(_READS_OF, [[codec.tag(f"read:{read}")], after]).fetchall()
        found |= {position: read for (position,) in rows}
    return found
