"""What the log itself says of citations: their dockets and the evidence around them, as of a position.

These are folded from the log, not from a read model, so they are exact at every position; several are read
together, in rounds, as of one.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

from commands.evidence import Evidence
from commands.evidence_boundary import evidence_boundary
from commands.findings import Finding, finding
from commands.ledger import CitationLedger, LedgerEvent, evolve_ledger, ledger_boundary
from event_store.log import Log
from event_store.widening import Widening, widen_together
from events.envelope import Recorded


def docket_of(log: Log, citation: str, upto: int | None = None) -> CitationLedger:
    """Return what stands against a citation as it was known at a position (the head by default)."""
    return dockets(log, [citation], upto)[0]


def dockets(log: Log, citations: Iterable[str], upto: int | None = None) -> Sequence[CitationLedger]:
    """Return the dockets of several citations as of one position (the head by default)."""
    growing = [_docket(citation, upto) for citation in dict.fromkeys(citations)]
    widen_together(log, growing)
    return [docket.facts for docket in growing]


def evidence_of(log: Log, citation: str, upto: int | None = None) -> Evidence:
    """Return the evidence around a citation as it was known at a position (the head by default)."""
    return evidence_of_each(log, [citation], upto)[citation]


def evidence_of_each(log: Log, citations: Iterable[str], upto: int | None = None) -> Mapping[str, Evidence]:
    """Return the evidence around several citations as it was known at a position (the head by default)."""
    growing = {citation: _evidence(citation, upto) for citation in citations}
    widen_together(log, list(growing.values()))
    return {citation: evidence.facts for citation, evidence in growing.items()}


def finding_of(log: Log, citation: str, upto: int | None = None) -> Finding | None:
    """Return the finding by what was known at a position; `None` if the citation was not known."""
    return finding(evidence_of(log, citation, upto), citation)


def _docket(citation: str, upto: int | None) -> Widening[CitationLedger]:
    def fold(entries: Iterable[Recorded[LedgerEvent]]) -> CitationLedger:
        return reduce(evolve_ledger, entries, CitationLedger(citation))

    return Widening(lambda docket: ledger_boundary(citation, docket), fold, upto)


def _evidence(citation: str, upto: int | None) -> Widening[Evidence]:
    return Widening(lambda evidence: evidence_boundary(citation, evidence), Evidence.of, upto)
