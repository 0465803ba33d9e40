"""The timeline of a citation or of a vehicle: both clocks, what was known, and what the screen showed.

It is read from the log itself by the index of its tags, in a handful of round trips however long the log is,
so it is never behind and exact at every `known`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from commands.rights import PAYMENT_EVENTS, RIGHT_EVENTS, Rights, evolve_rights
from event_store.codec import Codec
from events.base import Event
from events.citations import CitationIssued
from events.envelope import Recorded
from events.permits import PermitTypeOffered
from events.policies import PolicyAdopted
from events.reads import PlateRead, PlateReadCorrected, Shown
from projections.as_of import AsOf
from projections.cells import Broken
from projections.history import LogReader
from projections.timeline_scope import TYPES, Key, Scope, tag_of

_MOMENT = """
SELECT e.position, e.recorded, h.head
FROM (SELECT coalesce(max(position), 0) AS head FROM log.events) h
LEFT JOIN log.events e ON e.position = least(h.head, CASE
    WHEN %b::timestamptz IS NOT NULL THEN log.position_at(%b) ELSE coalesce(%b, h.head) END)
"""
_RIGHTS: frozenset[type[Event]] = frozenset(
    {*RIGHT_EVENTS, *PAYMENT_EVENTS, PermitTypeOffered, PolicyAdopted}
)


class KnownThen(msgspec.Struct, frozen=True):
    """How the plate stood at an entry's instant, by the log as it was at some position."""

    answer: str
    right: str | None
    end: datetime | None


class TimelineEntry(msgspec.Struct, frozen=True):
    """One entry: `at` is when it happened, `recorded` when the log learned of it.

    `was` is the plate as it was first read, of a correction. `shown` is what the officer's screen answered.
    Of reads and citations, `known_then` is how the plate stood at `at` by what the log held when it took the
    entry, and `known_now` by all that the timeline knows.
    """

    position: int
    at: datetime
    recorded: datetime
    type: str
    area: str
    fields: Mapping[str, Any]
    actor: str
    channel: str
    device_time: datetime | None = None
    was: str | None = None
    shown: Shown | None = None
    known_then: KnownThen | None = None
    known_now: KnownThen | None = None


class Timeline(msgspec.Struct, frozen=True):
    """All that touches a citation or a vehicle, in the order of `at`, then of position.

    `plate` and `zone` are those of the citation, `None` while the log does not hold it. `known` is the
    position that it was asked at.
    """

    citation: str | None
    plate: str | None
    zone: str | None
    entries: tuple[TimelineEntry, ...]
    known: int
    as_of: AsOf


def timeline(
    connection: Connection[Any],
    codec: Codec,
    *,
    citation: str | None = None,
    plate: str | None = None,
    known: int | datetime | None = None,
) -> Timeline:
    """Return the timeline of a citation, or else of a vehicle, as known at a position or an instant."""
    position, recorded, _ = _moment(connection, known)
    scope = Scope(citation, plate)
    entries = _entries(LogReader(connection, codec), scope, position)
    shown = [entry for entry in entries if scope.shows(entry)]
    return Timeline(
        citation,
        scope.plate,
        scope.zone,
        told(entries, shown),
        position,
        AsOf(position, recorded, 0.0),
    )


def _moment(connection: Connection[Any], known: int | datetime | None) -> tuple[int, datetime | None, int]:
    """Return the position that `known` means, when its event was recorded, and the head of the log."""
    instant = known if isinstance(known, datetime) else None
    number = known if isinstance(known, int) else None
    row = connection.execute(_MOMENT, [instant, instant, number], binary=True).fetchone()
    return (row[0] or 0, row[1], row[2]) if row else (0, None, 0)


def _entries(log: LogReader, scope: Scope, upto: int) -> Sequence[Recorded[Event]]:
    """Read what the timeline begins with and all that it leads to, and the policies."""
    found: dict[int, Recorded[Event]] = {}
    _add(found, log.all_of(["PolicyAdopted"], upto))
    missing = scope.begin
    asked: set[Key] = set()
    while missing:
        asked |= missing
        fresh: list[Recorded[Event]] = []
        for kind in sorted({kind for kind, _ in missing}):
            tags = sorted(tag_of(key) for key in missing if key[0] == kind)
            names = [event.__name__ for event in TYPES[kind]]
            fresh += _add(found, log.history(tags, names, upto))
        fresh.sort(key=lambda entry: not isinstance(entry.event, CitationIssued))
        missing = {key for entry in fresh for key in scope.leads(entry)} - asked
    return [found[position] for position in sorted(found)]


def _add(
    found: dict[int, Recorded[Event]], entries: Iterable[Recorded[Event] | Broken]
) -> list[Recorded[Event]]:
    """Keep the entries that can be read, and return those that were not kept yet."""
    fresh = [e for e in entries if not isinstance(e, Broken) and e.position not in found]
    found.update((entry.position, entry) for entry in fresh)
    return fresh


def told(entries: Sequence[Recorded[Event]], shown: Sequence[Recorded[Event]]) -> tuple[TimelineEntry, ...]:
    """Return the entries that are shown, with what all of them, in order, made known at each."""
    positions = {entry.position for entry in shown}
    then: dict[int, Rights] = {}
    rights = Rights()
    for entry in entries:
        if type(entry.event) in _RIGHTS:
            rights = evolve_rights(rights, entry)  # type: ignore[arg-type]
        if entry.position in positions:
            then[entry.position] = rights
    first = {e.event.read: e.event.plate for e in entries if isinstance(e.event, PlateRead)}
    made = [_told(entry, then[entry.position], rights, first) for entry in shown]
    return tuple(sorted(made, key=lambda entry: (entry.at, entry.position)))


def _told(entry: Recorded[Event], then: Rights, now: Rights, first: Mapping[str, str]) -> TimelineEntry:
    event = entry.event
    observed = event if isinstance(event, PlateRead | CitationIssued) else None
    was = event.was or first.get(event.read) if isinstance(event, PlateReadCorrected) else None
    return TimelineEntry(
        entry.position,
        event.at,
        entry.recorded,
        type(event).__name__,
        event.area,
        event.payload(),
        entry.actor,
        entry.channel,
        observed.device_time if observed else None,
        was,
        event.shown if isinstance(event, PlateRead) else None,
        _standing(then, observed) if observed else None,
        _standing(now, observed) if observed else None,
    )


def _standing(rights: Rights, observed: PlateRead | CitationIssued) -> KnownThen:
    found = rights.known.standing(observed.plate, observed.zone, observed.at)
    return KnownThen(found.answer, found.right.right if found.right else None, found.end)
