"""What the evidence asks for by itself: a duplicate is voided, a decided citation is looked at again.

`ReexamineCitation` is automation's command, sent when something that a citation rests on was appended. It
voids a citation that is found to repeat an earlier valid one, unless the policy leaves that to staff. What
people decided it does not touch: where a correction changed the finding of a decided citation, or of one that
was voided as a duplicate and is none any more, or where a permit was reinstated retroactively over the
observation, it raises `ReviewRequired`. Asked again, it adds nothing.
"""

from collections.abc import Sequence

from commands.case_rules import OnCitation
from commands.decider import Decider
from commands.evidence import Case, Evidence, World, evolve_evidence, world
from commands.evidence_boundary import evidence_boundary
from commands.findings import Finding, finding
from events.base import Event
from events.boundary import Boundary
from events.citations import CitationVoided, ReviewRequired
from events.vocabulary import Identity


class ReexamineCitation(OnCitation):
    """Do what the evidence on the citation asks for by now."""


def _boundary(command: ReexamineCitation, evidence: Evidence) -> Boundary[Event]:
    return evidence_boundary(command.citation, evidence)


def _decide(command: ReexamineCitation, evidence: Evidence) -> Sequence[Event]:
    known = world(evidence.entries)
    case = known.cases.get(command.citation)
    found = finding(evidence, command.citation)
    if case is None or found is None or not case.stands:
        return ()
    if case.found_duplicate:
        return _review(command, evidence, case, found) if found.disposition == "UPHELD" else ()
    if found.reason == "DUPLICATE" and case.decided is None and known.policy_for(case.issued).void_duplicates:
        return _void(known, case, found)
    return _review(command, evidence, case, found)


def _void(known: World, case: Case, found: Finding) -> Sequence[Event]:
    """Void it from the instant at which both had been written, once the reads that both name are known."""
    kept = known.cases.get(found.duplicate_of or "")
    if kept is None or any(
        read not in known.observations for read in (*case.issued.basis, *kept.issued.basis)
    ):
        return ()
    at = max(case.issued.at, kept.issued.at)
    name = kept.issued.citation
    return (CitationVoided(at=at, citation=case.issued.citation, reason="DUPLICATE", duplicate_of=name),)


def _review(command: ReexamineCitation, evidence: Evidence, case: Case, found: Finding) -> Sequence[Event]:
    """Compare with the finding when the citation was decided or voided, or when it was last flagged."""
    flagged = max(case.reviews, default=0)
    decided = max((made.position for made in (case.decided, case.voided) if made is not None), default=0)
    settled = max(flagged, decided)
    reached_back = found.cause is not None and found.cause.kind == "RETROACTIVE_REINSTATEMENT"
    if not settled and not reached_back:
        return ()
    before = finding(evidence.upto(settled), command.citation)
    if before is not None and (before.disposition, before.reason) == (found.disposition, found.reason):
        return ()
    reason: Identity = "RETROACTIVE_REINSTATEMENT" if reached_back else "FINDING_CHANGED"
    was = f"{before.disposition} {before.reason}" if before is not None else "undecided"
    cause = f"{was} became {found.disposition} {found.reason}"
    return (ReviewRequired(at=command.at, citation=command.citation, reason=reason, cause=cause),)


REEXAMINE_CITATION = Decider(ReexamineCitation, _boundary, Evidence, evolve_evidence, _decide)
DECIDERS = (REEXAMINE_CITATION,)
