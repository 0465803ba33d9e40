"""Which events a citation's evidence rests on; it widens with the facts, and never further than they lead.

From the citation to its plate and zone, from the plate to the rights that carry it and to their payments,
to the reads that the citation names, and to other citations of the same violation. All reads of the vehicle
are asked for only where a time limit or a possible duplicate depends on them: a commuter has thousands.
"""

from collections.abc import Iterator

from commands.evidence import Evidence, World, basis_of, world
from commands.right_boundaries import plates_boundary
from events.appeals import AppealDecided, AppealReinstated
from events.base import Event
from events.boundary import Boundary, on
from events.citations import CitationIssued, CitationVoided, ReviewRequired
from events.reads import (
    DeviceSynced,
    PlateRead,
    PlateReadCorrected,
    PossibleMatchConfirmed,
    PossibleMatchDenied,
)
from events.vocabulary import Plate, is_readable
from events.zones import ZoneClosed, ZoneOpened, ZoneRulesSet


def evidence_boundary(citation: str, evidence: Evidence) -> Boundary[Event]:
    """Return what the finding on a citation rests on, as far as the evidence so far tells."""
    wanted: Boundary[Event] = on(
        CitationIssued, CitationVoided, AppealDecided, AppealReinstated, ReviewRequired, citation=citation
    )
    known = world(evidence.entries)
    case = known.cases.get(citation)
    if case is None:
        return wanted
    devices = {case.issued.device} | {seen.read.device for seen in basis_of(known, case.issued)}
    for device in sorted(device for device in devices if device is not None):
        wanted |= on(DeviceSynced, device=device)
    return wanted | citing_boundary(case.issued, evidence)


def citing_boundary(citation: CitationIssued, evidence: Evidence) -> Boundary[Event]:
    """Return what decides whether citing is proper, for a citation that may not be in the log yet.

    A plate that nobody could read is no vehicle: nothing else of that plate has to do with it.
    """
    known = world(evidence.entries)
    vehicles = sorted(v for v in {citation.plate, *_corrected(known, citation)} if is_readable(v))
    wanted: Boundary[Event] = plates_boundary(vehicles, known.rights) | on(
        ZoneOpened, ZoneRulesSet, ZoneClosed, zone=citation.zone
    )
    if is_readable(citation.plate):
        wanted |= on(CitationIssued, plate=citation.plate)
    others = list(_others(known, citation))
    for name in (citation, *others):
        wanted |= on(CitationIssued, CitationVoided, citation=name.citation)
        for read in name.basis:
            wanted |= _read(read)
    if others or _limits_time(known, citation.zone):
        for vehicle in vehicles:
            wanted |= _reads_of(known, vehicle)
    return wanted


def _corrected(known: World, citation: CitationIssued) -> Iterator[Plate]:
    """Yield the vehicles that the named reads turned out to be of, now or at some time."""
    for seen in basis_of(known, citation):
        yield from seen.said


def _others(known: World, citation: CitationIssued) -> Iterator[CitationIssued]:
    same = (citation.plate, citation.zone, citation.code)
    for case in known.cases.values() if is_readable(citation.plate) else ():
        other = case.issued
        if other.citation != citation.citation and (other.plate, other.zone, other.code) == same:
            yield other


def _limits_time(known: World, zone: str) -> bool:
    versions = known.zones[zone].versions if zone in known.zones else ()
    return any(rule.kind == "time_limit" for version in versions for rule in version.rules)


def _read(read: str) -> Boundary[Event]:
    return on(PlateRead, PlateReadCorrected, PossibleMatchConfirmed, PossibleMatchDenied, read=read)


def _reads_of(known: World, vehicle: str) -> Boundary[Event]:
    """Return the vehicle's reads, with the misread ones that were corrected to its plate."""
    wanted: Boundary[Event] = on(PlateRead, PlateReadCorrected, PossibleMatchConfirmed, plate=vehicle)
    for read in known.told_of(vehicle):
        wanted |= _read(read)
    return wanted
