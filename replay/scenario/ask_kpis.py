"""Questions about KPIs: their formulas over what the log, as known then, holds of a period."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from commands import kpis
from commands.calendar import local_days, start_of_day
from commands.evidence import Evidence, World
from commands.findings import finding
from commands.kpis import Cohort, Ratio
from commands.rights import paid_terms
from commands.stays import stay
from events.boundary import on
from events.citations import CitationIssued
from projections.cases import dockets
from replay.scenario.ask_rights import evidence
from replay.scenario.asking import Asked, NoSuchThing, query
from replay.scenario.document import nearest

_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@query("kpi", needs="name", may="from to at known", answers="*")
def _kpi(asked: Asked) -> Any:
    name = asked.text("name")
    if name not in KPIS:
        raise asked.wrong_here(f"there is no KPI {name!r}{nearest(name, list(KPIS))}")
    found = KPIS[name](asked)
    if not isinstance(found, Ratio):
        return found
    if found.value is None:
        raise NoSuchThing(f"{name}: nothing to divide by")
    return found.value


def _period(asked: Asked) -> tuple[datetime, datetime]:
    """Return `[from, to)`: instants, or dates that begin at their local midnight."""
    begin, end = (_limit(asked, name) for name in ("from", "to"))
    return begin or _ALWAYS[0], end or _ALWAYS[1]


def _limit(asked: Asked, name: str) -> datetime | None:
    if not asked.given(name):
        return None
    try:
        return start_of_day(date.fromisoformat(asked.text(name)), asked.world.scenario.timezone)
    except ValueError:
        return asked.instant(name)


def _cohort(asked: Asked) -> Cohort:
    log, upto = asked.world.log, asked.known()
    issued = {entry.event.citation for entry in log.read(on(CitationIssued), upto=upto).entries}
    return Cohort.issued(dockets(log, sorted(issued), upto=upto), *_period(asked), asked.instant())


def _of_cohort(formula: Callable[[Cohort], Ratio]) -> Callable[[Asked], Ratio]:
    return lambda asked: formula(_cohort(asked))


def _compliance(asked: Asked) -> Ratio:
    begin, end = _period(asked)
    seen = evidence(asked).observations.values()
    return kpis.compliance(_cohort(asked), frozenset(o.vehicle for o in seen if begin <= o.at < end))


def _per_hour(asked: Asked) -> Ratio:
    """Count as on duty the time from the first to the last read of each patrol session."""
    begin, end = _period(asked)
    patrols: dict[str, list[datetime]] = {}
    for seen in evidence(asked).observations.values():
        if seen.read.session is not None and begin <= seen.at < end:
            patrols.setdefault(seen.read.session, []).append(seen.at)
    on_duty = sum((max(reads) - min(reads) for reads in patrols.values()), timedelta())
    return kpis.citations_per_patrol_hour(_cohort(asked), on_duty)


def _occupancy(asked: Asked) -> Ratio:
    begin, end = _period(asked)
    known = evidence(asked)
    stood = [s for s in _stays(known) if s[0] < end and s[1] >= begin]
    return kpis.stays_per_space(len(stood), _spaces(known))


def _turnover(asked: Asked) -> Ratio:
    begin, end = _period(asked)
    known = evidence(asked)
    return kpis.stays_per_space(sum(begin <= since < end for since, _ in _stays(known)), _spaces(known))


def _spaces(known: World) -> int:
    return sum(zone.opened.spaces or 0 for zone in known.zones.values() if zone.opened is not None)


def _stays(known: World) -> list[tuple[datetime, datetime]]:
    """Return the distinct stays in zones with spaces, a session during a stay being that stay."""
    found: list[tuple[datetime, datetime]] = []
    plates: set[str] = {o.vehicle for o in known.observations.values()}
    plates |= {p for r in known.rights.rights.values() for f in r.facts for p in f.plates}
    zones = [z.zone for z in known.zones.values() if z.opened is not None and z.opened.spaces]
    for plate in plates:
        sightings = sorted(
            known.sightings(plate), key=lambda s: (s.at, s.position, s.read)
        )  # a late read does not shorten a stay
        sessions = [
            i for r in known.rights.of_plate(plate) for i in known.rights.intervals(r) if i.kind == "session"
        ]
        for zone in zones:
            seen = [stay(sightings[:n], zone, s.at) for n, s in enumerate(sightings, 1) if s.zone == zone]
            stays = {s.since: s.until for s in seen if s is not None}
            unseen = [
                (start, until)
                for start, until in _runs((s.start, s.end or _ALWAYS[1]) for s in sessions if s.zone == zone)
                if not any(a < until and b >= start for a, b in stays.items())
            ]
            found += [*stays.items(), *unseen]
    return found


def _runs(times: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Return times that follow each other without a gap as one: buying again goes on with a stay."""
    runs: list[tuple[datetime, datetime]] = []
    for start, until in sorted(times):
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], until))
        else:
            runs.append((start, until))
    return runs


def _revenue(asked: Asked) -> int:
    """Return what was paid for permits in the period, less what was given back or returned of it."""
    begin, end = _period(asked)
    return sum(amount for made, amount, _ in _permit_money(asked) if begin <= made < end)


def _revenue_recognised(asked: Asked) -> int:
    """Return the part of what was paid for permits that their days in the period earned, rounded half up."""
    begin, end = _period(asked)
    timezone = asked.world.scenario.timezone
    earned = 0
    for _, amount, (start, until) in _permit_money(asked):
        whole = local_days(start, until, timezone)
        inside = local_days(max(start, begin), min(until, end), timezone)
        earned += (2 * amount * max(0, inside) + whole) // (2 * whole) if whole else 0
    return earned


def _permit_money(asked: Asked) -> Iterator[tuple[datetime, int, tuple[datetime, datetime]]]:
    """Yield when each payment for a permit was made, its minor units that stand, and the term it pays for."""
    known, at = evidence(asked).rights, asked.instant()
    for right in known.rights.values():
        if right.kind != "permit" or not right.known:
            continue
        payments = {name: known.payments[name] for name in sorted(right.payments & known.payments.keys())}
        for name, (start, until) in paid_terms(right, payments).items():
            made = payments[name].counts_from if name in payments else None
            if made is not None and start is not None and until is not None:
                yield made, payments[name].kept(at), (start, until)


def _by_cause(asked: Asked) -> dict[str, int]:
    entries = Evidence.of(asked.world.log.read(upto=asked.known()).entries)

    def cause(citation: str) -> str | None:
        found = finding(entries, citation)
        return found.cause.kind if found is not None and found.cause is not None else None

    return dict(kpis.findings_by_cause(_cohort(asked), cause))


def _untold(what: str) -> Callable[[Asked], Any]:
    def ask(_: Asked) -> Any:
        raise NoSuchThing(what)

    return ask


KPIS: dict[str, Callable[[Asked], Any]] = {
    "compliance": _compliance,
    "collection_by_count": _of_cohort(kpis.collection_by_count),
    "collection_by_value": _of_cohort(kpis.collection_by_value),
    "appeal_rate": _of_cohort(kpis.appeal_rate),
    "overturn_rate": _of_cohort(kpis.overturn_rate),
    "citations_per_patrol_hour": _per_hour,
    "coverage": _untold("plan of zone passes"),
    "occupancy": _occupancy,
    "turnover": _turnover,
    "revenue": _revenue,
    "revenue_recognised": _revenue_recognised,
    "plan_variance": _untold("plan of revenue"),
    "time_to_resolution": _of_cohort(kpis.time_to_resolution),
    "findings_by_cause": _by_cause,
}
"""Each KPI by its name; the formulas stand in `commands.kpis`."""
