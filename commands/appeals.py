"""Appeals: filed in time or late, decided at two levels, withdrawn, reinstated."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from commands.case_rules import OnCitation, docket_boundary, issued, standing_citation
from commands.charges import fine_at, is_dismissed
from commands.deadlines import first_appeal_deadline, in_time, second_level_deadline
from commands.decider import Decider, Refusal, fact_of
from commands.docket import CitationLedger, evolve_ledger
from commands.holds import Appeal, late_accepted
from commands.payments import refuse_card_numbers
from events.appeals import (
    AppealDecided,
    AppealFiled,
    AppealReinstated,
    AppealWithdrawn,
    LateFilingAccepted,
    LateFilingRefused,
    LateFilingRequested,
    Outcome,
)
from events.base import Event
from events.vocabulary import Amount, AppealId, Text, Word


class OnAppeal(OnCitation):
    """An act on one appeal against a citation."""

    appeal: AppealId


class FileAppeal(OnAppeal):
    """Dispute the citation, at the first or the second level."""

    level: Annotated[int, Field(strict=True, ge=1, le=2)] = 1
    statement: Text | None = None
    evidence: Annotated[tuple[Word, ...], Field(max_length=100)] | None = None


class RequestLateFiling(OnAppeal):
    """Ask to be heard after the deadline."""

    reason: Text | None = None


class AcceptLateFiling(OnAppeal):
    """Hear the late appeal."""

    reason: Text | None = None


class RefuseLateFiling(OnAppeal):
    """Do not hear the late appeal."""

    reason: Text | None = None


class DecideAppeal(OnAppeal):
    """Decide the appeal and give notice; `amount` is what the fine is reduced to."""

    outcome: Outcome
    amount: Amount | None = None
    reason: Text | None = None


class WithdrawAppeal(OnAppeal):
    """Take the appeal back."""


class ReinstateAppeal(OnAppeal):
    """Open a decided or withdrawn appeal again."""


class NoSuchAppeal(Refusal):
    """The citation has no appeal of that number."""


class AppealNumberTaken(Refusal):
    """Another appeal has that number."""


class DeadlinePassed(Refusal):
    """The period for filing is over; late filing may be asked for."""


class AppealAlreadyOpen(Refusal):
    """An appeal against the citation is open."""


class AppealAlreadyDecided(Refusal):
    """The appeal was decided."""


class NoFirstDecision(Refusal):
    """A second-level appeal is against a first decision, and there is none."""


class AppealNotOpen(Refusal):
    """The appeal is withdrawn or was not admitted."""


class LateFilingNotRequested(Refusal):
    """Nobody asked for late filing of this appeal, or it is settled already."""


class BeforeTheAppeal(Refusal):
    """The act is dated before the appeal was filed, or late filing of it was asked for."""


class LateFilingUndecided(Refusal):
    """The appeal was filed late, and late filing is not accepted yet."""


class ReductionNeedsAmount(Refusal):
    """A reduction names what the fine is reduced to, and no other outcome does."""


class ReductionExceedsFine(Refusal):
    """A fine is reduced to less than it is."""


def _file(command: FileAppeal, state: CitationLedger) -> Sequence[Event]:
    refuse_card_numbers(command)
    standing_citation(command, state)
    known = state.appeals.get(command.appeal)
    filed = fact_of(command, AppealFiled)
    if known is not None and known.first("filed") is not None:
        if known.level != command.level:
            raise AppealNumberTaken(f"Another appeal has the number {command.appeal!r}.")
        return ()
    _refuse_untimely(command, state, known)
    return (filed,)


def _refuse_untimely(command: FileAppeal, state: CitationLedger, known: Appeal | None) -> None:
    if any(a.is_open and a.state != "late_filing_requested" for a in _others(state, command.appeal)):
        raise AppealAlreadyOpen(f"An appeal against {command.citation!r} is open.")
    decided = [a for a in state.appeals.values() if a.decision is not None]
    if is_dismissed(state, command.at) or any(a.level >= command.level for a in decided):
        raise AppealAlreadyDecided(f"The appeal against {command.citation!r} was decided.")
    if command.level > 1 and not decided:
        raise NoFirstDecision
    end = _deadline(state, command.level)
    late = known is not None and late_accepted(known) is not None
    if end is not None and command.at >= end and not late:
        raise DeadlinePassed(f"The period for filing ended at {end.isoformat()}.", deadline=end)


def _deadline(state: CitationLedger, level: int) -> datetime | None:
    return first_appeal_deadline(state) if level == 1 else second_level_deadline(state)


def _others(state: CitationLedger, appeal: str) -> list[Appeal]:
    return [a for name, a in state.appeals.items() if name != appeal]


def _request_late(command: RequestLateFiling, state: CitationLedger) -> Sequence[Event]:
    refuse_card_numbers(command)
    standing_citation(command, state)
    known = state.appeals.get(command.appeal)
    if known is not None and known.first("late_filing_requested") is not None:
        return ()
    if any(a.is_open for a in _others(state, command.appeal)):
        raise AppealAlreadyOpen(f"An appeal against {command.citation!r} is open.")
    if is_dismissed(state, command.at) or (known is not None and known.decision is not None):
        raise AppealAlreadyDecided(f"The appeal against {command.citation!r} was decided.")
    return (fact_of(command, LateFilingRequested),)


def _accept_late(command: AcceptLateFiling, state: CitationLedger) -> Sequence[Event]:
    known = appeal_of(command, state)
    if late_accepted(known) is not None or told(command, known, "late_filing_accepted"):
        return ()
    _refuse_unasked(known)
    return (fact_of(command, LateFilingAccepted),)


def _refuse_late(command: RefuseLateFiling, state: CitationLedger) -> Sequence[Event]:
    known = appeal_of(command, state)
    if known.state == "late_filing_refused" or told(command, known, "late_filing_refused"):
        return ()
    _refuse_unasked(known)
    return (fact_of(command, LateFilingRefused),)


def _refuse_unasked(known: Appeal) -> None:
    if known.first("late_filing_requested", "filed") is None or not known.is_open:
        raise LateFilingNotRequested
    if late_accepted(known) is not None:
        raise LateFilingNotRequested("Late filing of this appeal was accepted.")


def appeal_of(command: OnAppeal, state: CitationLedger) -> Appeal:
    """Return the appeal that a command is about.

    Raises:
        NoSuchCitation: if the log holds no such citation.
        NoSuchAppeal: if the citation has no such appeal.
        BeforeTheAppeal: if the command is dated before the first step of the appeal.

    """
    known = issued(command, state).appeals.get(command.appeal)
    if known is None:
        raise NoSuchAppeal(f"{command.citation!r} has no appeal {command.appeal!r}.", appeal=command.appeal)
    began = known.steps[0].at
    if command.at < began:
        raise BeforeTheAppeal(f"The appeal {command.appeal!r} began at {began.isoformat()}.", began=began)
    return known


def told(command: OnAppeal, known: Appeal, word: str, hearing_at: datetime | None = None) -> bool:
    """Tell whether this very step was told, though others that were dated later may have followed it."""
    said = (word, command.at, hearing_at)
    return any((step.word, step.at, step.hearing_at) == said for step in known.steps)


def open_appeal(command: OnAppeal, state: CitationLedger) -> Appeal:
    """Return the appeal that a command is about, provided that it is open and admitted.

    Raises:
        AppealAlreadyDecided: if it was decided.
        AppealNotOpen: if it was withdrawn or not admitted.
        LateFilingUndecided: if it was filed late and nobody has accepted that.

    """
    known = appeal_of(command, state)
    standing_citation(command, state)
    if known.state == "decided":
        raise AppealAlreadyDecided(f"The appeal {command.appeal!r} was decided.", appeal=command.appeal)
    if not known.is_open:
        raise AppealNotOpen(f"The appeal {command.appeal!r} is {known.state}.", appeal=command.appeal)
    if not in_time(state, known) and late_accepted(known) is None:
        raise LateFilingUndecided
    return known


def _decide(command: DecideAppeal, state: CitationLedger) -> Sequence[Event]:
    refuse_card_numbers(command)
    said = (command.at, command.outcome, command.amount)
    made = (step for step in appeal_of(command, state).steps if step.word == "decided")
    if said in ((step.at, step.outcome, step.amount) for step in made):
        return ()  # by this command; whoever decides it anew has to hear that it was decided
    open_appeal(command, state)
    if (command.outcome == "reduced") != (command.amount is not None):
        raise ReductionNeedsAmount
    if command.amount is not None and command.amount > fine_at(state, command.at):
        raise ReductionExceedsFine(
            f"The fine is {fine_at(state, command.at)}.", fine=fine_at(state, command.at)
        )
    return (fact_of(command, AppealDecided),)


def _withdraw(command: WithdrawAppeal, state: CitationLedger) -> Sequence[Event]:
    known = appeal_of(command, state)
    if known.state == "withdrawn" or told(command, known, "withdrawn"):
        return ()
    if known.state == "decided":
        raise AppealAlreadyDecided(f"The appeal {command.appeal!r} was decided.", appeal=command.appeal)
    if not known.is_open:
        raise AppealNotOpen
    return (fact_of(command, AppealWithdrawn),)


def _reinstate(command: ReinstateAppeal, state: CitationLedger) -> Sequence[Event]:
    known = appeal_of(command, state)
    standing_citation(command, state)
    if known.is_open or told(command, known, "reinstated"):
        return ()
    if any(a.is_open for a in _others(state, command.appeal)):
        raise AppealAlreadyOpen(f"An appeal against {command.citation!r} is open.")
    if known.state == "late_filing_refused":
        raise AppealNotOpen
    return (fact_of(command, AppealReinstated),)


FILE_APPEAL = Decider(FileAppeal, docket_boundary, CitationLedger, evolve_ledger, _file)
REQUEST_LATE_FILING = Decider(
    RequestLateFiling, docket_boundary, CitationLedger, evolve_ledger, _request_late
)
ACCEPT_LATE_FILING = Decider(AcceptLateFiling, docket_boundary, CitationLedger, evolve_ledger, _accept_late)
REFUSE_LATE_FILING = Decider(RefuseLateFiling, docket_boundary, CitationLedger, evolve_ledger, _refuse_late)
DECIDE_APPEAL = Decider(DecideAppeal, docket_boundary, CitationLedger, evolve_ledger, _decide)
WITHDRAW_APPEAL = Decider(WithdrawAppeal, docket_boundary, CitationLedger, evolve_ledger, _withdraw)
REINSTATE_APPEAL = Decider(ReinstateAppeal, docket_boundary, CitationLedger, evolve_ledger, _reinstate)
DECIDERS = (
    FILE_APPEAL,
    REQUEST_LATE_FILING,
    ACCEPT_LATE_FILING,
    REFUSE_LATE_FILING,
    DECIDE_APPEAL,
    WITHDRAW_APPEAL,
    REINSTATE_APPEAL,
)
