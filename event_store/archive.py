"""The archive: the log's history as columns, in Parquet files that are only ever added.

A segment holds a run of positions that were recorded on one day, as one file for each data set: `events`,
and what else is derived from the same positions. Files are laid in directories by data set and day
(`events/day=2026-03-05/…`), so any tool that reads Parquet finds its way. What belongs to the archive is
said by its manifest alone; see `event_store.archive_manifest`.

    archive = Archive(store_at(None, data))
    archive.append(first, last, day, {"events": table})     # after the last one, without a gap
    archive.manifest().paths("events")

One process appends at a time: whoever holds the lock of `writing` on the log's own database.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from event_store.archive_manifest import (
    BrokenArchive,
    File,
    Manifest,
    Retired,
    Segment,
    encoded,
    parse,
)
from event_store.archive_store import Store

MANIFEST = "manifest.json"
EVENTS = "events"
ROW_GROUP = 122_880
"""Rows of a row group: DuckDB's own unit of work."""
SMALL = 250_000
"""A segment of fewer events is merged with its neighbours of the same day."""
LARGE = 1_000_000
"""Events that a merged segment holds at most."""
GRACE = timedelta(minutes=10)
"""How long a merged file stays for who has begun to read it."""
_LEVEL = 3
_LOCK = 0x7061726B6172


class Occupied(RuntimeError):
    """Another process writes the archive."""


@contextmanager
def writing(dsn: str) -> Iterator[None]:
    """Be the one process that writes the archive of this log; the lock goes with the connection.

    Raises:
        Occupied: if another one is.

    """
    with psycopg.connect(dsn, autocommit=True, application_name="parkledger archive") as connection:
        connection.execute("set lock_timeout = '2s'")  # the server notices late that a process is gone
        try:
            connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        except psycopg.errors.LockNotAvailable as held:
            raise Occupied("Another process writes the archive.") from held
        yield


class Archive:
    """An archive in a store. Many may read it; appending and merging is for the holder of the lock."""

    def __init__(self, store: Store) -> None:
        """Open the archive; one that has nothing yet begins with its first append."""
        self.store = store

    def manifest(self) -> Manifest:
        """Return what the archive consists of now.

        Raises:
            BrokenArchive: if the manifest cannot be read.

        """
        content = self.store.read(MANIFEST)
        return Manifest() if content is None else parse(content)

    def begin(self, log: str) -> Manifest:
        """Make sure that this is the archive of the log whose first event has this digest.

        Raises:
            BrokenArchive: if it is that of another log.

        """
        found = self.manifest()
        if found.segments and found.log != log:
            raise BrokenArchive(
                "The archive is of another log: its first event is not this log's. Choose another place for "
                "the archive (PARKLEDGER_ARCHIVE), or remove it."
            )
        return found

    def append(
        self,
        first: int,
        last: int,
        day: str,
        tables: Mapping[str, pa.Table],
        *,
        log: str = "",
        parked: Mapping[str, int] | None = None,
    ) -> Manifest:
        """Add a segment; it belongs to the archive once this returns, and not before.

        Raises:
            BrokenArchive: if it does not follow the last one.

        """
        before = self.manifest()
        if first != before.upto + 1 or tables[EVENTS].num_rows != last - first + 1:
            raise BrokenArchive(f"A segment from {first} to {last} does not follow position {before.upto}.")
        files = {
            name: self._write(name, first, last, day, table)
            for name, table in tables.items()
            if table.num_rows
        }
        segment = Segment(first, last, day, files)
        kept = {**before.parked, **(parked or {})}
        after = Manifest((*before.segments, segment), before.retired, log or before.log, kept)
        self._replace(after)
        return after

    def _write(self, name: str, first: int, last: int, day: str, table: pa.Table) -> File:
        content = parquet(table)
        path = f"{name}/day={day}/{first:015}-{last:015}.parquet"
        self.store.write(path, content)
        return File(path, table.num_rows, len(content), sha256(content).hexdigest())

    def _replace(self, manifest: Manifest) -> None:
        self.store.write(MANIFEST, encoded(manifest))

    def compact(self, now: datetime | None = None) -> bool:
        """Merge one run of small segments of a day, and remove what was merged before; tell whether any was.

        The day that is still being written is left until it has a run that is worth it.
        """
        instant = now or datetime.now(UTC)
        before = self.manifest()
        run = _smallest_run(before.segments)
        gone = [one for one in before.retired if instant - one.since >= GRACE]
        if not run and not gone:
            return False
        retired = [one for one in before.retired if one not in gone]
        segments = list(before.segments)
        if run:
            whole = self._merged(run)
            at = segments.index(run[0])
            segments[at : at + len(run)] = [whole]
            retired += [Retired(file.path, instant) for part in run for file in part.files.values()]
        self._replace(Manifest(tuple(segments), tuple(retired), before.log, before.parked))
        for one in gone:
            self.store.remove(one.path)
        return bool(run)

    def _merged(self, run: Sequence[Segment]) -> Segment:
        first, last, day = run[0].first, run[-1].last, run[0].day
        names = sorted({name for part in run for name in part.files})
        files = {}
        for name in names:
            parts = [self.table(part.files[name]) for part in run if name in part.files]
            table = _sorted(pa.concat_tables(parts, promote_options="default"))
            files[name] = self._write(name, first, last, day, table)
        return Segment(first, last, day, files)

    def table(self, file: File) -> pa.Table:
        """Return the rows of a file whose bytes are proved to be those that the manifest names.

        Raises:
            BrokenArchive: if the file is missing or has other bytes.

        """
        content = self.store.read(file.path)
        if content is None or sha256(content).hexdigest() != file.digest:
            what = "is missing" if content is None else "was altered"
            raise BrokenArchive(f"The archive's file {file.path} {what}.")
        return pq.read_table(io.BytesIO(content), partitioning=None)

    def tidy(self) -> list[str]:
        """Remove what a run that died left behind, and return its names; only for the holder of the lock."""
        manifest = self.manifest()
        known = {file.path for part in manifest.segments for file in part.files.values()}
        known |= {one.path for one in manifest.retired} | {MANIFEST}
        orphans = [name for name in self.store.names() if name not in known and name.count("/") != 0]
        for name in orphans:
            self.store.remove(name)
        return orphans


def parquet(table: pa.Table) -> bytes:
    """Return a table as the bytes of a Parquet file.

    Numbers and instants grow from row to row, so they stand as differences: that takes a fraction of the
    bytes, and of the time to read them. What repeats, words and hashes, stands in a dictionary.
    """
    sink = io.BytesIO()
    growing = [field.name for field in table.schema if _grows(field.type)]
    repeating = [
        name
        for field in table.schema
        if field.name not in growing and not pa.types.is_boolean(field.type)
        for name in (field.name, f"{field.name}.list.element")
    ]
    pq.write_table(
        table, sink, compression="zstd", compression_level=_LEVEL, row_group_size=ROW_GROUP,
        use_dictionary=repeating, column_encoding=dict.fromkeys(growing, "DELTA_BINARY_PACKED"),
    )  # fmt: skip
    return sink.getvalue()


def _grows(kind: pa.DataType) -> bool:
    return bool(pa.types.is_int64(kind) or pa.types.is_timestamp(kind))


def _smallest_run(segments: Sequence[Segment]) -> Sequence[Segment]:
    """Return the first run of small segments of one day that is worth merging; empty where none is.

    The last day's run has to be large enough by itself, or each append would rewrite the one before.
    """
    run: list[Segment] = []
    for segment in segments:
        fits = (
            bool(run)
            and segment.day == run[0].day
            and segment.rows < SMALL
            and sum(part.rows for part in run) + segment.rows <= LARGE
        )
        if fits:
            run.append(segment)
            continue
        if len(run) > 1:
            return run
        run = [segment] if segment.rows < SMALL else []
    enough = len(run) > 1 and (sum(part.rows for part in run) >= SMALL or len(run) >= _MANY)
    return run if enough else ()


_MANY = 16
"""Segments of the day that is still being written that are merged however small they are."""


def _sorted(table: pa.Table) -> pa.Table:
    by = [name for name in ("type", "position") if name in table.column_names]
    return table.sort_by([(name, "ascending") for name in by])


def differing(ours: pa.Table, theirs: pa.Table) -> list[int]:
    """Return the positions of the rows that are in one table and not in the other."""
    with duckdb.connect() as connection:
        connection.register("ours", ours)
        connection.register("theirs", theirs)
        columns = ", ".join(f'"{name}"' for name in sorted({*ours.column_names, *theirs.column_names}))
        both: dict[str, Any] = {"a": "ours", "b": "theirs"}
        whole = {
            name: f"(select {columns} from (select * from {table} union all by name "
            f"select * from {both['b' if name == 'a' else 'a']} where false))"
            for name, table in both.items()
        }
        statement = (
            f'select distinct "position" from (({whole["a"]} except {whole["b"]}) union all '
            f"({whole['b']} except {whole['a']})) order by all"
        )
        return [row[0] for row in connection.execute(statement).fetchall()]
