"""Escalation of what stays unpaid: notice, hold, boot, tow, collections, court; and whose vehicle it is."""

from collections.abc import Sequence

from commands.calendar import local_date
from commands.case_rules import AlreadySettled, OnCitation, docket_boundary, issued, standing_citation
from commands.charges import balance
from commands.deadlines import citation_holds
from commands.decider import Decider, Refusal, fact_of
from commands.docket import CitationLedger, evolve_ledger
from commands.dues import is_disputed
from events.base import Event
from events.citations import CitationEscalated, OwnerLookupReturned, ReviewRequired, Stage
from events.vocabulary import Text, Word

STAGES: tuple[Stage, ...] = ("notice", "hold", "boot", "tow", "collections", "court")
"""The stages in their order; some may be passed over, none is gone back to."""


class EscalateCitation(OnCitation):
    """Take the unpaid citation a stage further."""

    stage: Stage


class RecordOwnerLookup(OnCitation):
    """Record what the registry answered on who owns the vehicle."""

    result: Word


class RequireReview(OnCitation):
    """Ask that a person looks at the citation again."""

    reason: Word
    cause: Text | None = None


class CitationUnderAppeal(Refusal):
    """An appeal stops the clocks of the citation until it is decided."""


class CitationDisputed(Refusal):
    """A chargeback of the citation's payment is open; until it ends the citation is not escalated."""


class StagePassed(Refusal):
    """The citation is at a later stage already."""


def _escalate(command: EscalateCitation, state: CitationLedger) -> Sequence[Event]:
    standing_citation(command, state)
    reached = [STAGES.index(e.stage) for e in state.escalations if e.stage in STAGES]
    wanted = STAGES.index(command.stage)
    furthest = max(reached, default=-1)
    if furthest == wanted:
        return ()
    if balance(state, command.at) == 0:
        raise AlreadySettled(f"Nothing is left to pay on {command.citation!r}.")
    if furthest > wanted:
        raise StagePassed(f"The citation is at {STAGES[furthest]} already.")
    today = local_date(command.at, state.zone_time)
    if any(hold.covers(today) for hold in citation_holds(state)):
        raise CitationUnderAppeal
    if is_disputed(state, command.at):
        raise CitationDisputed
    return (fact_of(command, CitationEscalated),)


def _look_up(command: RecordOwnerLookup, state: CitationLedger) -> Sequence[Event]:
    known = issued(command, state).owner
    return () if known == command.result else (fact_of(command, OwnerLookupReturned),)


def _review(command: RequireReview, state: CitationLedger) -> Sequence[Event]:
    asked = {(review.reason, review.cause) for review in issued(command, state).reviews}
    return () if (command.reason, command.cause) in asked else (fact_of(command, ReviewRequired),)


ESCALATE_CITATION = Decider(EscalateCitation, docket_boundary, CitationLedger, evolve_ledger, _escalate)
RECORD_OWNER_LOOKUP = Decider(RecordOwnerLookup, docket_boundary, CitationLedger, evolve_ledger, _look_up)
REQUIRE_REVIEW = Decider(RequireReview, docket_boundary, CitationLedger, evolve_ledger, _review)
DECIDERS = (ESCALATE_CITATION, RECORD_OWNER_LOOKUP, REQUIRE_REVIEW)
