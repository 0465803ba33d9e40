"""Questions that evidence answers: findings, timelines, the watchlist, waiting lists."""

from datetime import datetime
from typing import Any

from commands.permit_facts import PermitFacts, evolve_permit_facts
from commands.queues import in_line
from commands.waitlist import waiting, waitlist_boundary
from event_store.widening import folding, settled
from events.boundary import on
from events.reads import DeviceSynced
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled
from projections.cases import finding_of
from replay.scenario.asking import Asked, NoSuchThing, query


@query("finding", needs="citation", answers="disposition reason cause officer_erred")
def _finding(asked: Asked) -> dict[str, Any]:
    name = asked.text("citation")
    found = finding_of(asked.world.log, name, asked.known())
    if found is None:
        raise NoSuchThing(f"citation {name}")
    cause = {"kind": found.cause.kind, "seconds": found.cause.seconds} if found.cause else None
    return {
        "disposition": found.disposition,
        "reason": found.reason,
        "cause": cause,
        "officer_erred": found.officer_erred,
    }


@query("timeline", may="citation plate known", answers="order includes excludes entries")
def _timeline(asked: Asked) -> dict[str, Any]:
    lookups, steps = asked.world.models.lookups, asked.world.played.step_at()
    if asked.given("citation"):
        answer = asked.world.ask(lookups.timeline(citation=asked.text("citation"), known=asked.known()))
    else:
        answer = asked.world.ask(lookups.timeline(plate=asked.plate(), known=asked.known()))
    entries = [_entry(entry, steps[entry.position]) for entry in answer.entries if entry.position in steps]
    order = list(dict.fromkeys(entry["step"] for entry in entries))
    return {"order": order, "includes": order, "excludes": order, "entries": entries}


def _entry(entry: Any, step: str) -> dict[str, Any]:
    return {
        "step": step,
        "at": entry.at,
        "recorded": entry.recorded,
        "device_time": entry.device_time,
        "was": entry.was,
    }


@query("watchlisted", needs="plate", may="at known device", answers="watchlisted stale")
def _watchlisted(asked: Asked) -> dict[str, Any]:
    """Answer by the log as known; for a device, by the list of its last sync before the instant.

    That list is stale for the plate where none of its entries for it still stands.
    """
    at, known = asked.instant(), asked.known()
    now = _alerting(asked, at, known)
    if not asked.given("device"):
        return {"watchlisted": bool(now), "stale": False}
    synced = asked.world.log.read(on(DeviceSynced, device=asked.text("device")), upto=known).entries
    last = max((entry.event.at for entry in synced if entry.event.at <= at), default=None)
    if last is None:  # a device without a list alerts on nobody
        return {"watchlisted": False, "stale": False}
    on_list = _alerting(asked, at, min(known, asked.world.log.position_at(last)))
    return {"watchlisted": bool(on_list), "stale": bool(on_list) and not on_list & now}


def _alerting(asked: Asked, at: datetime, known: int) -> set[str]:
    """Return the entries of the plate that alert at an instant, by what was known at a position."""
    log = asked.world.log
    alerting: set[str] = set()
    for entry in log.read(on(WatchlistEntryAdded, plate=asked.plate()), upto=known).entries:
        added = entry.event
        ended = log.read(on(WatchlistEntryCancelled, entry=added.entry), upto=known).entries
        until = min([e.event.at for e in ended] + ([added.expires] if added.expires else []), default=None)
        if added.at <= at and (until is None or at < until):
            alerting.add(added.entry)
    return alerting


@query("waitlist", needs="permit_type", may="account at known", answers="position offered_until")
def _waitlist(asked: Asked) -> dict[str, Any]:
    name, at = asked.text("permit_type"), asked.instant()
    facts = settled(
        asked.world.log,
        lambda known: waitlist_boundary(name, at, known),
        folding(PermitFacts, evolve_permit_facts),
        asked.known(),
    )
    queue = in_line(waiting(name, at, facts))
    account = asked.text("account") if asked.given("account") else None
    mine = next((one for one in queue if account in {None, one.account}), None)
    if mine is None:
        return {"position": None, "offered_until": None}
    return {"position": queue.index(mine) + 1, "offered_until": mine.offered_until}
