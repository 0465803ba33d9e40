"""Stages of collection that an unpaid citation reaches by itself, on the days that its policy names.

Days are counted as the late fee's: held by appeals, and a stage waits while a chargeback is open. A citation
that was settled just before a stage's instant, or is by now, does not reach it (DOMAIN §3, escalated).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from commands.calendar import start_of_day
from commands.charges import balance
from commands.clocks import counted_day
from commands.deadlines import citation_holds, day_0
from commands.docket import CitationLedger
from commands.dues import INSTANT_BEFORE, undisputed_from
from commands.escalation import STAGES
from events.citations import CitationEscalated, Stage


def stages_due(state: CitationLedger, now: datetime) -> Sequence[CitationEscalated]:
    """Return the stages that the citation reached by `now` and the log does not hold; none of it twice."""
    reached = tuple(
        CitationEscalated(at=instant, citation=state.citation, stage=stage)
        for instant, stage in _to_come(state)
        if instant <= now and balance(state, instant - INSTANT_BEFORE) > 0
    )
    return reached if reached and balance(state, now) > 0 else ()


def next_stage(state: CitationLedger) -> datetime | None:
    """Return the next instant at which the citation reaches a stage by the passing of time alone."""
    owing = (at for at, _ in _to_come(state) if balance(state, at - INSTANT_BEFORE) > 0)
    return min(owing, default=None)


def _to_come(state: CitationLedger) -> Iterator[tuple[datetime, Stage]]:
    """Yield the stages after the one that the citation is at, with their instants."""
    reached = max((STAGES.index(e.stage) for e in state.escalations), default=-1)
    zero, policy = day_0(state), state.policy
    for stage in STAGES[reached + 1 :]:
        days = policy.stage_day(stage)
        day = counted_day(zero, days, citation_holds(state)) if days and zero is not None else None
        instant = undisputed_from(state, start_of_day(day, state.zone_time)) if day is not None else None
        if instant is not None:
            yield instant, stage
