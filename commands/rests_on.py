"""Which entries a finding rests on, by position: what staff open behind it, and what an auditor checks."""

from commands.assessment import Assessment
from commands.evidence import Case, Entry, Evidence
from commands.policy import adopted_before
from events.citations import CitationIssued, CitationVoided
from events.policies import PolicyAdopted
from events.reads import DeviceSynced, PlateRead


def positions_of(evidence: Evidence, case: Case, found: Assessment) -> tuple[int, ...]:
    """Return the positions that the finding rests on, in order.

    The citation with its reads and what was said of them, the rights of the vehicle, the zone's rules, the
    policies up to the citation, the device's lists up to the read, and the citation that it repeats.
    """
    return tuple(sorted({e.position for e in evidence.entries if _matters(e, case, found)}))


def _matters(entry: Entry, case: Case, found: Assessment) -> bool:
    event = entry.event
    names = {case.issued.citation, found.duplicate_of}
    match event:
        case CitationIssued() | CitationVoided():
            return event.citation in names
        case PlateRead():
            return event.read in case.issued.basis or found.reason in {
                "STAY_RESTARTED",
                "OVERTIME",
                "DUPLICATE",
            }
        case DeviceSynced():
            seen = found.observation
            return seen is not None and event.device == seen.read.device and event.at <= found.at
        case PolicyAdopted():
            known = adopted_before(entry.position, event, case.issued.at, case.entry.position)
            return known and event.effective_from <= case.issued.at
        case _:
            return True
