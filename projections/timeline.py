"""The timeline of a citation or of a vehicle: both clocks, what was known, and what the screen showed.

It is read from the log itself by the index of its tags, mostly in one round trip however long the log is, so
it is never behind and exact at every `known`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from commands.rights import PAYMENT_EVENTS, RIGHT_EVENTS, Rights, evolve_rights, mistaken_plate
from event_store.codec import Codec
from events.base import Event
from events.citations import CitationIssued
from events.envelope import Recorded
from events.permits import PermitTypeOffered, PlateAssociationCorrected
from events.policies import PolicyAdopted
from events.reads import PlateRead, PlateReadCorrected, Shown
from projections.as_of import AsOf
from projections.cells import Broken
from projections.history import LogReader
from projections.surroundings import Neighbourhood, Surroundings
from projections.timeline_scope import Key, Scope

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

    `was` is the plate that a correction found to be wrong, of a read or on a permit. `shown` is what the
    officer's screen answered. Of reads and citations, `known_then` is how the plate stood at `at` by what the
    log held when it took the entry, and `known_now` by all that the timeline knows.
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


class TimelineDesk:
    """Tells timelines; remembers the policies between them, and what was found around the last ones."""

    def __init__(self, codec: Codec) -> None:
        """Know no policy yet."""
        self._codec = codec
        self._neighbourhood = Neighbourhood(codec)
        self._policies: tuple[int, Sequence[Recorded[Event]]] = (0, ())

    def tell(
        self,
        connection: Connection[Any],
        *,
        citation: str | None = None,
        plate: str | None = None,
        known: int | datetime | None = None,
    ) -> Timeline:
        """Return the timeline of a citation, or else of a vehicle, as known at a position or an instant."""
        scope = Scope(citation, plate)
        around = self._neighbourhood.around(connection, scope.begin, known)
        moment = around.moment
        policies = [
            e for e in self._learnt(connection, moment.newest_policy) if e.position <= moment.position
        ]
        entries = _entries(around, scope, policies)
        shown = [entry for entry in entries if scope.shows(entry)]
        as_of = AsOf(moment.position, moment.recorded, 0.0)
        return Timeline(citation, scope.plate, scope.zone, told(entries, shown), moment.position, as_of)

    def _learnt(self, connection: Connection[Any], newest: int) -> Sequence[Recorded[Event]]:
        """Return the policies, read again if one was adopted since; there are few."""
        known, policies = self._policies
        if newest > known:
            found = LogReader(connection, self._codec).all_of(["PolicyAdopted"], newest)
            policies = [entry for entry in found if not isinstance(entry, Broken)]
            self._policies = newest, policies
        return policies


def timeline(
    connection: Connection[Any],
    codec: Codec,
    *,
    citation: str | None = None,
    plate: str | None = None,
    known: int | datetime | None = None,
) -> Timeline:
    """Return one timeline; see `TimelineDesk.tell`."""
    return TimelineDesk(codec).tell(connection, citation=citation, plate=plate, known=known)


def _entries(
    around: Surroundings, scope: Scope, policies: Iterable[Recorded[Event]]
) -> Sequence[Recorded[Event]]:
    """Return what the timeline begins with and all that it leads to, and the policies."""
    found = {entry.position: entry for entry in policies}
    missing = {scope.begin}
    asked: set[Key] = set()
    while missing:
        asked |= missing
        fresh = _add(found, around.history(sorted(missing)))
        fresh.sort(key=lambda entry: (not isinstance(entry.event, CitationIssued), entry.position))
        missing = {key for entry in fresh for key in scope.leads(entry)} - asked
    return [found[position] for position in sorted(found)]


def _add(
    found: dict[int, Recorded[Event]], entries: Iterable[Recorded[Event] | Broken]
) -> list[Recorded[Event]]:
    """Keep the entries that can be read, and return those that were not kept yet."""
    fresh: list[Recorded[Event]] = []
    for entry in entries:
        if not isinstance(entry, Broken) and entry.position not in found:
            found[entry.position] = entry
            fresh.append(entry)
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
        _was(entry, now, first),
        event.shown if isinstance(event, PlateRead) else None,
        _standing(then, observed) if observed else None,
        _standing(now, observed) if observed else None,
    )


def _was(entry: Recorded[Event], now: Rights, first: Mapping[str, str]) -> str | None:
    """Return the plate that a correction of a read, or of a permit's plates, found to be wrong."""
    event = entry.event
    if isinstance(event, PlateReadCorrected):
        return event.was or first.get(event.read)
    if isinstance(event, PlateAssociationCorrected):
        right = now.known.right("permit", event.permit)
        return mistaken_plate(right, entry.position) if right is not None else None
    return None


def _standing(rights: Rights, observed: PlateRead | CitationIssued) -> KnownThen:
    found = rights.known.standing(observed.plate, observed.zone, observed.at)
    return KnownThen(found.answer, found.right.right if found.right else None, found.end)
