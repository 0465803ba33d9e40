"""Plate reads: recorded once for each device and client id, corrected by people, matched or not.

The client's id counts only together with its device: two devices that number their reads alike have sent two
reads. The raw read never changes; the same one sent again adds nothing, whatever else it says by then. A read
of a watchlisted plate raises its hits in the same append, so that an alert is in the log with its cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import Field

from commands.decider import Command, Decider, Refusal, fact_of
from commands.watchlist import (
    LIVE,
    Watchlist,
    WatchlistEvent,
    alert_boundary,
    evolve_watchlist,
    list_of_device,
)
from commands.zones import NoSuchZone
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.reads import (
    DeviceSynced,
    Direction,
    PlaceSaid,
    PlateRead,
    PlateReadCorrected,
    PossibleMatchConfirmed,
    PossibleMatchDenied,
    Shown,
)
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled, WatchlistHit
from events.vocabulary import DeviceId, Identity, Instant, PlateTag, PlateText, ReadId, Text, Word, ZoneId
from events.zones import ZoneOpened


class RecordPlateRead(Command):
    """Record what a device read; `at` is corrected by the clock's offset, `device_time` is what it claims."""

    read: ReadId
    plate: PlateTag
    zone: ZoneId
    device: DeviceId
    raw: Text | None = None
    confidence: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    candidates: Annotated[tuple[Word, ...], Field(max_length=50)] | None = None
    image: Word | None = None
    place: PlaceSaid | None = None
    direction: Direction = "none"
    online: Annotated[bool, Field(strict=True)] = True
    device_time: Instant | None = None
    list_version: Annotated[int, Field(strict=True, ge=0)] | None = None
    shown: Shown | None = None
    officer: Word | None = None
    session: Identity | None = None


class CorrectPlateRead(Command):
    """Say which plate the image shows; `basis` is what that rests on."""

    read: ReadId
    plate: PlateTag
    basis: Text | None = None


class ConfirmPossibleMatch(Command):
    """Say that the image shows the candidate's plate."""

    read: ReadId
    candidate: PlateText


class DenyPossibleMatch(Command):
    """Say that the image does not show the candidate's plate."""

    read: ReadId
    candidate: PlateText


class NoSuchRead(Refusal):
    """No plate read of that name is in the log."""


type Opinion = PlateReadCorrected | PossibleMatchConfirmed | PossibleMatchDenied
type ReadFact = PlateRead | Opinion | ZoneOpened | DeviceSynced | WatchlistEvent


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """Reads by client id, then by device; what people said of them; and what a read alerts on."""

    reads: Mapping[str, Mapping[str, PlateRead]] = field(default_factory=dict)
    opinions: Mapping[str, tuple[Opinion, ...]] = field(default_factory=dict)
    zones: frozenset[str] = frozenset()
    syncs: Mapping[str, tuple[DeviceSynced, ...]] = field(default_factory=dict)
    watchlist: Watchlist = field(default_factory=Watchlist)

    def read(self, read: str) -> PlateRead:
        """Return the read of that name; of several devices' the earliest.

        Raises:
            NoSuchRead: if the log holds none.

        """
        found = self.reads.get(read)
        if not found:
            raise NoSuchRead(f"No plate read {read!r} is in the log.", read=read)
        return min(found.values(), key=lambda one: (one.at, one.device))

    def hits(self, read: PlateRead, plate: str) -> tuple[WatchlistHit, ...]:
        """Return the hits that the read raises, taken for a read of the plate."""
        seen = LIVE
        if not read.online:
            seen = list_of_device(self.syncs.get(read.device, ()), read.at, read.list_version)
        return tuple(
            WatchlistHit(at=read.at, entry=entry, read=read.read, plate=plate, stale=stale)
            for entry, stale in self.watchlist.hits(plate, read.at, seen)
        )


def _recording_boundary(command: RecordPlateRead, facts: ReadFacts) -> Boundary[ReadFact]:
    return (
        on(PlateRead, read=command.read, device=command.device)
        | on(ZoneOpened, zone=command.zone)
        | _alerts(command.plate, command.device, facts, online=command.online)
    )


def _alerts(plate: str, device: str, facts: ReadFacts, *, online: bool) -> Boundary[ReadFact]:
    """Return what hits rest on; a device's syncs only where it was offline and an entry was cancelled."""
    boundary: Boundary[ReadFact] = alert_boundary(plate, facts.watchlist)
    cancelled = any(watched.cancelled for _, watched in facts.watchlist.of_plate(plate))
    return boundary if online or not cancelled else boundary | on(DeviceSynced, device=device)


def _opinion_boundary(
    command: CorrectPlateRead | ConfirmPossibleMatch | DenyPossibleMatch, facts: ReadFacts
) -> Boundary[ReadFact]:
    boundary: Boundary[ReadFact] = on(
        PlateRead, PlateReadCorrected, PossibleMatchConfirmed, PossibleMatchDenied, read=command.read
    )
    if isinstance(command, DenyPossibleMatch):
        return boundary
    plate = command.plate if isinstance(command, CorrectPlateRead) else command.candidate
    for read in facts.reads.get(command.read, {}).values():
        boundary |= _alerts(plate, read.device, facts, online=read.online)
    return boundary


def _evolve(facts: ReadFacts, entry: Recorded[ReadFact]) -> ReadFacts:
    event = entry.event
    match event:
        case PlateRead():
            of_device = {event.device: event, **facts.reads.get(event.read, {})}
            return replace(facts, reads={**facts.reads, event.read: of_device})
        case PlateReadCorrected() | PossibleMatchConfirmed() | PossibleMatchDenied():
            said = tuple(sorted((*facts.opinions.get(event.read, ()), event), key=lambda one: one.at))
            return replace(facts, opinions={**facts.opinions, event.read: said})
        case ZoneOpened():
            return replace(facts, zones=facts.zones | {event.zone})
        case DeviceSynced():
            syncs = (*facts.syncs.get(event.device, ()), event)
            return replace(facts, syncs={**facts.syncs, event.device: syncs})
        case WatchlistEntryAdded() | WatchlistEntryCancelled():
            return replace(facts, watchlist=evolve_watchlist(facts.watchlist, entry))  # type: ignore[arg-type]
        case _ as never:
            assert_never(never)


def _record(command: RecordPlateRead, facts: ReadFacts) -> Sequence[Event]:
    if command.device in facts.reads.get(command.read, {}):
        return ()
    if command.zone not in facts.zones:
        raise NoSuchZone(f"No zone {command.zone!r} was ever opened.", zone=command.zone)
    read = PlateRead.model_construct(**command.__dict__)  # the same fields, checked when they came in
    return (read, *facts.hits(read, read.plate))


def _correct(command: CorrectPlateRead, facts: ReadFacts) -> Sequence[Event]:
    read = facts.read(command.read)
    said = [one for one in _said_by(command, facts) if isinstance(one, PlateReadCorrected)]
    taken_for = said[-1].plate if said else read.plate
    if taken_for == command.plate:
        return ()
    return (fact_of(command, PlateReadCorrected, was=taken_for), *facts.hits(read, command.plate))


def _confirm(command: ConfirmPossibleMatch, facts: ReadFacts) -> Sequence[Event]:
    read = facts.read(command.read)
    if isinstance(_last_opinion(command, facts), PossibleMatchConfirmed):
        return ()
    return (fact_of(command, PossibleMatchConfirmed), *facts.hits(read, command.candidate))


def _deny(command: DenyPossibleMatch, facts: ReadFacts) -> Sequence[Event]:
    facts.read(command.read)
    if isinstance(_last_opinion(command, facts), PossibleMatchDenied):
        return ()
    return (fact_of(command, PossibleMatchDenied),)


def _last_opinion(command: ConfirmPossibleMatch | DenyPossibleMatch, facts: ReadFacts) -> Event | None:
    said = [
        one
        for one in _said_by(command, facts)
        if not isinstance(one, PlateReadCorrected) and one.candidate == command.candidate
    ]
    return said[-1] if said else None


def _said_by(
    command: CorrectPlateRead | ConfirmPossibleMatch | DenyPossibleMatch, facts: ReadFacts
) -> Sequence[Opinion]:
    """Return what was said of the read by the command's instant; what is told late may lie before others."""
    return [one for one in facts.opinions.get(command.read, ()) if one.at <= command.at]


RECORD_PLATE_READ = Decider(RecordPlateRead, _recording_boundary, ReadFacts, _evolve, _record)
CORRECT_PLATE_READ = Decider(CorrectPlateRead, _opinion_boundary, ReadFacts, _evolve, _correct)
CONFIRM_MATCH = Decider(ConfirmPossibleMatch, _opinion_boundary, ReadFacts, _evolve, _confirm)
DENY_MATCH = Decider(DenyPossibleMatch, _opinion_boundary, ReadFacts, _evolve, _deny)
DECIDERS = (RECORD_PLATE_READ, CORRECT_PLATE_READ, CONFIRM_MATCH, DENY_MATCH)
