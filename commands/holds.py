"""Appeals as the clocks see them: when filed, whether in time, when decided, and which dates they hold.

An in-time appeal, at either level, stops the clocks from the local date of filing through the local date of
the decision notice. A late one stops nothing until late filing is accepted; then its hold starts on the date
that late filing was requested. A reinstated appeal holds again until it is decided again (DOMAIN §4).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import assert_never

import msgspec
from msgspec.structs import replace

from commands.calendar import local_date
from commands.clocks import Hold
from events.appeals import (
    AppealDecided,
    AppealFiled,
    AppealReinstated,
    AppealWithdrawn,
    HearingAdjourned,
    HearingHeld,
    HearingScheduled,
    LateFilingAccepted,
    LateFilingRefused,
    LateFilingRequested,
    Outcome,
)
from events.envelope import Recorded

type AppealEvent = (
    AppealFiled
    | LateFilingRequested
    | LateFilingAccepted
    | LateFilingRefused
    | HearingScheduled
    | HearingAdjourned
    | HearingHeld
    | AppealDecided
    | AppealWithdrawn
    | AppealReinstated
)
"""Every event of an appeal."""

APPEAL_EVENTS = (
    AppealFiled,
    LateFilingRequested,
    LateFilingAccepted,
    LateFilingRefused,
    HearingScheduled,
    HearingAdjourned,
    HearingHeld,
    AppealDecided,
    AppealWithdrawn,
    AppealReinstated,
)

WORDS = {
    AppealFiled: "filed",
    LateFilingRequested: "late_filing_requested",
    LateFilingAccepted: "late_filing_accepted",
    LateFilingRefused: "late_filing_refused",
    HearingScheduled: "scheduled",
    HearingAdjourned: "adjourned",
    HearingHeld: "held",
    AppealDecided: "decided",
    AppealWithdrawn: "withdrawn",
    AppealReinstated: "reinstated",
}
"""The state that an appeal is in after each of its events."""

_LAST = datetime.max.replace(tzinfo=UTC)

CLOSING = ("decided", "withdrawn", "late_filing_refused")
"""The states in which an appeal asks nothing of the office any more."""


class Step(msgspec.Struct, frozen=True):
    """One step of an appeal, by the word of the state that it leads to."""

    word: str
    at: datetime
    position: int
    outcome: Outcome | None = None
    amount: int | None = None
    hearing_at: datetime | None = None


class Appeal(msgspec.Struct, frozen=True):
    """The folded state of one appeal: its steps in the order in which they occurred."""

    appeal: str
    citation: str
    level: int = 1
    steps: tuple[Step, ...] = ()

    def first(self, *words: str) -> Step | None:
        """Return the earliest step of any of these words."""
        return next((step for step in self.steps if step.word in words), None)

    @property
    def state(self) -> str:
        """The word of the last step."""
        return self.steps[-1].word if self.steps else ""

    @property
    def is_open(self) -> bool:
        """Whether the office still has to act on it."""
        return bool(self.steps) and self.state not in CLOSING

    @property
    def decision(self) -> Step | None:
        """The decision that stands: the last one, unless the appeal was reinstated after it."""
        return self.decision_at(_LAST)

    def decision_at(self, at: datetime) -> Step | None:
        """Return the decision that stood at an instant; a reinstatement takes it away from its own on."""
        steps = [s for s in self.steps if s.word in {"decided", "reinstated"} and s.at <= at]
        return steps[-1] if steps and steps[-1].word == "decided" else None

    @property
    def filed_at(self) -> datetime | None:
        """When it was filed; an appeal that only late filing tells of was filed with its request."""
        step = self.first("filed") or self.first("late_filing_requested", "late_filing_accepted")
        return step.at if step else None


def evolve_appeal(appeal: Appeal, entry: Recorded[AppealEvent]) -> Appeal:
    """Return the appeal after one more of its events, in whatever order they arrive."""
    event = entry.event
    step = Step(WORDS[type(event)], event.at, entry.position)
    level = appeal.level
    match event:
        case AppealFiled():
            level = event.level
        case AppealDecided():
            step = replace(step, outcome=event.outcome, amount=event.amount)
        case HearingScheduled() | HearingAdjourned() | HearingHeld():
            step = replace(step, hearing_at=event.hearing_at)
        case LateFilingRequested() | LateFilingAccepted() | LateFilingRefused():
            pass
        case AppealWithdrawn() | AppealReinstated():
            pass
        case _:
            assert_never(event)
    steps = sorted((*appeal.steps, step), key=lambda s: (s.at, s.position))
    return replace(appeal, level=level, steps=tuple(steps))


def late_accepted(appeal: Appeal) -> Step | None:
    """Return the step by which the office accepted to hear it late, unless it refused that afterwards."""
    steps = [s for s in appeal.steps if s.word in {"late_filing_accepted", "late_filing_refused"}]
    return steps[-1] if steps and steps[-1].word == "late_filing_accepted" else None


def holds_from(appeal: Appeal, *, in_time: bool) -> datetime | None:
    """Return the instant that its hold starts with; `None` for an appeal that holds nothing."""
    if in_time:
        return appeal.filed_at
    if late_accepted(appeal) is None:
        return None
    asked = appeal.first("late_filing_requested") or appeal.first("filed", "late_filing_accepted")
    return asked.at if asked else None


def holds(appeal: Appeal, timezone: str, *, in_time: bool) -> tuple[Hold, ...]:
    """Return the dates that the appeal holds: from filing to notice, and again from reinstatement."""
    start = holds_from(appeal, in_time=in_time)
    if start is None:
        return ()
    found: list[Hold] = []
    first: date | None = local_date(start, timezone)
    for step in appeal.steps:
        day = local_date(step.at, timezone)
        if step.word in {"decided", "withdrawn"} and first is not None:
            found.append(Hold(first, max(first, day)))
            first = None
        elif step.word == "reinstated" and first is None:
            first = day
    return (*found, Hold(first, None)) if first is not None else tuple(found)


def by_filing(appeals: Iterable[Appeal]) -> list[Appeal]:
    """Return the appeals in the order in which they were filed, those without a filing left out."""
    filed = [(appeal.filed_at, appeal.appeal, appeal) for appeal in appeals]
    return [
        a for _, _, a in sorted(((at, n, a) for at, n, a in filed if at is not None), key=lambda f: f[:2])
    ]


def levelled(appeals: Mapping[str, Appeal]) -> dict[str, Appeal]:
    """Return the appeals with their levels, those without a filing by what was decided when they began.

    A request to be heard late names no level: after a decision of the first level it is for the second.
    """
    known = dict(appeals)
    unfiled = [a for a in by_filing(known.values()) if a.first("filed") is None]
    for appeal in unfiled:
        begun = appeal.filed_at or _LAST
        others = (other for other in known.values() if other.appeal != appeal.appeal)
        decided = any(other.level == 1 and other.decision_at(begun) for other in others)
        known[appeal.appeal] = replace(appeal, level=2 if decided else 1)
    return known
