"""Hearings of an open appeal: scheduled, adjourned, held."""

from collections.abc import Sequence
from datetime import datetime

from commands.appeals import OnAppeal, appeal_of, open_appeal, told
from commands.case_rules import docket_boundary
from commands.decider import Decider, Refusal, fact_of
from commands.docket import CitationLedger, evolve_ledger
from commands.holds import Step
from events.appeals import HearingAdjourned, HearingHeld, HearingScheduled
from events.base import Event
from events.vocabulary import Instant


class ScheduleHearing(OnAppeal):
    """Set a hearing."""

    hearing_at: Instant | None = None


class AdjournHearing(OnAppeal):
    """Put the hearing off, to another time where one is given."""

    hearing_at: Instant | None = None


class HoldHearing(OnAppeal):
    """Record that the hearing took place."""

    hearing_at: Instant | None = None


class NoHearingScheduled(Refusal):
    """No hearing of the appeal is set."""


def _schedule(command: ScheduleHearing, state: CitationLedger) -> Sequence[Event]:
    if _told(command, state, "scheduled", command.hearing_at):
        return ()
    open_appeal(command, state)
    return (fact_of(command, HearingScheduled),)


def _adjourn(command: AdjournHearing, state: CitationLedger) -> Sequence[Event]:
    if _told(command, state, "adjourned", command.hearing_at):
        return ()
    _refuse_unset(command, state)
    return (fact_of(command, HearingAdjourned),)


def _hold(command: HoldHearing, state: CitationLedger) -> Sequence[Event]:
    if _told(command, state, "held", command.hearing_at):
        return ()
    _refuse_unset(command, state)
    return (fact_of(command, HearingHeld),)


def _told(command: OnAppeal, state: CitationLedger, word: str, hearing_at: datetime | None) -> bool:
    """Tell whether the last step of the appeal is this very one, or it was told before a later one."""
    known = appeal_of(command, state)
    last = known.steps[-1]
    return (last.word, last.hearing_at) == (word, hearing_at) or told(command, known, word, hearing_at)


def _refuse_unset(command: OnAppeal, state: CitationLedger) -> None:
    steps: tuple[Step, ...] = open_appeal(command, state).steps
    hearings = [s for s in steps if s.word in {"scheduled", "adjourned", "held"}]
    if not hearings or hearings[-1].word == "held":
        raise NoHearingScheduled


SCHEDULE_HEARING = Decider(ScheduleHearing, docket_boundary, CitationLedger, evolve_ledger, _schedule)
ADJOURN_HEARING = Decider(AdjournHearing, docket_boundary, CitationLedger, evolve_ledger, _adjourn)
HOLD_HEARING = Decider(HoldHearing, docket_boundary, CitationLedger, evolve_ledger, _hold)
DECIDERS = (SCHEDULE_HEARING, ADJOURN_HEARING, HOLD_HEARING)
