"""Sessions: started for a plate in a zone, extended, ended before their time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from commands.capacity import Places, TakesPlace, Window, bought_for, has_room, places_boundary
from commands.decider import Command, Decider, Refusal, fact_of, in_any_order
from commands.permit_facts import ZoneFull
from commands.plates_permitted import PlateUnreadable
from commands.right_boundaries import payment_boundary, session_boundary
from commands.right_collection import KnownRights, Rights
from commands.right_facts import Right, SessionEvent, evolve_right
from commands.right_intervals import nominal_until, stop_at
from commands.right_payments import PaymentEvent
from commands.zones import Zone, evolve_zone, open_zone, zones_boundary
from events.base import Event
from events.boundary import Boundary
from events.envelope import Recorded
from events.sessions import SessionEnded, SessionExtended, SessionStarted
from events.vocabulary import Amount, Instant, PaymentId, PlateTag, SessionId, Word, ZoneId, is_readable
from events.zones import ZoneClosed, ZoneOpened

LONGEST_SESSION = timedelta(days=366)
_NOBODY = UUID(int=0)


class StartSession(Command):
    """Let the plate stand in the zone from `start`, or now, `until` then or for so many `minutes`."""

    session: SessionId
    plate: PlateTag
    zone: ZoneId
    start: Instant | None = None
    until: Instant | None = None
    minutes: Annotated[int, Field(strict=True, gt=0, le=366 * 24 * 60)] | None = None
    channel: Word = "app"
    amount: Amount | None = None
    payment: PaymentId | None = None

    @model_validator(mode="after")
    def _says_until_when(self) -> Self:
        if (self.until is None) == (self.minutes is None):
            raise ValueError("until: say either until when, or for how many minutes")
        return self

    @property
    def window(self) -> tuple[datetime, datetime]:
        """`[start, end)` that was asked for; minutes are elapsed time."""
        start = self.start or self.at
        return start, self.until or start + timedelta(minutes=self.minutes or 0)


class ExtendSession(Command):
    """Let the session run until `until`, or so many `minutes` longer."""

    session: SessionId
    until: Instant | None = None
    minutes: Annotated[int, Field(strict=True, gt=0, le=366 * 24 * 60)] | None = None

    @model_validator(mode="after")
    def _says_until_when(self) -> Self:
        if (self.until is None) == (self.minutes is None):
            raise ValueError("until: say either until when, or for how many minutes")
        return self


class EndSession(Command):
    """End the session before its time: at `until`, or now."""

    session: SessionId
    until: Instant | None = None


class NoSuchSession(Refusal):
    """No session of that name was ever started."""


class SessionAlreadyStarted(Refusal):
    """A session of that name was started before, with other particulars."""


class SessionSpanOutOfRange(Refusal):
    """A session ends after it starts, and within a year."""


class SessionNotInForce(Refusal):
    """The session is over."""


class ExtensionEndsTooSoon(Refusal):
    """An extension lets the session run longer than it does."""


type SessionFact = ZoneOpened | ZoneClosed | SessionEvent | PaymentEvent | TakesPlace


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """The zones, and the rights that take their places."""

    zones: Mapping[str, Zone] = field(default_factory=dict)
    rights: Rights = field(default_factory=Rights)

    @property
    def known(self) -> KnownRights:
        """What the rights come to."""
        return self.rights.known


def _starting_boundary(command: StartSession, facts: SessionFacts) -> Boundary[SessionFact]:
    boundary: Boundary[SessionFact] = session_boundary(command.session)
    if command.payment is not None and command.window[0] < command.at:
        boundary |= payment_boundary(command.payment)
    return boundary | _room(command.zone, _place(command, facts), facts)


def _place(command: StartSession, facts: SessionFacts) -> Window:
    """Return when it needs a place."""
    return bought_for(*command.window, command.at, command.payment, facts.known)


def _extending_boundary(command: ExtendSession, facts: SessionFacts) -> Boundary[SessionFact]:
    boundary: Boundary[SessionFact] = session_boundary(command.session)
    right = facts.known.right("session", command.session)
    if right is None:
        return boundary
    return boundary | _room(right.zones[0], _further(command, right), facts)


def _ending_boundary(command: EndSession, _: SessionFacts) -> Boundary[SessionFact]:
    boundary: Boundary[SessionFact] = session_boundary(command.session)
    return boundary


def _room(zone: str, window: Window, facts: SessionFacts) -> Boundary[SessionFact]:
    """Return what decides whether there is room: only a zone with a capacity asks for more than itself."""
    boundary: Boundary[SessionFact] = zones_boundary((zone,))
    capacity = facts.zones[zone].capacity if zone in facts.zones else None
    if capacity is not None:
        boundary |= places_boundary(Places("zone", zone, capacity), window, facts.known)
    return boundary


@in_any_order
def _evolve(facts: SessionFacts, entry: Recorded[SessionFact]) -> SessionFacts:
    event = entry.event
    known_entry: Any = entry
    match event:
        case ZoneOpened() | ZoneClosed():
            zone = evolve_zone(facts.zones.get(event.zone, Zone()), known_entry)
            return replace(facts, zones={**facts.zones, event.zone: zone})
        case _:
            _of_a_right: SessionEvent | PaymentEvent | TakesPlace = event
            return replace(facts, rights=Rights((facts.rights, known_entry)))


def _start(command: StartSession, facts: SessionFacts) -> Sequence[Event]:
    start, until = command.window
    started = fact_of(command, SessionStarted, start=start, until=until)
    known = facts.known.right("session", command.session)
    if known is not None:
        return _refuse_another(started, known)
    open_zone(facts.zones, command.zone, command.at)
    if not is_readable(command.plate):
        raise PlateUnreadable(f"{command.plate!r} is not a plate that was read.")
    if not timedelta() < until - start <= LONGEST_SESSION:
        raise SessionSpanOutOfRange
    _refuse_full(command.zone, _place(command, facts), facts, command.session)
    return (started,)


def _refuse_another(started: SessionStarted, known: Right) -> Sequence[Event]:
    bought = next(fact for fact in known.facts if fact.what == "bought")
    told = started.model_copy(update={"at": bought.at})
    same = evolve_right(Right(), Recorded(bought.position, bought.at, told, "", "", _NOBODY))
    if (same.facts[0], same.zones, same.price) != (bought, known.zones, known.price):
        raise SessionAlreadyStarted(f"A session {started.session!r} was started before.")
    return ()


def _refuse_full(zone: str, window: Window, facts: SessionFacts, session: str) -> None:
    capacity = facts.zones[zone].capacity if zone in facts.zones else None
    if capacity is not None:
        places = Places("zone", zone, capacity)
        if not has_room(places, window, facts.known, ("session", session)):
            raise ZoneFull(f"All {capacity} places of the zone {zone!r} are taken.", zone=zone)


def _session(session: str, facts: SessionFacts) -> Right:
    right = facts.known.right("session", session)
    if right is None:
        raise NoSuchSession(f"No session {session!r} was ever started.", session=session)
    return right


def _end(right: Right) -> datetime:
    end = nominal_until(right)
    assert end is not None  # noqa: S101 - only exemptions have no end
    return end


def _further(command: ExtendSession, right: Right) -> Window:
    end = _end(right)
    until = command.until or end + timedelta(minutes=command.minutes or 0)
    return Window(max(min(end, until), min(command.at, until)), until)


def _extend(command: ExtendSession, facts: SessionFacts) -> Sequence[Event]:
    right = _session(command.session, facts)
    end, further = _end(right), _further(command, right)
    renewed = [fact for fact in right.facts if fact.what == "renewed"]
    if any(f.at == command.at and command.until in {None, f.until} for f in renewed) or end == command.until:
        return ()
    if command.at >= end or stop_at(right, end):  # nothing lets an ended session run on
        raise SessionNotInForce(f"The session {command.session!r} is over.", session=command.session)
    if further.end is None or not end < further.end <= end + LONGEST_SESSION:
        raise ExtensionEndsTooSoon
    _refuse_full(right.zones[0], further, facts, command.session)
    return (fact_of(command, SessionExtended, until=further.end, zone=right.zones[0]),)


def _end_session(command: EndSession, facts: SessionFacts) -> Sequence[Event]:
    right = _session(command.session, facts)
    until = command.until or command.at
    if until >= _end(right) or stop_at(right, until):
        return ()
    return (fact_of(command, SessionEnded, until=until),)


START_SESSION = Decider(StartSession, _starting_boundary, SessionFacts, _evolve, _start)
EXTEND_SESSION = Decider(ExtendSession, _extending_boundary, SessionFacts, _evolve, _extend)
END_SESSION = Decider(EndSession, _ending_boundary, SessionFacts, _evolve, _end_session)
DECIDERS = (START_SESSION, EXTEND_SESSION, END_SESSION)
