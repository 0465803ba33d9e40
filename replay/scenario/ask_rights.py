"""Questions about rights: validity by the look-ups, permits and sessions by their facts, stays by reads."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from commands.evidence import World as Evidence
from commands.evidence import world as evidence_of
from commands.right_intervals import given_up
from commands.rights import Right, nominal_until, plates_at, spans_in_force
from commands.stays import counted_since, stay, within_limit
from commands.zones import rules_in_force
from events.boundary import on
from events.reads import DeviceSynced
from events.zones import ZoneRule
from replay.scenario.asking import Asked, NoSuchThing, query

_MINUTE = timedelta(minutes=1)


def evidence(asked: Asked) -> Evidence:
    """Return what the log, as known then, says of reads, rights, zones and devices."""
    return evidence_of(asked.world.log.read(upto=asked.known()).entries)


@query(
    "validity",
    needs="plate zone",
    may="at known",
    answers="valid exempt right start end grace_until",
)
def _validity(asked: Asked) -> dict[str, Any]:
    return _answer(asked, asked.known())


def _answer(asked: Asked, known: int) -> dict[str, Any]:
    lookups = asked.world.models.lookups
    found = asked.world.ask(
        lookups.validity(asked.plate(), asked.text("zone"), at=asked.instant(), known=known)
    )
    return {
        "valid": found.valid,
        "exempt": found.exempt,
        "right": found.right,
        "start": found.start,
        "end": found.end,
        "grace_until": found.grace_until,
    }


@query("device_validity", needs="device plate zone", may="at", answers="valid list_age_seconds")
def _device_validity(asked: Asked) -> dict[str, Any]:
    """Answer by what the log held when the device last synced, before the instant that is asked for."""
    log, at = asked.world.log, asked.instant()
    synced = [e.event for e in log.read(on(DeviceSynced, device=asked.text("device"))).entries]
    last = max((event.at for event in synced if event.at <= at), default=None)
    if last is None:  # a device without a list knows of nobody
        return {"valid": False, "list_age_seconds": None}
    return {
        "valid": _answer(asked, log.position_at(last))["valid"],
        "list_age_seconds": round((at - last).total_seconds()),
    }


@query("possible_matches", needs="plate zone", may="at known")
def _possible_matches(asked: Asked) -> list[str]:
    lookups = asked.world.models.lookups
    found = asked.world.ask(
        lookups.validity(asked.plate(), asked.text("zone"), at=asked.instant(), known=asked.known())
    )
    return [str(match) for match in found.possible_matches]


@query("plates", needs="permit", may="at known", answers="plates active")
def _plates(asked: Asked) -> dict[str, Any]:
    known = evidence(asked)
    right = _right(asked, known, "permit")
    carried, active = plates_at(right, asked.instant(), known.rights.max_active(right))
    return {"plates": list(carried), "active": list(active)}


@query("session", needs="session", may="at known", answers="start until minutes")
def _session(asked: Asked) -> dict[str, Any]:
    """Answer how long it runs by what had occurred by the instant: an extension is none before it is made."""
    known, at = evidence(asked), asked.instant()
    right = _right(asked, known, "session")
    right = structs.replace(right, facts=tuple(f for f in right.facts if f.at <= at or f.what == "bought"))
    start = next(fact.since for fact in right.facts if fact.what == "bought")
    spans = spans_in_force(right, known.rights.payments)
    until = spans[-1][1] if spans else _told_until(right)
    minutes = round((until - start) / _MINUTE, 2) if until is not None else None
    return {"start": start, "until": until, "minutes": minutes}


def _told_until(right: Right) -> datetime | None:
    """Return until when a session was to run that nobody paid for: what ended it counts all the same."""
    ends = [nominal_until(right), *(since for since, _ in given_up(right))]
    return min((end for end in ends if end is not None), default=None)


def _right(asked: Asked, known: Evidence, kind: Any) -> Right:
    name = asked.text(kind)
    right = known.rights.right(kind, name)
    if right is None:
        raise NoSuchThing(f"{kind} {name}")
    return right


@query("rules", needs="zone", may="at known")
def _rules(asked: Asked) -> list[str]:
    zone = evidence(asked).zones.get(asked.text("zone"))
    if zone is None:
        raise NoSuchThing(f"zone {asked.text('zone')}")
    return [rule.code for rule in rules_in_force(zone, asked.instant())]


@query("stay", needs="plate zone", may="at known", answers="since minutes within_limit")
def _stay(asked: Asked) -> dict[str, Any]:
    known, at, name = evidence(asked), asked.instant(), asked.text("zone")
    zone = known.zones.get(name)
    limits = [r for r in rules_in_force(zone, at) if r.kind == "time_limit"] if zone else []
    shortest = min((r.limit_minutes for r in limits if r.limit_minutes), default=None)
    found = stay(known.sightings(asked.plate()), name, at, shortest)
    if found is None:
        raise NoSuchThing("a stay")

    def holds(rule: ZoneRule) -> bool:
        since = counted_since(rule, found.since, found.until, zone.timezone if zone else "UTC")
        return within_limit(rule, since, found.until)

    within = all(holds(rule) for rule in limits) if limits else None
    return {"since": found.since, "minutes": found.minutes, "within_limit": within}
