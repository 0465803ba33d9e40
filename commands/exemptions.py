"""Exemptions ("do not ticket"): granted to a plate for a time, in one zone or in all, and ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from commands.decider import Command, Decider, Refusal, fact_of
from commands.right_boundaries import exemption_boundary
from commands.right_collection import Rights
from commands.right_facts import ExemptionEvent
from commands.right_intervals import stop_at
from commands.zones import Zone, evolve_zone, open_zone, zones_boundary
from events.base import Event
from events.boundary import Boundary
from events.envelope import Recorded
from events.sessions import ExemptionEnded, ExemptionGranted
from events.vocabulary import ExemptionId, Instant, PlateTag, Text, ZoneId
from events.zones import ZoneClosed, ZoneOpened


class GrantExemption(Command):
    """Do not cite the plate from `start`, or now, `until` then or for good, in the zone or everywhere."""

    exemption: ExemptionId
    plate: PlateTag
    zone: ZoneId | None = None
    start: Instant | None = None
    until: Instant | None = None
    reason: Text | None = None


class EndExemption(Command):
    """End the exemption at `until`, or now."""

    exemption: ExemptionId
    until: Instant | None = None
    reason: Text | None = None


class NoSuchExemption(Refusal):
    """No exemption of that name was ever granted."""


class ExemptionAlreadyGranted(Refusal):
    """An exemption of that name was granted before, with other particulars."""


class ExemptionSpanEmpty(Refusal):
    """An exemption ends after it starts."""


@dataclass(frozen=True, slots=True)
class ExemptionFacts:
    """What was granted, the exemptions as rights, and the zones that they name."""

    granted: Mapping[str, ExemptionGranted] = field(default_factory=dict)
    rights: Rights = field(default_factory=Rights)
    zones: Mapping[str, Zone] = field(default_factory=dict)


def _boundary(
    command: GrantExemption | EndExemption, _: ExemptionFacts
) -> Boundary[ExemptionEvent | ZoneOpened | ZoneClosed]:
    zone = command.zone if isinstance(command, GrantExemption) else None
    return exemption_boundary(command.exemption) | zones_boundary((zone,) if zone is not None else ())


def _evolve(
    facts: ExemptionFacts, entry: Recorded[ExemptionEvent | ZoneOpened | ZoneClosed]
) -> ExemptionFacts:
    event = entry.event
    match event:
        case ExemptionGranted():
            granted = {**facts.granted, event.exemption: event}
            return replace(facts, granted=granted, rights=Rights((facts.rights, entry)))  # type: ignore[arg-type]
        case ExemptionEnded():
            return replace(facts, rights=Rights((facts.rights, entry)))  # type: ignore[arg-type]
        case ZoneOpened() | ZoneClosed():
            zone = evolve_zone(facts.zones.get(event.zone, Zone()), entry)  # type: ignore[arg-type]
            return replace(facts, zones={**facts.zones, event.zone: zone})
        case _ as never:
            assert_never(never)


def _grant(command: GrantExemption, facts: ExemptionFacts) -> Sequence[Event]:
    grant = fact_of(command, ExemptionGranted)
    before = facts.granted.get(command.exemption)
    if before is not None:
        if before.model_copy(update={"at": command.at}) == grant:
            return ()
        raise ExemptionAlreadyGranted(f"An exemption {command.exemption!r} was granted before.")
    if command.zone is not None:
        open_zone(facts.zones, command.zone, command.at)
    if command.until is not None and command.until <= (command.start or command.at):
        raise ExemptionSpanEmpty
    return (grant,)


def _end(command: EndExemption, facts: ExemptionFacts) -> Sequence[Event]:
    right = facts.rights.known.right("exemption", command.exemption)
    granted = facts.granted.get(command.exemption)
    if right is None or granted is None:
        raise NoSuchExemption(f"No exemption {command.exemption!r} was ever granted.")
    until = command.until or command.at
    if stop_at(right, until) or (granted.until is not None and granted.until <= until):
        return ()
    return (fact_of(command, ExemptionEnded, plate=granted.plate, zone=granted.zone, start=granted.start),)


GRANT_EXEMPTION = Decider(GrantExemption, _boundary, ExemptionFacts, _evolve, _grant)
END_EXEMPTION = Decider(EndExemption, _boundary, ExemptionFacts, _evolve, _end)
DECIDERS = (GRANT_EXEMPTION, END_EXEMPTION)
