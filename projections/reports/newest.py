"""What nearly every question asks, kept in memory: how each thing stands at the log's head, and a few events.

A thing's rows are only ever added, so what stands is among its newest ones: those of the archive's files when
a process begins, those of the tail from then on. A question about now reads one table, in which `stands`
marks the rows that hold; any other reads the archive's files.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from event_store.archive import EVENTS
from event_store.archive_manifest import Manifest
from projections.reports.sightings import CORRECTIONS, SIGHTINGS

KEYS = {"citations": "issued_position", "permits": "permit", "sessions": "session"}
"""The derived data sets, and what tells their things apart."""
DATED = {"citations": "issued_position", "permits": "permit, payment"}
"""Those whose rows may hold from a later instant, and of what one row stands at a time."""
FEW: Mapping[str, Sequence[str]] = {
    "ZoneOpened": ("zone", "name", "timezone", "capacity", "spaces", "lot"),
    "AppealDecided": ("citation", "reason"),
    **dict.fromkeys(CORRECTIONS, ("read", "plate", "candidate")),
}
"""Events that say what others are about, and which of their columns; there are few of them."""
SAYING = ("position", "type", "at", *dict.fromkeys(itertools.chain(*FEW.values())))
MANY = 100_000
"""Rows that were replaced, and whose memory is kept, at most."""
TABLES = {EVENTS: "few_events", SIGHTINGS: "newest_retold", **{name: f"newest_{name}" for name in KEYS}}

_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_AHEAD = "holds_from > TIMESTAMPTZ '0001-01-02 00:00:00Z'"
_ARRIVED = """
    with rows as (select * from {rows} where "position" > {after}),
    last as (select {key}, max("position") as "position" from rows group by {key}),
    ahead as (select distinct {key}, "position" from rows where {ahead}),
    newest as (select r.* from rows r semi join last l on l.{key} = r.{key} and l."position" = r."position")
    select n.*, a."position" is null as sole, a."position" is null as stands
    from newest n left join ahead a on a.{key} = n.{key} and a."position" = n."position"
"""
_STAND = """
    update newest_{name} set stands = coalesce(({row}) in (
        select ({row}) from newest_{name} where not sole and holds_from <= {at}
        qualify row_number() over (partition by {key} order by holds_from desc) = 1), false)
    where not sole
"""
_EDGES = """
    select max(holds_from) filter (where holds_from <= {at}), min(holds_from) filter (where holds_from > {at})
    from newest_{name} where not sole
"""
_PAIRS = """
    create or replace temp table paired as
    select distinct plate as vehicle, zone from (
        from (select session, plate, zone from arrived) union all
        select session, plate, zone from newest_sessions where session in (select session from arrived))
    where zone is not null
"""
_RUNS = """
    insert into standing_runs
    with begun as (
        select plate as vehicle, s.zone, start, coalesce(until, TIMESTAMPTZ '9999-12-31 00:00:00Z') as until,
            max(coalesce(until, TIMESTAMPTZ '9999-12-31 00:00:00Z')) over (
                partition by plate, s.zone order by start, until
                rows between unbounded preceding and 1 preceding) as until_before
        from newest_sessions s semi join paired p on p.vehicle = s.plate and p.zone = s.zone
        where start is not null
    ),
    counted as (
        select *, sum((until_before is null or start > until_before)::int) over (
            partition by vehicle, zone order by start, until) as run
        from begun
    )
    select vehicle, zone, min(start), max(until) from counted group by vehicle, zone, run
"""


class Newest:
    """Keeps the tables `newest_…`, `few_events`, `standing_zones` and `standing_runs` of a database."""

    def __init__(self, database: duckdb.DuckDBPyConnection, local: Callable[[str], str]) -> None:
        """Make the tables, of the columns of the tail's; `local` tells where a file of the archive lies."""
        self._database = database
        self._local = local
        self._archived = 0
        self._upto = dict.fromkeys(TABLES, 0)
        self._changed = {EVENTS, *KEYS}
        self._replaced = Counter[str]()
        self.stood: tuple[datetime, datetime] | None = None
        """The times `[since, until)` at which those rows stand that are marked."""
        for name in KEYS:
            columns = "select *, true as sole, true as stands"
            database.execute(f"create table newest_{name} as {columns} from tail_{name} limit 0")
        columns = ", ".join(f'"{name}"' for name in SAYING)
        database.execute(f"create table few_events as select {columns} from tail_events limit 0")
        database.execute(
            'create table newest_retold as select read_position, "position" from tail_sightings limit 0'
        )
        database.execute("create view all_retold as from newest_retold union all from tail_retold")
        database.execute(
            "create table standing_runs (vehicle ubigint, zone varchar, since timestamptz, until timestamptz)"
        )
        database.execute(
            "create table standing_zones as"
            " select zone, name, timezone, capacity, spaces, lot from few_events limit 0"
        )

    def follow(self, manifest: Manifest) -> None:
        """Take in what was archived since, and is not known from the tail.

        Raises:
            FileNotFoundError, duckdb.IOException: if a file was merged away meanwhile; then nothing is taken
                of its data set, and it can be tried again with the manifest of now.

        """
        if manifest.upto < self._archived:  # another archive, or the same one written again
            self.forget()
        for name, upto in self._upto.items():
            files = [
                self._local(segment.files[name].path)
                for segment in manifest.segments
                if segment.last > upto and name in segment.files
            ]
            if files:
                listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
                self._take(
                    name, f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)", upto
                )
            self._upto[name] = max(upto, manifest.upto)
        self._archived = manifest.upto
        self._tidy()

    def _tidy(self) -> None:
        """Give back the memory of rows that were replaced, which their tables keep."""
        for name in [name for name, rows in self._replaced.items() if rows >= MANY]:
            self._database.execute(f"create or replace table newest_{name} as from newest_{name}")
            self._replaced[name] = 0

    def take(self, found: Mapping[str, pa.Table], upto: int) -> None:
        """Take in what the tail found up to a position."""
        for name, table in found.items():
            if table.num_rows and (name != EVENTS or pc.any(pc.is_in(table["type"], pa.array(FEW))).as_py()):
                self._database.register("found", table)
                self._take(name, "found", 0)
                self._database.unregister("found")
        self._upto |= {name: max(before, upto) for name, before in self._upto.items() if name != SIGHTINGS}

    def follows(self, manifest: Manifest) -> bool:
        """Tell whether all is taken in that is archived."""
        return self._archived == manifest.upto

    def forget(self) -> None:
        """Let go of everything, to begin anew with the archive's files."""
        self._archived = 0
        for name, table in TABLES.items():
            self._database.execute(f"delete from {table}")
            self._upto[name] = 0
        self._database.execute("delete from standing_runs")

    def stand(self, at: datetime) -> None:
        """Mark the rows that stand at an instant; costs little where nothing was taken in since."""
        if EVENTS in self._changed:
            self._database.execute(
                "delete from standing_zones; insert into standing_zones by name from main.zones"
            )
        dated = self._changed & DATED.keys()
        if dated or not self.stands(at):
            self._mark(at)
        self._changed.clear()

    def _mark(self, at: datetime) -> None:
        instant = f"TIMESTAMPTZ '{at.astimezone(UTC).isoformat()}'"
        since, until = _EVER
        for name, key in DATED.items():
            row = f'{key}, "position", holds_from'
            self._database.execute(_STAND.format(name=name, row=row, key=key, at=instant))
            [(last, following)] = self._database.execute(_EDGES.format(name=name, at=instant)).fetchall()
            since, until = max(since, last or since), min(until, following or until)
        self.stood = since, until

    def stands(self, at: datetime) -> bool:
        """Tell whether what is marked stands at an instant."""
        return self.stood is not None and self.stood[0] <= at < self.stood[1]

    def _take(self, name: str, rows: str, after: int) -> None:
        if name == EVENTS:
            for kind, columns in FEW.items():
                of_kind = f"select * from {rows} where \"position\" > {after} and type = '{kind}'"
                self._insert("few_events", ("position", "type", "at", *columns), of_kind)
        elif name == SIGHTINGS:
            fresh = f'select * from {rows} where "position" > {after} and again'
            self._insert("newest_retold", ("read_position", "position"), fresh)
        else:
            ahead = _AHEAD if name in DATED else "false"
            self._replace(name, _ARRIVED.format(rows=rows, after=after, key=KEYS[name], ahead=ahead))
        self._changed.add(name)

    def _replace(self, name: str, rows: str) -> None:
        """Put what arrived in the place of the older rows of the same things."""
        key = KEYS[name]
        if name != "sessions" and not self._upto[name]:
            self._database.execute(f"insert into newest_{name} by name {rows}")
            return
        self._database.execute(f"create or replace temp table arrived as {rows}")
        if name == "sessions":
            self._database.execute(_PAIRS)
        older = f"delete from newest_{name} where {key} in (select {key} from arrived)"
        [(replaced,)] = self._database.execute(older).fetchall()
        self._replaced[name] += replaced
        self._database.execute(f"insert into newest_{name} by name select * from arrived")
        if name == "sessions":
            self._database.execute("delete from standing_runs where (vehicle, zone) in (from paired)")
            self._database.execute(_RUNS)

    def _insert(self, table: str, columns: Sequence[str], rows: str) -> None:
        """Put these columns of rows, those that no file has as nulls, in the place of the same positions."""
        named = ", ".join(f'"{one}"' for one in columns)
        self._database.execute(
            f"create or replace temp table arrived as select {named} from "
            f"((from {table} limit 0) union all by name ({rows}))"
        )
        self._database.execute(
            f'delete from {table} where "position" in (select "position" from arrived);'
            f"insert into {table} by name select * from arrived"
        )
