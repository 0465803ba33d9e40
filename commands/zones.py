"""Zones: opened with a time zone and a capacity, ruled by versions with an effective date, closed.

A zone's state is folded by what its facts say, not by when they arrived. `rules_in_force` evaluates days and
hours by the wall clock of the zone's time zone; see `commands.calendar`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, assert_never

from pydantic import Field

from commands.calendar import hours_hold
from commands.decider import Command, Decider, Refusal, fact_of
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.vocabulary import Instant, TimeZone, Word, ZoneId
from events.zones import ZoneClosed, ZoneOpened, ZoneRule, ZoneRulesSet


class OpenZone(Command):
    """Open a zone; its name is its id where none is given."""

    zone: ZoneId
    name: Word | None = None
    timezone: TimeZone
    capacity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = None
    spaces: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = None
    lot: Word | None = None


class SetZoneRules(Command):
    """Let these rules, and no others, hold from `effective_from`; at once where none is given."""

    zone: ZoneId
    effective_from: Instant | None = None
    rules: Annotated[tuple[ZoneRule, ...], Field(max_length=200)]


class CloseZone(Command):
    """Use the zone no longer."""

    zone: ZoneId


class NoSuchZone(Refusal):
    """No zone of that name is open."""


class ZoneAlreadyOpen(Refusal):
    """A zone of that name is open already, with other particulars."""


class TimeLimitMissing(Refusal):
    """A time limit needs `limit_minutes`, and no other rule has one."""


type ZoneEvent = ZoneOpened | ZoneRulesSet | ZoneClosed


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """The rules of a zone from an instant on; sorted by it, then by when it was decided."""

    effective_from: datetime
    at: datetime
    position: int
    rules: tuple[ZoneRule, ...]

    @property
    def order(self) -> tuple[datetime, datetime, int]:
        """What versions are sorted by."""
        return self.effective_from, self.at, self.position


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone as its facts tell it; `openings` are sorted by when each occurred."""

    zone: str = ""
    openings: tuple[ZoneOpened, ...] = ()
    closed_at: datetime | None = None
    versions: tuple[RulesVersion, ...] = ()

    @property
    def opened(self) -> ZoneOpened | None:
        """How it was opened last; `None` while nobody said that it was."""
        return self.openings[-1] if self.openings else None

    @property
    def timezone(self) -> str:
        """The IANA name of its time zone; UTC for one that was never opened."""
        return self.opened.timezone if self.opened is not None else "UTC"

    @property
    def capacity(self) -> int | None:
        """How many rights may be in force at once; `None` where it is not bounded."""
        return self.opened.capacity if self.opened is not None else None

    def is_open(self, at: datetime) -> bool:
        """Tell whether the zone is used at the instant; one that opens later is not in the way of plans."""
        if self.opened is None:
            return False
        return self.closed_at is None or at < self.closed_at or self.opened.at > self.closed_at


def evolve_zone(zone: Zone, entry: Recorded[ZoneEvent]) -> Zone:
    """Return the zone after one more of its events, in whatever order they arrive."""
    event = entry.event
    match event:
        case ZoneOpened():
            openings = tuple(sorted((*zone.openings, event), key=lambda opening: opening.at))
            return replace(zone, zone=event.zone, openings=openings)
        case ZoneRulesSet():
            version = RulesVersion(event.effective_from, event.at, entry.position, event.rules)
            versions = tuple(sorted((*zone.versions, version), key=lambda v: v.order))
            return replace(zone, zone=event.zone, versions=versions)
        case ZoneClosed():
            last = event.at if zone.closed_at is None else max(zone.closed_at, event.at)
            return replace(zone, zone=event.zone, closed_at=last)
        case _ as never:
            assert_never(never)


def rules_at(zone: Zone, at: datetime) -> tuple[ZoneRule, ...]:
    """Return the version of the rules in effect at the instant, whatever the hour; none once it is closed."""
    if zone.opened is not None and not zone.is_open(at):
        return ()
    effective = [version for version in zone.versions if version.effective_from <= at]
    return effective[-1].rules if effective else ()


def rules_in_force(zone: Zone, at: datetime) -> tuple[ZoneRule, ...]:
    """Return the zone's rules that hold at the instant, by its wall clock; none where it was never opened."""
    return tuple(
        rule for rule in rules_at(zone, at) if hours_hold(at, zone.timezone, rule.days, rule.start, rule.end)
    )


def zones_boundary(zones: Iterable[str]) -> Boundary[ZoneOpened | ZoneClosed]:
    """Return what tells whether these zones are open, and how many rights they hold."""
    boundary: Boundary[ZoneOpened | ZoneClosed] = Boundary()
    for zone in zones:
        boundary |= on(ZoneOpened, ZoneClosed, zone=zone)
    return boundary


def open_zone(zones: Mapping[str, Zone], zone: str, at: datetime) -> Zone:
    """Return the open zone of that name.

    Raises:
        NoSuchZone: if none is open at the instant.

    """
    known = zones.get(zone)
    if known is None or not known.is_open(at):
        raise NoSuchZone(f"No zone {zone!r} is open.", zone=zone)
    return known


def _boundary(command: OpenZone | SetZoneRules | CloseZone, _: Zone) -> Boundary[ZoneEvent]:
    return on(ZoneOpened, ZoneRulesSet, ZoneClosed, zone=command.zone)


def _open(command: OpenZone, zone: Zone) -> Sequence[Event]:
    opened = fact_of(command, ZoneOpened, name=command.name or command.zone)
    if opened in zone.openings:
        return ()
    if zone.is_open(command.at) and zone.opened is not None:
        if zone.opened.model_copy(update={"at": command.at}) == opened:
            return ()
        raise ZoneAlreadyOpen(f"The zone {command.zone!r} is open already, with other particulars.")
    return (opened,)


def _set_rules(command: SetZoneRules, zone: Zone) -> Sequence[Event]:
    if not zone.is_open(command.at):
        raise NoSuchZone(f"No zone {command.zone!r} is open.", zone=command.zone)
    _refuse_limits_without_minutes(command.rules)
    since = command.effective_from or command.at
    if any(v.effective_from == since and v.rules == command.rules for v in zone.versions):
        return ()
    return (ZoneRulesSet(at=command.at, zone=command.zone, effective_from=since, rules=command.rules),)


def _refuse_limits_without_minutes(rules: Iterable[ZoneRule]) -> None:
    for number, rule in enumerate(rules, start=1):
        if (rule.kind == "time_limit") != (rule.limit_minutes is not None):
            raise TimeLimitMissing(f"Rule {number} ({rule.code}): a time limit, and only that, has minutes.")


def _close(command: CloseZone, zone: Zone) -> Sequence[Event]:
    if zone.opened is None:
        raise NoSuchZone(f"No zone {command.zone!r} is open.", zone=command.zone)
    closed_by_then = zone.closed_at is not None and command.at <= zone.closed_at
    return (fact_of(command, ZoneClosed),) if zone.is_open(command.at) and not closed_by_then else ()


OPEN_ZONE = Decider(OpenZone, _boundary, Zone, evolve_zone, _open)
SET_ZONE_RULES = Decider(SetZoneRules, _boundary, Zone, evolve_zone, _set_rules)
CLOSE_ZONE = Decider(CloseZone, _boundary, Zone, evolve_zone, _close)
DECIDERS = (OPEN_ZONE, SET_ZONE_RULES, CLOSE_ZONE)
