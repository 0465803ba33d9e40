"""Voids: a citation that was an error, or a duplicate whose payments move to the citation that is kept."""

from collections.abc import Sequence
from functools import reduce
from uuid import UUID

from commands.case_rules import OnCitation
from commands.citations import AlreadyVoided, NoSuchCitation
from commands.decider import Decider, Refusal, fact_of
from commands.docket import CitationLedger, LedgerEvent, Void, evolve_ledger
from commands.dues import moved_money
from commands.ledger_boundary import ledger_boundary
from events.base import Event
from events.boundary import Boundary, on
from events.citations import CitationIssued, CitationVoided
from events.envelope import Recorded
from events.vocabulary import Identity, Word

AHEAD = 2**62
"""Where the entry stands, for the rules, that a decision is about to append."""


class VoidCitation(OnCitation):
    """Void the citation for an error, or as a duplicate of the one that is kept."""

    reason: Word = "error"
    duplicate_of: Identity | None = None


class DuplicateOfItself(Refusal):
    """A citation is no duplicate of itself."""


type Facts = tuple[Recorded[LedgerEvent], ...]
"""The entries of the citation's docket, and the issue of the one that is kept."""


def _boundary(command: VoidCitation, facts: Facts) -> Boundary[LedgerEvent]:
    wanted = ledger_boundary(command.citation, _docket(command, facts))
    return (
        wanted if command.duplicate_of is None else wanted | on(CitationIssued, citation=command.duplicate_of)
    )


def _nothing() -> Facts:
    return ()


def _evolve(facts: Facts, entry: Recorded[LedgerEvent]) -> Facts:
    return (*facts, entry)


def _docket(command: VoidCitation, facts: Facts) -> CitationLedger:
    return reduce(evolve_ledger, facts, CitationLedger(command.citation))


def _decide(command: VoidCitation, facts: Facts) -> Sequence[Event]:
    kept = command.duplicate_of
    if kept == command.citation:
        raise DuplicateOfItself
    known = {entry.event.citation for entry in facts if isinstance(entry.event, CitationIssued)}
    for name in (command.citation, kept):
        if name is not None and name not in known:
            raise NoSuchCitation(f"The log holds no citation {name!r}.", citation=name)
    voided = fact_of(command, CitationVoided)
    void = _docket(command, facts).void
    if void is None:
        ahead: Recorded[LedgerEvent] = Recorded(AHEAD, command.at, voided, "", "", UUID(int=0))
        return (voided, *moved_money(_docket(command, (*facts, ahead)), command.at))
    if _same_void(command, void):
        return ()
    raise AlreadyVoided(f"The citation {command.citation!r} was voided.", citation=command.citation)


def _same_void(command: VoidCitation, void: Void) -> bool:
    """Tell whether this command voided it, or it is a duplicate of that one as somebody said before.

    Which one is kept need not be said again. Whoever voids for an error what was voided, has to hear so.
    """
    if void.duplicate_of is not None and command.duplicate_of in {void.duplicate_of, None}:
        return command.duplicate_of is not None or command.reason.upper() == "DUPLICATE"
    said = (command.at, command.reason, command.duplicate_of)
    return said == (void.at, void.reason, void.duplicate_of)


VOID_CITATION = Decider(VoidCitation, _boundary, _nothing, _evolve, _decide)
DECIDERS = (VOID_CITATION,)
