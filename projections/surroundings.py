"""What stands around a case or a vehicle in the log, read in one round trip.

`log.around` follows the tags of what it finds from level to level. That may be more than belongs on a
timeline: which of it does, the rounds of `projections.timeline` tell, which ask here as they would the log.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from event_store.codec import JOINED, Codec, Row
from projections.cells import Broken, Entry
from projections.history import COLUMNS, LogReader
from projections.timeline_scope import CASE, TYPES, Key, tag_of

LEVELS = 4
"""From a citation to its vehicle, to what the vehicle had, to how that was paid and on which terms."""
ONCE = frozenset({"plate"})
"""What other vehicles a permit has leads elsewhere: plates are followed from the first level only."""
_ENVELOPE = 11
"""Columns that a row is revived from; its tags and its level follow."""

_AROUND = f"""
WITH moment AS MATERIALIZED (
    SELECT e.position, e.recorded
    FROM (SELECT coalesce(max(position), 0) AS head FROM log.events) h
    LEFT JOIN log.events e ON e.position = least(h.head, CASE
        WHEN %b::timestamptz IS NOT NULL THEN log.position_at(%b) ELSE coalesce(%b, h.head) END)
)
SELECT m.position, m.recorded, (
    SELECT p.position FROM log.events p WHERE p.type = 'PolicyAdopted' ORDER BY p.position DESC LIMIT 1
), {COLUMNS}, e.tags, a.level
FROM moment m
LEFT JOIN LATERAL log.around(%b, %b, %b, %b, %b, m.position, {LEVELS}) a ON true
LEFT JOIN LATERAL (SELECT * FROM log.events e WHERE e.position = a.position OFFSET 0) e ON true
ORDER BY e.position
"""


class Surroundings:
    """What was found around a thing, up to the position that is known."""

    def __init__(
        self, connection: Connection[Any], codec: Codec, first: Key, known: int | datetime | None
    ) -> None:
        """Read what stands around `first`, as known at a position, at an instant, or now."""
        self._codec = codec
        self._log = LogReader(connection, codec)
        self._first = codec.tag(tag_of(first))
        self._by_tag: defaultdict[str, list[Row]] = defaultdict(list)
        self._covered = {self._first}
        rows = self._read(connection, first, known)
        self.position: int = rows[0][0] or 0
        self.recorded: datetime | None = rows[0][1]
        self.newest_policy: int = rows[0][2] or 0
        for row in rows:
            if row[3] is not None:
                self._keep(row[3:])

    def _read(self, connection: Connection[Any], first: Key, known: int | datetime | None) -> list[Any]:
        instant = known if isinstance(known, datetime) else None
        number = known if isinstance(known, int) else None
        kinds = _followed(first)
        asked: list[object] = [instant, instant, number, self._first, _names(first[0])]
        asked += [list(kinds), [JOINED.join(names) for names in kinds.values()], list(ONCE)]
        with connection.cursor(binary=True) as cursor:
            return cursor.execute(_AROUND.encode(), asked).fetchall()

    def _keep(self, found: Sequence[Any]) -> None:
        row, tags, level = found[:_ENVELOPE], found[_ENVELOPE], found[_ENVELOPE + 1]
        for tag in tags:
            self._by_tag[tag].append(row)  # type: ignore[arg-type]  # the columns of a row, and no more
            if level < LEVELS - 1 and (level == 0 or tag.partition(":")[0] not in ONCE):
                self._covered.add(tag)

    def history(self, keys: Iterable[Key]) -> Iterator[Entry | Broken]:
        """Yield the entries of things, of the types in `timeline_scope.TYPES`; some come again."""
        for key in keys:
            tag, names = self._codec.tag(tag_of(key)), frozenset(_names(key[0]))
            if tag in self._covered:
                yield from self._log.revived([row for row in self._by_tag[tag] if row[1] in names])
            else:
                yield from self._log.history([tag_of(key)], sorted(names), self.position)


def _followed(first: Key) -> dict[str, list[str]]:
    """Return the types that are read of each kind of tag; a vehicle's citations are cases themselves."""
    kinds = {kind: _names(kind) for kind in TYPES if kind != CASE}
    return kinds if first[0] == CASE else {**kinds, "citation": _names(CASE)}


def _names(kind: str) -> list[str]:
    return [event.__name__ for event in TYPES[kind]]
