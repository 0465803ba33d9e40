"""Appeals: filed, heard, decided, at two levels."""

from typing import Annotated, Literal

from pydantic import Field

from events.base import Event
from events.vocabulary import Amount, AppealId, CitationId, Instant, Personal, Text, Word

type Outcome = Literal["upheld", "reduced", "dismissed"]


class AppealFiled(Event):
    """The parker disputes the citation, at the first or the second level."""

    appeal: AppealId
    citation: CitationId
    level: Annotated[int, Field(ge=1, le=2)] = 1
    statement: Annotated[Text, Personal("account")] | None = None
    evidence: tuple[Word, ...] | None = None


class LateFilingRequested(Event):
    """The parker asks to be heard after the deadline."""

    appeal: AppealId
    citation: CitationId
    reason: Annotated[Text, Personal("account")] | None = None


class LateFilingAccepted(Event):
    """The office hears the late appeal."""

    appeal: AppealId
    citation: CitationId
    reason: Text | None = None


class LateFilingRefused(Event):
    """The office does not hear the late appeal."""

    appeal: AppealId
    citation: CitationId
    reason: Text | None = None


class HearingScheduled(Event):
    """A hearing was set."""

    appeal: AppealId
    citation: CitationId
    hearing_at: Instant | None = None


class HearingAdjourned(Event):
    """The hearing was put off."""

    appeal: AppealId
    citation: CitationId
    hearing_at: Instant | None = None


class HearingHeld(Event):
    """The hearing took place."""

    appeal: AppealId
    citation: CitationId
    hearing_at: Instant | None = None


class AppealDecided(Event):
    """The appeal was decided, and the notice given that day; `amount` is what the fine is reduced to."""

    appeal: AppealId
    citation: CitationId
    outcome: Outcome
    amount: Amount | None = None
    reason: Text | None = None


class AppealWithdrawn(Event):
    """The parker took the appeal back."""

    appeal: AppealId
    citation: CitationId


class AppealReinstated(Event):
    """A decided or withdrawn appeal is open again: remanded or reinstated."""

    appeal: AppealId
    citation: CitationId
