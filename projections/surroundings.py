"""What stands around a case or a vehicle in the log, read in one round trip.

`log.around` follows the tags of what it finds from level to level. That may be more than belongs on a
timeline: which of it does, the rounds of `projections.timeline` tell, which ask here as they would the log.
What was found stays true up to its position. So it is remembered, as sealed as it stands in the log: as of an
earlier moment nothing is read again, and later only whether anything touched it since.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
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
KEPT = 50_000
"""Rows that are remembered, about a kilobyte each."""
LARGEST = 1_000
"""Rows around one thing beyond which they are read again."""
_HEAD = 3
"""Columns that tell of the moment; the event's own follow, then its tags and its level."""
_ENVELOPE = 11
"""Columns that a row is revived from."""

_MOMENT = """
WITH moment AS MATERIALIZED (
    SELECT e.position, e.recorded
    FROM (SELECT coalesce(max(position), 0) AS head FROM log.events) h
    LEFT JOIN log.events e ON e.position = least(h.head, CASE
        WHEN %b::timestamptz IS NOT NULL THEN log.position_at(%b) ELSE coalesce(%b, h.head) END)
)
SELECT m.position, m.recorded, (
    SELECT p.position FROM log.events p WHERE p.type = 'PolicyAdopted' ORDER BY p.position DESC LIMIT 1
)"""
_TOUCHED = f"""{_MOMENT}, coalesce(m.position, 0) > %b AND log.touched(%b, %b, %b) FROM moment m""".encode()


def _names(kind: str) -> list[str]:
    return [event.__name__ for event in TYPES[kind]]


def _followed(kind: str) -> dict[str, list[str]]:
    """Return the types that are read of each kind of tag; a vehicle's citations are cases themselves."""
    kinds = {one: _names(one) for one in TYPES if one != CASE}
    return kinds if kind == CASE else {**kinds, "citation": _names(CASE)}


def _literal(texts: Iterable[str]) -> str:
    return "'{" + ",".join(f'"{text}"' for text in texts) + "}'::text[]"


def _around(kind: str) -> bytes:
    """Return the statement that reads around a thing of a kind; only the thing and the moment are asked."""
    kinds = _followed(kind)
    names = _literal(JOINED.join(names) for names in kinds.values())
    return f"""{_MOMENT}, {COLUMNS}, e.tags, a.level
        FROM moment m
        LEFT JOIN LATERAL log.around(
            %b, {_literal(_names(kind))}, {_literal(kinds)}, {names}, {_literal(ONCE)}, m.position, {LEVELS}
        ) a ON true
        LEFT JOIN LATERAL (SELECT * FROM log.events e WHERE e.position = a.position OFFSET 0) e ON true
        ORDER BY e.position""".encode()


_AROUND = {kind: _around(kind) for kind in (CASE, "plate")}
_KINDS = {kind: _followed(kind) for kind in _AROUND}


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known: up to which position, when that was recorded, and the newest policy of all."""

    position: int
    recorded: datetime | None
    newest_policy: int

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Moment":
        """Return the moment that a row begins with."""
        return cls(row[0] or 0, row[1], row[2] or 0)


class Found:
    """What was found around a thing, up to a position."""

    def __init__(self, codec: Codec, first: Key, upto: int, rows: Iterable[Sequence[Any]]) -> None:
        """Hold the rows by their tags; each has an event's columns, its tags and its level."""
        self.upto = upto
        self.size = 0
        self.by_tag: defaultdict[str, list[Row]] = defaultdict(list)
        begin = codec.tag(tag_of(first))
        kinds = _KINDS[first[0]]
        names: dict[str, Sequence[str]] = {begin: _names(first[0])}
        self.covered = {begin}
        for row in rows:
            self.size += 1
            event: Any = row[:_ENVELOPE]
            tags, level = row[_ENVELOPE], row[_ENVELOPE + 1]
            for tag in tags:
                self.by_tag[tag].append(event)
                kind = tag.partition(":")[0]
                if level < LEVELS - 1 and (level == 0 or kind not in ONCE):
                    self.covered.add(tag)
                    if kind in kinds:
                        names.setdefault(tag, kinds[kind])
        self.followed = list(names), [JOINED.join(some) for some in names.values()]
        """The tags that lead to more, and the types that are read of each."""


class Surroundings:
    """What was found around a thing, as of a moment."""

    def __init__(self, log: LogReader, codec: Codec, found: Found, moment: Moment) -> None:
        """Tell of what was found up to the moment, and read from the log what was not looked for."""
        self._log, self._codec, self._found = log, codec, found
        self.moment = moment

    def history(self, keys: Iterable[Key]) -> Iterator[Entry | Broken]:
        """Yield the entries of things, of the types in `timeline_scope.TYPES`; some come again."""
        found, upto = self._found, self.moment.position
        for key in keys:
            tag, names = self._codec.tag(tag_of(key)), frozenset(_names(key[0]))
            if tag in found.covered:
                rows = [row for row in found.by_tag.get(tag, ()) if row[1] in names and row[0] <= upto]
                yield from self._log.revived(rows)
            else:
                yield from self._log.history([tag_of(key)], sorted(names), upto)


class Neighbourhood:
    """Finds what stands around things; remembers what was found last. Several threads may ask."""

    def __init__(self, codec: Codec) -> None:
        """Remember nothing yet."""
        self._codec = codec
        self._kept: OrderedDict[Key, Found] = OrderedDict()
        self._rows = 0
        self._lock = Lock()

    def around(self, connection: Connection[Any], first: Key, known: int | datetime | None) -> Surroundings:
        """Return what stands around a thing as known at a position, at an instant, or now."""
        log = LogReader(connection, self._codec)
        instant = known if isinstance(known, datetime) else None
        asked = [instant, instant, known if isinstance(known, int) else None]
        with self._lock:
            found = self._kept.get(first)
            if found is not None:
                self._kept.move_to_end(first)
        if found is not None:
            moment = self._still(connection, found, asked)
            if moment is not None:
                return Surroundings(log, self._codec, found, moment)
        with connection.cursor(binary=True) as cursor:
            begin = self._codec.tag(tag_of(first))
            rows = cursor.execute(_AROUND[first[0]], [*asked, begin]).fetchall()
        moment = Moment.of(rows[0])
        told = (row[_HEAD:] for row in rows if row[_HEAD] is not None)
        found = Found(self._codec, first, moment.position, told)
        self._keep(first, found)
        return Surroundings(log, self._codec, found, moment)

    def _still(self, connection: Connection[Any], found: Found, asked: Sequence[object]) -> Moment | None:
        """Return the moment that is asked about, if what was found holds then; nothing if it was touched."""
        with connection.cursor(binary=True) as cursor:
            row = cursor.execute(_TOUCHED, [*asked, found.upto, *found.followed, found.upto]).fetchone()
        return None if row is None or row[_HEAD] else Moment.of(row)

    def _keep(self, first: Key, found: Found) -> None:
        with self._lock:
            known = self._kept.get(first)
            if found.size > LARGEST or (known is not None and known.upto > found.upto):
                return
            self._rows += found.size - (known.size if known is not None else 0)
            self._kept[first] = found
            self._kept.move_to_end(first)
            while self._rows > KEPT:
                self._rows -= self._kept.popitem(last=False)[1].size
