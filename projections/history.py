"""Reading the log for projections: pages of what comes next, and all that touched a few keys so far."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from event_store.codec import Codec, Row
from events.base import Event
from events.envelope import Recorded
from projections.cells import Broken, Entry
from projections.changes import OpenRow
from projections.projection import Projection
from projections.table import OPEN

COLUMNS = (
    "e.position, e.type, e.version, e.at, e.recorded, e.payload, e.actor, e.channel,"
    " e.command_id, e.correlation, e.causation"
)
_END = (
    "SELECT e.position, e.recorded FROM log.events e"
    " WHERE e.position <= %s AND e.position > %s ORDER BY e.position DESC LIMIT 1"
)
_PAGE = (
    f"SELECT {COLUMNS} FROM log.events e WHERE e.position > %s AND e.position <= %s AND e.type = ANY(%s)"
    " ORDER BY e.position"
)
_AT = f"SELECT {COLUMNS} FROM log.events e WHERE e.position = ANY(%s) ORDER BY e.position"
_HISTORY = (
    f"SELECT {COLUMNS} FROM ("
    "   SELECT DISTINCT t.position FROM log.tags t"
    "   WHERE t.tag = ANY(%s) AND t.type = ANY(%s) AND t.position <= %s) t"
    " CROSS JOIN LATERAL (SELECT * FROM log.events e WHERE e.position = t.position OFFSET 0) e"
    " ORDER BY position"
)
# A few events of a long log: `OFFSET 0` and the function see to it that only these are read. With statistics
# at hand, the planner would rather walk the whole log by positions than sort what it takes to be many.
_COMMON = (
    f"SELECT {COLUMNS} FROM log.positions(NULL, %s::text[], 0, %s, 9223372036854775807) p (position)"
    " CROSS JOIN LATERAL (SELECT * FROM log.events e WHERE e.position = p.position OFFSET 0) e"
    " ORDER BY e.position"
)
_NEW = (
    "SELECT n FROM unnest(%s::text[]) WITH ORDINALITY t (tag, n)"
    " WHERE NOT EXISTS (SELECT FROM log.tags x WHERE x.tag = t.tag AND x.position <= %s)"
)
_TAGS = "SELECT tags FROM log.events WHERE position = %s"


@dataclass(frozen=True, slots=True)
class Page:
    """What a stretch of the log holds for some projections, and where the stretch ends."""

    upto: int
    recorded: datetime
    entries: Sequence[Entry | Broken]


class LogReader:
    """Reads the log over a connection that belongs to somebody else."""

    def __init__(self, connection: Connection[Any], codec: Codec | None = None) -> None:
        """Read over `connection`; see `projections.connection`."""
        self._connection = connection
        self._codec = codec or Codec.over(connection)

    def page(self, after: int, size: int, types: Sequence[str]) -> Page | None:
        """Return what lies in the next `size` positions after `after`; None where the log ends there."""
        end = self._rows(_END, after + size, after)
        if not end:
            return None
        upto, recorded = end[0]
        return Page(upto, recorded, self.revived(self._rows(_PAGE, after, upto, list(types))))

    def at(self, positions: Iterable[int]) -> list[Entry | Broken]:
        """Return the entries at these positions, in order."""
        return self.revived(self._rows(_AT, list(positions)))

    def history(self, tags: Iterable[str], types: Iterable[str], upto: int) -> list[Entry | Broken]:
        """Return the entries of these types that carry any of the tags, up to a position, in order."""
        kept = [self._codec.tag(tag) for tag in tags]
        return self.revived(self._rows(_HISTORY, kept, list(types), upto)) if kept else []

    def untouched(self, keys: Iterable[str], upto: int) -> frozenset[str]:
        """Return those of the keys that no event up to a position carries as a tag."""
        asked = list(keys)
        rows = self._rows(_NEW, [self._codec.tag(key) for key in asked], upto) if asked else []
        return frozenset(asked[row[0] - 1] for row in rows)

    def all_of(self, types: Iterable[str], upto: int) -> list[Entry | Broken]:
        """Return all entries of these types up to a position, in order; for types of which there are few."""
        return self.revived(self._rows(_COMMON, list(types), upto))

    def _rows(self, statement: str, *parameters: object) -> list[Any]:
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(statement.encode(), parameters).fetchall()

    def revived(self, rows: Sequence[Row]) -> list[Entry | Broken]:
        """Return the entries of rows, `Broken` where one cannot be read."""
        revive = self._codec.revive
        try:
            return [revive(row) for row in rows]
        except Exception:  # noqa: BLE001 - found again below, row by row
            return [self._revived_or_broken(row) for row in rows]

    def _revived_or_broken(self, row: Row) -> Recorded[Event] | Broken:
        try:
            return self._codec.revive(row)
        except Exception as error:  # noqa: BLE001 - whatever it is, it stops the keys of this event only
            tags = self._rows(_TAGS, row[0])[0][0]
            return Broken(row[0], row[1], tuple(tags), f"{type(error).__name__}: {error}")


class Stored:
    """What a projection's fold is brought back from: the log up to its position, and its own table."""

    def __init__(
        self,
        connection: Connection[Any],
        projection: Projection,
        position: int,
        untouched: frozenset[str] = frozenset(),
        codec: Codec | None = None,
    ) -> None:
        """Read as of `position`, where the projection stands; `untouched` keys are known to have no past."""
        self._connection = connection
        self._reader = LogReader(connection, codec)
        self._projection = projection
        self._position = position
        self._untouched = untouched
        own = ", ".join(f'"{column}"' for column in projection.table.columns)
        self._open = (
            f"SELECT key, known_from, part, {own} FROM views.{projection.table_name}"
            f" WHERE key = ANY(%s) AND known_until = {OPEN}"
        ).encode()

    def history(self, keys: Sequence[str]) -> list[Entry | Broken]:
        """Return the entries that touch any of the keys, up to the projection's position."""
        found: list[Entry | Broken] = []
        touched = [key for key in keys if key not in self._untouched]
        for thing in self._projection.things:
            types = sorted(event.__name__ for event in thing.types)
            if thing.common and thing.common_key in keys:
                found += self._reader.all_of(types, self._position)
            elif not thing.common:
                own = [key for key in touched if key.startswith(f"{thing.kind}:")]
                found += self._reader.history(own, types, self._position)
        return found

    def open_rows(self, keys: Sequence[str]) -> Iterable[OpenRow]:
        """Return the rows of the keys that nothing has superseded."""
        touched = [key for key in keys if key not in self._untouched]
        if not touched:
            return []
        with self._connection.cursor(binary=True) as cursor:
            found = cursor.execute(self._open, [touched]).fetchall()
        return [OpenRow(row[0], row[1], row[2], as_written(row[3:])) for row in found]


def as_written(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values of a row as a projection gives them: lists as tuples."""
    return tuple(tuple(value) if type(value) is list else value for value in values)
