"""A stretch of the log as columns: read through Arrow, taken apart by DuckDB, personal values hashed.

PostgreSQL hands over whole columns (ADBC), and DuckDB reads each event type's payload into that type's own
fields: no event becomes a Python object on the way. Rows are sorted by type and position: like stands by
like, which is what makes the files small and lets a report skip what it does not ask for.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_postgresql import dbapi

from event_store.archive_columns import ENVELOPE, HASHED, JSON, Column, all_columns, columns_of
from event_store.archive_hash import Hash
from event_store.codec import upcast
from event_store.connections import APPEND_ROLE
from event_store.log import LogUnavailable
from events.catalogue import event_named

type Connection = Any
"""A connection of ADBC, which has no types of its own."""

_READ = """
    select position, type, version, at, recorded, actor, channel, command_id, correlation, causation, tags,
        payload::text as payload
    from log.events where position > $1 and position <= $2 order by position
"""


@contextmanager
def arrow_connection(dsn: str) -> Iterator[Connection]:
    """Yield a connection that reads the log as Arrow tables; opening it costs more than reading a short day.

    Raises:
        LogUnavailable: if the database cannot be reached, or stops answering.

    """
    try:
        with dbapi.connect(dsn, autocommit=True) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f"set role {APPEND_ROLE}")
                cursor.execute("set timezone to 'UTC'")
            yield connection
    except dbapi.Error as failed:
        raise LogUnavailable(f"{LogUnavailable.__doc__} ({failed})") from failed


def raw_rows(connection: Connection, after: int, upto: int) -> pa.Table:
    """Return the log's rows after one position and up to another, as they stand there."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [after, upto])
        return cursor.fetch_arrow_table()


class LogRows:
    """Reads the log over one connection for as long as it lasts, and over a new one then. For one thread."""

    def __init__(self, dsn: str) -> None:
        """Connect when first asked."""
        self._dsn = dsn
        self._held = ExitStack()
        self._connection: Connection | None = None

    def between(self, after: int, upto: int) -> pa.Table:
        """Return the log's rows after one position and up to another, as they stand there.

        Raises:
            LogUnavailable: if the log cannot be reached.

        """
        if self._connection is not None:
            try:
                return raw_rows(self._connection, after, upto)
            except dbapi.Error:
                self.close()
        try:
            self._connection = self._held.enter_context(arrow_connection(self._dsn))
            return raw_rows(self._connection, after, upto)
        except dbapi.Error as failed:
            self.close()
            raise LogUnavailable(f"{LogUnavailable.__doc__} ({failed})") from failed

    def close(self) -> None:
        """Let go of the connection."""
        self._connection = None
        with suppress(dbapi.Error, LogUnavailable):
            self._held.close()


def column_maker(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Return a database for `as_columns`, which takes a while to make; of all cores, or so many threads."""
    made = duckdb.connect()
    made.execute("set timezone to 'UTC'")
    made.execute("set arrow_lossless_conversion to true")  # identifiers as 16 bytes, not as text
    if threads is not None:
        made.execute(f"set threads to {threads}")
    return made


def as_columns(rows: pa.Table, hashed: Hash, maker: duckdb.DuckDBPyConnection | None = None) -> pa.Table:
    """Return the archive's columns of raw rows, sorted by type and position; made by `maker` where given.

    Raises:
        UnknownEvent: if the catalogue lacks one of the events.
        NewerEvent: if a newer program wrote one of them.

    """
    rows = _raised(_plain(rows))
    with nullcontext(maker) if maker is not None else column_maker() as connection:
        connection.register("batch", rows)
        names = rows["type"].unique().to_pylist()
        parts = [_select(name) for name in sorted(names)] or [_select_nothing()]
        statement = " union all by name ".join(parts) + ' order by "type", "position"'
        found = connection.sql(statement).to_arrow_table()
        connection.unregister("batch")
    return _hash_columns(found, hashed)


def _plain(rows: pa.Table) -> pa.Table:
    """Return the rows without extension types."""
    return rows.replace_schema_metadata(None)


def _raised(rows: pa.Table) -> pa.Table:
    """Return the rows with the payloads of older schema versions raised to the present one."""
    current = pa.array([event_named(name).version for name in rows["type"].unique().to_pylist()], pa.int16())
    of_row = pc.take(current, pc.index_in(rows["type"], rows["type"].unique()))
    older = pc.not_equal(rows["version"], of_row)
    if not pc.any(older).as_py():
        return rows
    payloads = rows["payload"].to_pylist()
    names, versions = rows["type"].to_pylist(), rows["version"].to_pylist()
    for number, is_older in enumerate(older.to_pylist()):
        if is_older:
            raised = upcast(event_named(names[number]), versions[number], payloads[number].encode())
            payloads[number] = raised.decode()
    column = rows.schema.get_field_index("payload")
    return rows.set_column(column, "payload", pa.array(payloads, pa.string()))


def _select(name: str) -> str:
    """Return the query that takes the payloads of one event type apart."""
    columns = columns_of(event_named(name))
    stated = {c.field: c.type for c in columns if c.tag is None and c.path is None}
    wanted = [*(f'"{name}"' for name in ENVELOPE), *(_extract(column, columns) for column in columns)]
    source = f"select *, from_json(payload, '{_structure(stated)}') as said" if stated else "select *"
    return f"(select {', '.join(wanted)} from ({source} from batch where type = '{name}'))"


def _select_nothing() -> str:
    nulls = ", ".join(f'null::{_read_as(kind)} as "{name}"' for name, kind in all_columns().items())
    return f"(select {nulls} where false)"


def _structure(fields: dict[str, str]) -> str:
    return msgspec.json.encode(fields).decode().replace("'", "''")


def _extract(column: Column, columns: tuple[Column, ...]) -> str:
    """Return the expression of a column: from the payload; of a personal one, what is to be hashed."""
    if column.path is not None:
        return f"""'place:' || json_extract_string(payload, '{column.path}') as {column.name}"""
    if column.tag is None:
        value = f'said."{column.field}"'
        return (
            f'{value}::VARCHAR as "{column.name}"' if column.type == JSON else f'{value} as "{column.name}"'
        )
    tags = f"list_filter(tags, lambda one: starts_with(one, '{column.tag}:'))"
    if column.type.endswith("[]"):
        return f'{tags} as "{column.name}"'
    before = [c for c in columns[: columns.index(column)] if c.tag == column.tag]
    return f'{tags}[{len(before) + 1}] as "{column.name}"'


def _read_as(kind: str) -> str:
    """Return the type in which a column leaves DuckDB, before hashing."""
    return {JSON: "VARCHAR", HASHED: "VARCHAR", f"{HASHED}[]": "VARCHAR[]"}.get(kind, kind)


def _hash_columns(found: pa.Table, hashed: Hash) -> pa.Table:
    """Return the table with tags of personal values hashed, and with every column that there is."""
    arrays: list[pa.Array | pa.ChunkedArray] = []
    names: list[str] = []
    for name, kind in all_columns().items():
        if name not in found.column_names:
            continue
        column = found[name].combine_chunks()
        if kind == HASHED:
            column = _hashes(column, hashed)
        elif kind == f"{HASHED}[]":
            values = _hashes(column.values, hashed)
            column = pa.ListArray.from_arrays(column.offsets, values, mask=column.is_null())
        elif kind == "BOOLEAN":
            column = pc.cast(column.storage, pa.bool_()) if hasattr(column, "storage") else column
        names.append(name)
        arrays.append(column)
    return pa.table(arrays, names=names)


def _hashes(tags: pa.Array, hashed: Hash) -> pa.Array:
    encoded = tags.dictionary_encode()
    values = [None if tag is None else hashed(tag) for tag in encoded.dictionary.to_pylist()]
    return pc.take(pa.array(values, pa.uint64()), encoded.indices)
