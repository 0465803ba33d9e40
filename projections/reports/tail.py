"""The live tail: what the log holds beyond the archive, as the same columns, kept in memory.

It is looked at anew with every question, so a report is as fresh as the log; only what was appended since
the last question is read.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import Connection

from event_store.archive import EVENTS
from event_store.archive_batch import LogRows, as_columns, column_maker
from event_store.archive_columns import HASHED, JSON, all_columns
from event_store.archive_hash import Hash
from event_store.codec import Codec
from event_store.log import LogUnavailable
from projections.connection import connect
from projections.reports.derived import DERIVED
from projections.reports.deriving import Deriving, schema_of
from projections.reports.newest import Newest
from projections.reports.sightings import (
    COLUMNS,
    CORRECTIONS,
    SAID,
    SIGHTINGS,
    Known,
    Sightings,
    corrected,
    moved_by,
)

MOST = 500_000
"""Events that the tail may hold: beyond that the archive is not being written, and reports say so."""
_STRETCH = 50_000
_SAID = SAID.format(at='"at"', events="few_events") + f" where type in {CORRECTIONS}"
_KNOWN = Known("all_sightings", "all_retold", f"({_SAID})")
_HEAD = "select position, recorded from log.events order by position desc limit 1"


class ArchiveBehind(RuntimeError):
    """The archive is too far behind the log for reports."""


class Tail:
    """The newest events and what follows from them. Not for several threads at once."""

    def __init__(
        self, dsn: str, hashed: Hash, database: duckdb.DuckDBPyConnection, codec: Codec | None = None
    ) -> None:
        """Keep the tables `tail_…` in `database`."""
        self._dsn = dsn
        self._hashed = hashed
        self._codec = codec or Codec.of(dsn)
        self._database = database
        self._deriving: Deriving | None = None
        self._connection: Connection[Any] | None = None
        self._rows = LogRows(dsn)
        self._maker = column_maker(threads=1)
        self._from = -1
        self._sightings = Sightings(database)
        self.upto = 0
        for name, columns in tables().items():
            stated = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            database.execute(f"create table tail_{name} ({stated})")
        database.execute(
            'create view tail_retold as select read_position, "position" from tail_sightings where again'
        )

    def refresh(
        self, archived: int, parked: Mapping[str, int], newest: Newest
    ) -> tuple[int, datetime | None]:
        """Hold what the log has beyond position `archived`; return the log's head, and when it was recorded.

        `newest` takes in what follows from each further stretch.

        Raises:
            ArchiveBehind: if that is more than can be held.
            LogUnavailable: if the log cannot be reached.

        """
        row = self.run(lambda connection: connection.execute(_HEAD).fetchone())
        head, recorded = row or (0, None)
        if head - archived > MOST:
            raise ArchiveBehind(
                f"The archive is {head - archived:,} events behind the log; reports hold {MOST:,} at most. "
                "Start the service `archive`, or run `parkledger archive write`."
            )
        try:
            self._begin(archived, parked)
            if head > self.upto:
                self.run(lambda connection: self._grow(connection, head, newest))
        except BaseException:
            self._deriving = None  # whatever is half done is done again from the archive's end
            self._from = -1
            raise
        return head, recorded

    def run[T](self, ask: Callable[[Connection[Any]], T]) -> T:
        """Return what `ask` reads from the log, asked again on a new connection if the kept one went stale.

        Raises:
            LogUnavailable: if the log cannot be reached.

        """
        if self._connection is not None and not self._connection.closed:
            try:
                return ask(self._connection)
            except psycopg.OperationalError:
                self._connection.close()
        try:
            self._connection = connect(self._dsn, name="parkledger reports")
            return ask(self._connection)
        except psycopg.OperationalError as failed:
            raise LogUnavailable(f"{LogUnavailable.__doc__} ({str(failed).strip()})") from failed

    def close(self) -> None:
        """Let go of the connections."""
        self._rows.close()
        self._maker.close()
        if self._connection is not None:
            self._connection.close()

    def _begin(self, archived: int, parked: Mapping[str, int]) -> None:
        """Let go of what is archived by now."""
        if self._deriving is None or archived > self.upto or archived < self._from:
            self._let_go(self.upto)
            self._deriving = Deriving(self._hashed, archived, parked, self._codec)
            self.upto = archived
        if archived != self._from:
            self._let_go(archived)
            self._look_again(archived)
            self._from = archived

    def _let_go(self, upto: int) -> None:
        for name in tables():
            self._database.execute(f'delete from tail_{name} where "position" <= ?', [upto])

    def _look_again(self, archived: int) -> None:
        """Make the rows of reads anew: those of before rest on events that are archived by now."""
        self._database.execute("delete from tail_sightings")
        if archived < self.upto:
            events = self._database.sql("from tail_events").to_arrow_table()
            moved = self.run(lambda c: moved_by(corrected(events), c, self._codec, archived))
            self._add(SIGHTINGS, self._sightings.of(events, _KNOWN, moved, archived, self.upto))

    def _grow(self, connection: Connection[Any], head: int, newest: Newest) -> None:
        if self._deriving is None:
            return
        while self.upto < head:
            upto = min(self.upto + _STRETCH, head)
            events = as_columns(self._rows.between(self.upto, upto), self._hashed, self._maker)
            moved = moved_by(corrected(events), connection, self._codec, self.upto)
            found = {EVENTS: events, **self._deriving.derive(connection, upto)}
            self._take(found, moved, upto, newest)

    def _take(
        self, found: Mapping[str, pa.Table], moved: Mapping[int, str], upto: int, newest: Newest
    ) -> None:
        """Take in what follows from the next stretch, all of it or nothing."""
        self._database.execute("begin")
        try:
            for name, table in found.items():
                self._add(name, table)
            newest.take(found, upto)
            self._add(SIGHTINGS, self._sightings.of(found[EVENTS], _KNOWN, moved, self.upto, upto))
        except BaseException:
            self._database.execute("rollback")
            newest.forget()
            raise
        self._database.execute("commit")
        self.upto = upto

    def _add(self, name: str, table: pa.Table) -> None:
        if not table.num_rows:
            return
        self._database.register("fresh", table)
        self._database.execute(f"insert into tail_{name} by name select * from fresh")
        self._database.unregister("fresh")


def tables() -> Mapping[str, Mapping[str, str]]:
    """Return the columns of each data set by their DuckDB types."""
    events = {name: "VARCHAR" if kind == JSON else kind for name, kind in all_columns().items()}
    derived = {name: {field.name: _duckdb(field.type) for field in schema_of(name)} for name in DERIVED}
    return {EVENTS: events, **derived, SIGHTINGS: COLUMNS}


def _duckdb(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    names = {pa.int64(): "BIGINT", pa.uint64(): HASHED, pa.bool_(): "BOOLEAN", pa.string(): "VARCHAR"}
    return names.get(kind, "VARCHAR[]")
