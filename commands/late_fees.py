"""Fees: the late fee assessed when it falls due, taken back, brought back; the fee for a returned payment.

Automation does all of this on time by `commands.dues`; these are the same acts by hand. A late fee that a
person waives is taken back from that moment, one that never fell due from its own.
"""

from collections.abc import Sequence

from commands.case_rules import OnCitation, docket_boundary, standing_citation
from commands.charges import late_fee_at
from commands.decider import Decider, Refusal
from commands.docket import CitationLedger, Fee, evolve_ledger
from commands.dues import due
from events.base import Event
from events.citations import (
    LateFeeAssessed,
    LateFeeReinstated,
    LateFeeReversed,
    ReturnedItemFeeAssessed,
)
from events.vocabulary import Amount, Cents, Text


class AssessLateFee(OnCitation):
    """Add the late fee, now that it has fallen due."""

    reason: Text | None = None


class ReverseLateFee(OnCitation):
    """Take the late fee back, all of it where no amount is given."""

    amount: Amount | None = None
    reason: Text | None = None


class ReinstateLateFee(OnCitation):
    """Bring a late fee back that was taken back."""

    reason: Text | None = None


class AssessReturnedItemFee(OnCitation):
    """Add the fee for a payment that the bank returned."""

    reason: Text | None = None


class LateFeeNotDue(Refusal):
    """No late fee has fallen due on the citation."""


class NoLateFee(Refusal):
    """No late fee stands against the citation."""


class NoReturnedPayment(Refusal):
    """Every returned payment of the citation has its fee already."""


def _assess(command: AssessLateFee, state: CitationLedger) -> Sequence[Event]:
    standing_citation(command, state)
    if any(fee.word == "assessed" for fee in state.fees):
        return ()
    fees = [event for event in due(state, command.at) if isinstance(event, LateFeeAssessed)]
    if not fees:
        raise LateFeeNotDue(f"No late fee has fallen due on {command.citation!r} by then.")
    return [fee.model_copy(update={"reason": command.reason}) for fee in fees]


def _reverse(command: ReverseLateFee, state: CitationLedger) -> Sequence[Event]:
    standing_citation(command, state)
    marks = _marks(state)
    if not marks:
        raise NoLateFee(f"No late fee stands against {command.citation!r}.")
    standing = late_fee_at(state, command.at)
    if standing == 0 or (marks[-1].word == "reversed" and marks[-1].at == command.at):
        return ()
    amount = Cents(min(standing, command.amount if command.amount is not None else standing))
    reversed_ = LateFeeReversed(
        at=command.at, citation=command.citation, amount=amount, reason=command.reason
    )
    return (reversed_,)


def _reinstate(command: ReinstateLateFee, state: CitationLedger) -> Sequence[Event]:
    standing_citation(command, state)
    marks = _marks(state)
    if not marks:
        raise NoLateFee(f"No late fee was ever assessed on {command.citation!r}.")
    if marks[-1].word != "reversed":
        return ()
    reinstated = LateFeeReinstated(
        at=command.at, citation=command.citation, amount=Cents(marks[-1].amount), reason=command.reason
    )
    return (reinstated,)


def _assess_returned(command: AssessReturnedItemFee, state: CitationLedger) -> Sequence[Event]:
    standing_citation(command, state)
    fees = [event for event in due(state, command.at) if isinstance(event, ReturnedItemFeeAssessed)]
    if fees:
        return [fee.model_copy(update={"reason": command.reason or fee.reason}) for fee in fees]
    if any(fee.word == "returned_item" for fee in state.fees):
        return ()
    raise NoReturnedPayment


def _marks(state: CitationLedger) -> list[Fee]:
    return sorted((f for f in state.fees if f.word != "returned_item"), key=lambda f: f.position)


ASSESS_LATE_FEE = Decider(AssessLateFee, docket_boundary, CitationLedger, evolve_ledger, _assess)
REVERSE_LATE_FEE = Decider(ReverseLateFee, docket_boundary, CitationLedger, evolve_ledger, _reverse)
REINSTATE_LATE_FEE = Decider(ReinstateLateFee, docket_boundary, CitationLedger, evolve_ledger, _reinstate)
ASSESS_RETURNED_ITEM_FEE = Decider(
    AssessReturnedItemFee, docket_boundary, CitationLedger, evolve_ledger, _assess_returned
)
DECIDERS = (ASSESS_LATE_FEE, REVERSE_LATE_FEE, REINSTATE_LATE_FEE, ASSESS_RETURNED_ITEM_FEE)
