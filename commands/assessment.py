"""Whether citing was proper, by what one world knows: the rules that refuse a citation and that undo it.

The same function decides `IssueCitation` on the head of the log and finds on a citation at any `known`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from commands.evidence import Observation, World, basis_of
from commands.policy import Policy
from commands.standing import NO_RIGHT, Standing
from commands.stays import counted_since, moved_between, over_limit, stay, within_limit
from commands.zones import Zone, rules_in_force
from events.citations import CitationIssued
from events.vocabulary import Plate, is_readable
from events.zones import RuleKind, ZoneRule

KIND_WORDS: tuple[tuple[RuleKind, tuple[str, ...]], ...] = (
    ("time_limit", ("TIME", "OVERSTAY", "LIMIT", "HOUR")),
    ("no_parking", ("NO_PARK", "NO_STOP", "NO_STAND", "FIRE", "HYDRANT", "TOW")),
    ("paid", ("METER", "PAID", "TICKET")),
)
"""What the words of a violation code say about its rule, where no rule of the zone has that code."""

KINDS: tuple[RuleKind, ...] = ("permit", "paid", "time_limit", "no_parking")


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether citing was proper, and the reason; what the vehicle's standing was at the observation."""

    proper: bool
    reason: str
    at: datetime
    vehicle: Plate
    zone: str
    observation: Observation | None
    standing: Standing
    duplicate_of: str | None = None


def assess(known: World, citation: CitationIssued, *, clock: datetime | None = None) -> Assessment:
    """Return whether the citation was proper by what a world knows.

    `clock` takes the place of the observation's instant: what the clock of a device that was off said.
    """
    alone = assess_alone(known, citation, clock=clock)
    if not alone.proper or citation.kind == "warning":
        return alone
    earlier = duplicate_of(known, citation)
    if earlier is None:
        return alone
    return _with(alone, proper=False, reason="DUPLICATE", duplicate_of=earlier)


def assess_alone(known: World, citation: CitationIssued, *, clock: datetime | None = None) -> Assessment:
    """Return whether the citation was proper, other citations of the vehicle left aside."""
    basis = basis_of(known, citation)
    observation = basis[-1] if basis else None
    at = clock or (observation.at if observation else citation.at)
    vehicle = vehicle_of(citation, observation)
    policy = known.policy_for(citation)
    standing = known.standing(vehicle, citation.zone, at, policy.grace_minutes)
    found = Assessment(
        proper=True,
        reason="",
        at=at,
        vehicle=vehicle,
        zone=citation.zone,
        observation=observation,
        standing=standing,
    )
    if not is_readable(vehicle):
        return _with(found, reason="PLATE_UNREADABLE")
    if standing.exempt:
        return _with(found, proper=False, reason="EXEMPT_FROM_CITATION")
    zone = known.zones.get(citation.zone, Zone(citation.zone))
    in_force, rule = rule_for(zone, citation.code, at)
    if not in_force:
        return _with(found, proper=False, reason="RULE_NOT_IN_FORCE")
    if rule is not None and rule.kind == "no_parking":
        return _with(found, reason="NO_PARKING", standing=NO_RIGHT)
    return _by_right(found) or _by_stay(known, found, zone, rule, basis, policy)


def _by_right(found: Assessment) -> Assessment | None:
    """Judge by the vehicle's right; `None` where it has none, nor one that ended within the grace."""
    if found.standing.valid:
        return _with(found, proper=False, reason="VALID_RIGHT_AT_OBSERVATION")
    if found.standing.answer == "in_grace":
        return _with(found, proper=False, reason="WITHIN_GRACE")
    return None


def vehicle_of(citation: CitationIssued, observation: Observation | None) -> Plate:
    """Return whose plate was observed: what a person read off the image, else what the citation says."""
    return observation.vehicle if observation is not None and observation.corrected else citation.plate


def rule_for(zone: Zone, code: str, at: datetime) -> tuple[bool, ZoneRule | None]:
    """Return whether the rule that a code stands for was in force, and the rule.

    A zone that nobody gave rules requires a right. A code that no rule of the zone has ever had stands for
    the rule whose kind its words tell, else for a required right, else for whatever is in force.
    """
    if not zone.versions:
        return True, None
    in_force = rules_in_force(zone, at)
    named = [rule for rule in in_force if rule.code == code]
    if named:
        return True, named[0]
    known_code = any(rule.code == code for version in zone.versions for rule in version.rules)
    if known_code or not in_force:
        return False, None
    words = code.upper().replace(" ", "_").replace("-", "_")
    told = [kind for kind, parts in KIND_WORDS if any(part in words for part in parts)]
    return True, min(in_force, key=lambda rule: ([*told, *KINDS].index(rule.kind), rule.code))


def _by_stay(
    known: World,
    found: Assessment,
    zone: Zone,
    rule: ZoneRule | None,
    basis: list[Observation],
    policy: Policy,
) -> Assessment:
    """Judge a time limit: limit and grace on the stay; leaving restarts it. Other rules need no stay."""
    if rule is None or rule.kind != "time_limit":
        return _with(found, reason="NO_RIGHT_AT_OBSERVATION")
    current = stay(known.sightings(found.vehicle), zone.zone, found.at, rule.limit_minutes)
    if current is None:
        return _with(found, proper=False, reason="STAY_RESTARTED" if basis else "STAY_NOT_OBSERVED")
    since = counted_since(rule, current.since, found.at, zone.timezone)
    if over_limit(rule, since, found.at, policy.grace):
        return _with(found, reason="OVERTIME")
    first = basis[0].at if len(basis) > 1 else None
    restarted = current.since > first if first is not None else current.restarted_at is not None
    if restarted:
        return _with(found, proper=False, reason="STAY_RESTARTED")
    reason = "WITHIN_LIMIT" if within_limit(rule, since, found.at) else "WITHIN_GRACE"
    return _with(found, proper=False, reason=reason)


def duplicate_of(known: World, citation: CitationIssued) -> str | None:
    """Return the valid citation of the same continuing violation that is kept instead, if there is one.

    Same plate, violation code and zone, read within the window of a valid citation's read, and no evidence
    that the vehicle moved. The earliest by corrected occurred time is kept; one that was voided is not
    valid, and neither is one that was improper from the start (DOMAIN §4, duplicate). One that is not in the
    log yet comes after all that are: nobody writes a second citation for what was cited before. A plate
    that nobody could read is no vehicle, and repeats nothing.
    """
    if not is_readable(citation.plate):
        return None
    window = known.policy_for(citation).duplicate_window
    sightings = known.sightings(citation.plate)

    def near(at: datetime) -> list[str]:
        return [
            name
            for begun, name in kept
            if abs(at - begun) <= window
            and not moved_between(sightings, citation.zone, min(begun, at), max(begun, at))
        ]

    kept: list[tuple[datetime, str]] = []
    for at, other in _same_violation(known, citation):
        if other.citation == citation.citation:
            break
        if not near(at) and assess_alone(known, other).proper:
            kept.append((at, other.citation))
    return next(iter(near(observed_at(known, citation))), None)


def _same_violation(known: World, citation: CitationIssued) -> list[tuple[datetime, CitationIssued]]:
    """Return the standing citations of the violation by corrected occurred time, that one among them."""
    same = [
        case
        for case in known.cases.values()
        if (case.stands and case.issued.kind == "citation") or case.issued.citation == citation.citation
        if (case.issued.plate, case.issued.zone, case.issued.code)
        == (citation.plate, citation.zone, citation.code)
    ]
    dated = [(observed_at(known, case.issued), case.issued) for case in same]
    return sorted(dated, key=lambda d: (d[0], d[1].at, d[1].citation))


def observed_at(known: World, citation: CitationIssued) -> datetime:
    """Return when the violation was observed: at the last read that the citation names, else at its issue."""
    basis = basis_of(known, citation)
    return basis[-1].at if basis else citation.at


def _with(
    found: Assessment,
    *,
    reason: str,
    proper: bool = True,
    standing: Standing | None = None,
    duplicate_of: str | None = None,
) -> Assessment:
    return replace(
        found, proper=proper, reason=reason, standing=standing or found.standing, duplicate_of=duplicate_of
    )
