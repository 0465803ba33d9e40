"""History as Parquet: one row an entry, in a file that is written part by part, so that memory stays flat."""

from collections.abc import Iterable, Sequence
from tempfile import NamedTemporaryFile

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from events.base import Event
from events.envelope import Recorded
from read_api.entries import entry_of

_UTC = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("position", pa.int64()),
        ("type", pa.string()),
        ("version", pa.int16()),
        ("at", _UTC),
        ("recorded", _UTC),
        ("actor", pa.string()),
        ("channel", pa.string()),
        ("command_id", pa.string()),
        ("correlation", pa.string()),
        ("causation", pa.int64()),
        ("tags", pa.list_(pa.string())),
        ("data", pa.string()),
    ]
)
"""`data` is the fields of the event's type as JSON; everything else is a column of its own."""


def parquet_file(parts: Iterable[Sequence[Recorded[Event]]]) -> str:
    """Return the path of a temporary file that holds the entries; whoever asked deletes it."""
    with NamedTemporaryFile(suffix=".parquet", delete=False) as file:
        with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            for part in parts:
                writer.write_table(pa.Table.from_pylist([_row(entry) for entry in part], SCHEMA))
        return file.name


def _row(entry: Recorded[Event]) -> dict[str, object]:
    row = entry_of(entry)
    row["data"] = msgspec.json.encode(row["data"]).decode()
    for name in ("command_id", "correlation"):
        row[name] = None if row[name] is None else str(row[name])
    return row
