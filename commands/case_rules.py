"""The rules that every act on a citation shares, over its docket."""

from commands.charges import is_voided
from commands.citations import AlreadyVoided, NoSuchCitation
from commands.decider import Command, Refusal
from commands.docket import CitationLedger, LedgerEvent
from commands.ledger_boundary import ledger_boundary
from events.boundary import Boundary
from events.vocabulary import CitationId


class AlreadySettled(Refusal):
    """Nothing is left to pay on the citation."""


class OnCitation(Command):
    """An act on one citation."""

    citation: CitationId


def docket_boundary(command: OnCitation, state: CitationLedger) -> Boundary[LedgerEvent]:
    """Return what the docket of the command's citation rests on."""
    return ledger_boundary(command.citation, state)


def issued(command: OnCitation, state: CitationLedger) -> CitationLedger:
    """Return the docket of a citation that the log holds.

    Raises:
        NoSuchCitation: if it holds none of that number.

    """
    if state.issued_at is None:
        raise NoSuchCitation(f"The log holds no citation {command.citation!r}.", citation=command.citation)
    return state


def standing_citation(command: OnCitation, state: CitationLedger) -> CitationLedger:
    """Return the docket of a citation that was not voided.

    Raises:
        NoSuchCitation: if the log holds none of that number.
        AlreadyVoided: if it was voided.

    """
    if is_voided(issued(command, state), command.at):
        raise AlreadyVoided(f"The citation {command.citation!r} was voided.", citation=command.citation)
    return state
