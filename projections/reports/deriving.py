"""From a stretch of the log to the rows of the derived data sets, folded in order.

The folds remember what they have seen. What is not in memory is read back from the log by its tags, as the
read models do, so a process may begin at any position. A thing whose event cannot be folded stands still
there, and is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pyarrow as pa
from psycopg import Connection

from event_store.archive_hash import Hash
from event_store.codec import Codec
from projections.cells import Broken, Entry
from projections.changes import OpenRow
from projections.fold import Fold
from projections.history import LogReader
from projections.projection import Projection
from projections.reports.derived import DERIVED

_TYPES = {
    int: pa.int64(),
    str: pa.string(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", "UTC"),
}
_HASHED = frozenset({"plate"})


class _Past:
    """The log up to a position, as what a fold is brought back from; no rows are compared."""

    def __init__(self, reader: LogReader, projection: Projection, position: int) -> None:
        self._reader = reader
        self._projection = projection
        self._position = position

    def history(self, keys: Sequence[str]) -> Sequence[Entry | Broken]:
        """Return the entries that touch any of the keys, up to the position."""
        found: list[Entry | Broken] = []
        for thing in self._projection.things:
            types = sorted(event.__name__ for event in thing.types)
            if thing.common and thing.common_key in keys:
                found += self._reader.all_of(types, self._position)
            elif not thing.common:
                own = [key for key in keys if key.startswith(f"{thing.kind}:")]
                found += self._reader.history(own, types, self._position)
        return found

    def open_rows(self, keys: Sequence[str]) -> Iterable[OpenRow]:
        """Return nothing: every version is told whole."""
        del keys
        return ()


class Deriving:
    """The folds of all derived data sets, at one position of the log. Not for several threads at once."""

    def __init__(self, hashed: Hash, after: int, parked: Mapping[str, int], codec: Codec) -> None:
        """Begin after a position; `parked` are the things that stand still, each with where."""
        self.after = after
        self._codec = codec
        self._hashed = hashed
        self._folds = {
            name: Fold(projection, _of(parked, name), complete=after == 0)
            for name, (projection, _) in DERIVED.items()
        }
        self._own = {name: frozenset(fold.projection.types) for name, fold in self._folds.items()}
        self._types = sorted(frozenset().union(*self._own.values()))

    @property
    def parked(self) -> dict[str, int]:
        """The things that stand still, `data set/key`, each with the position that it stopped at."""
        return {f"{name}/{key}": at for name, fold in self._folds.items() for key, at in fold.parked.items()}

    def derive(self, connection: Connection[Any], upto: int) -> dict[str, pa.Table]:
        """Return the rows that follow from the events up to a position, by the name of the data set."""
        reader = LogReader(connection, self._codec)
        page = reader.page(self.after, upto - self.after, self._types)
        entries = page.entries if page is not None else ()
        found = {}
        for name, fold in self._folds.items():
            own = [entry for entry in entries if _wire_name(entry) in self._own[name]]
            changes = fold.apply(own, _Past(reader, fold.projection, self.after))
            found[name] = self._table(name, [(row[1], *row[5:]) for row in changes.opened])
        self.after = upto
        return found

    def _table(self, name: str, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
        """Return rows as columns: the position that a version is known from, then the row's own."""
        columns = list(zip(*rows, strict=True)) if rows else None
        schema = schema_of(name)
        arrays = []
        for number, field in enumerate(schema):
            values = list(columns[number]) if columns else []
            if field.name in _HASHED:
                values = [None if tag is None else self._hashed(self._codec.tag(tag)) for tag in values]
            arrays.append(pa.array(values, field.type))
        return pa.table(arrays, schema=schema)


def schema_of(name: str) -> pa.Schema:
    """Return the columns of a derived data set."""
    _, row = DERIVED[name]
    fields = [pa.field("position", pa.int64())]
    for column, hint in get_type_hints(row).items():
        if column != "version":
            fields.append(pa.field(column, pa.uint64() if column in _HASHED else _type(hint)))
    return pa.schema(fields)


def _type(hint: Any) -> pa.DataType:
    """Return the Arrow type of an annotation, which may be optional."""
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not NoneType]
    return pa.list_(pa.string()) if get_origin(hint) is tuple else _TYPES[kinds[0]]


def _wire_name(entry: Entry | Broken) -> str:
    return entry.wire_name if isinstance(entry, Broken) else type(entry.event).__name__


def _of(parked: Mapping[str, int], name: str) -> dict[str, int]:
    prefix = f"{name}/"
    return {key.removeprefix(prefix): at for key, at in parked.items() if key.startswith(prefix)}
