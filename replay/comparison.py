"""What a rebuilt read model would change for its readers: the rows that differ, and the event behind each.

Both builds are compared as they were known at one position that both have come to, in the columns that they
share. The database compares them as sets; what differs is streamed, so that it may be any number of rows.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import Connection

from projections.projection import Projection, label
from projections.table import ENGINE_COLUMNS, OPEN

type Change = Literal["added", "gone", "changed"]
PIECE = 20_000
_SHARED = """
    SELECT a.attname FROM pg_attribute a JOIN pg_attribute b USING (attname, atttypid)
    WHERE a.attrelid = %s::regclass AND b.attrelid = %s::regclass AND a.attnum > 0 AND b.attnum > 0
    AND NOT a.attisdropped AND NOT b.attisdropped ORDER BY a.attnum
"""
_OWN = """
    SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""
_DIFFERENCES = """
    WITH before AS (SELECT key, known_from, part, {until}, {own} FROM views.{old} t WHERE known_from <= {p}),
    after AS (SELECT key, known_from, part, {until}, {own} FROM views.{new} t WHERE known_from <= {p}),
    gone AS (SELECT * FROM before EXCEPT SELECT * FROM after),
    added AS (SELECT * FROM after EXCEPT SELECT * FROM before),
    paired AS (
        SELECT key, known_from, part,
            CASE WHEN g IS NULL THEN 'added' WHEN a IS NULL THEN 'gone' ELSE 'changed' END AS change,
            to_jsonb(g) AS live, to_jsonb(a) AS rebuilt,
            CASE WHEN to_jsonb(g) - 'known_until' = to_jsonb(a) - 'known_until'
                THEN least(g.known_until, a.known_until) ELSE known_from END AS explained
        FROM gone g FULL JOIN added a USING (key, known_from, part)
    )
    SELECT p.change, p.key, p.known_from, p.part, p.live, p.rebuilt, p.explained, e.type, e.at
    FROM paired p LEFT JOIN log.events e ON e.position = p.explained ORDER BY p.explained, p.key, p.part
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that differs; `position`, `type` and `at` are those of the event that explains it.

    `live` and `rebuilt` are the row by column, `None` where it is not there; `columns` those that differ.
    """

    change: Change
    key: str
    known_from: int
    part: int
    live: dict[str, Any] | None
    rebuilt: dict[str, Any] | None
    position: int
    type: str | None
    at: datetime | None

    @property
    def columns(self) -> Sequence[str]:
        """The columns in which the row differs; all of its own where it is on one side only."""
        if self.live is None or self.rebuilt is None:
            return ()
        return [name for name, value in self.rebuilt.items() if self.live[name] != value]


class Comparison:
    """Two builds of one read model, compared at a position that both have come to.

    `added` and `gone` count the rows of one side only, `changed` those of the same place with other values.
    """

    def __init__(self, dsn: str, build: Projection) -> None:
        """Compare a build with the one that is live."""
        self._dsn = dsn
        self.build = build
        self.counts: dict[Change, int] = {"added": 0, "gone": 0, "changed": 0}
        with psycopg.connect(dsn) as connection:
            self.live, self.position = _sides(connection, build)
            old, new = f"views.{_table(self.live, build)}", f"views.{build.table_name}"
            shared = [row[0] for row in connection.execute(_SHARED, [old, new])]
            theirs, ours = ([row[0] for row in connection.execute(_OWN, [one])] for one in (old, new))
        self.columns = [name for name in shared if name not in ENGINE_COLUMNS]
        self.columns_added = [name for name in ours if name not in shared]
        self.columns_gone = [name for name in theirs if name not in shared]

    def differences(self) -> Iterator[Difference]:
        """Yield every row that differs, in the order of the events that explain them, and count them."""
        p = self.position
        statement = _DIFFERENCES.format(
            old=_table(self.live, self.build),
            new=self.build.table_name,
            own=", ".join(f'"{name}"' for name in self.columns),
            until=f"CASE WHEN known_until > {p} THEN {OPEN} ELSE known_until END AS known_until",
            p=p,
        )
        self.counts = {"added": 0, "gone": 0, "changed": 0}
        with psycopg.connect(self._dsn) as connection, connection.cursor("differences") as cursor:
            connection.execute("SET LOCAL work_mem TO '256MB'; SET LOCAL jit TO off; SET timezone TO 'UTC'")
            cursor.itersize = PIECE
            cursor.execute(statement.encode())
            for row in cursor:
                self.counts[row[0]] += 1
                yield Difference(*row)

    def written_to(self, path: Path, seen: int = 20) -> list[Difference]:
        """Write all differences to a Parquet file, and return the first of them."""
        import pyarrow as pa  # noqa: PLC0415 - loading it takes longer than most comparisons
        import pyarrow.parquet as pq  # noqa: PLC0415

        schema = pa.schema(
            [
                ("change", pa.string()), ("key", pa.string()), ("known_from", pa.int64()),
                ("part", pa.int16()), ("position", pa.int64()), ("type", pa.string()),
                ("at", pa.timestamp("us", tz="UTC")),
                ("columns", pa.list_(pa.string())), ("live", pa.string()), ("rebuilt", pa.string()),
            ]
        )  # fmt: skip
        first: list[Difference] = []
        partial = path.with_name(path.name + ".tmp")
        with pq.ParquetWriter(partial, schema) as writer:
            piece: list[dict[str, Any]] = []
            for one in self.differences():
                if len(first) < seen:
                    first.append(one)
                piece.append(as_row(one))
                if len(piece) >= PIECE:
                    writer.write_table(pa.Table.from_pylist(piece, schema))
                    piece = []
            writer.write_table(pa.Table.from_pylist(piece, schema))
        partial.replace(path)
        return first

    def counted(self, seen: int = 20) -> list[Difference]:
        """Count all differences, and return the first of them."""
        first: list[Difference] = []
        for one in self.differences():
            if len(first) < seen:
                first.append(one)
        return first


def as_row(one: Difference) -> dict[str, Any]:
    """Return a difference as values that files and programs take."""
    return {
        "change": one.change,
        "key": one.key,
        "known_from": one.known_from,
        "part": one.part,
        "position": one.position,
        "type": one.type,
        "at": one.at,
        "columns": list(one.columns),
        "live": None if one.live is None else json.dumps(one.live, sort_keys=True),
        "rebuilt": None if one.rebuilt is None else json.dumps(one.rebuilt, sort_keys=True),
    }


def _sides(connection: Connection[Any], build: Projection) -> tuple[tuple[int, int], int]:
    """Return version and build of the live side, and the position that both sides have come to."""
    rows = connection.execute(
        "SELECT version, build, live, position FROM views.progress WHERE name = %s"
        " AND (live OR (version, build) = (%s, %s))",
        build.identity,
    ).fetchall()
    live = next((row for row in rows if row[2]), None)
    if live is None or len(rows) < 2:  # noqa: PLR2004 - two sides
        raise LookupError(f"there is nothing to compare {label(*build.identity)} with")
    return (live[0], live[1]), min(row[3] for row in rows)


def _table(live: tuple[int, int], build: Projection) -> str:
    version, number = live
    return f"{build.name}_{version}" + (f"_{number}" if number > 1 else "")
