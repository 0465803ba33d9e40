"""How citations look from outside: the shapes of the answers, and a docket turned into one."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from commands.findings import Disposition
from commands.holds import Appeal
from commands.ledger import (
    CitationLedger,
    balance,
    deadlines,
    fine_at,
    in_time,
    payable,
    refundable,
    stage,
)
from events.reads import Answer
from read_api.answers import AsOf


class AppealState(BaseModel):
    """An appeal against the citation."""

    appeal: str
    level: int
    state: str = Field(examples=["filed", "decided"])
    in_time: bool
    filed: datetime | None
    outcome: str | None = Field(examples=["dismissed"])


class DeadlineInstants(BaseModel):
    """The exclusive instants; null where a clock stands still or has nothing to count from."""

    discount: datetime | None
    first_appeal: datetime | None
    second_level: datetime | None
    late_fee: datetime | None


class CitationState(BaseModel):
    """A citation as it stood at an instant, by what was known. Amounts in minor units."""

    citation: str = Field(examples=["PV-50001"])
    kind: str = Field(examples=["citation", "warning"])
    plate: str = Field(examples=["ON CKTR482"])
    zone: str
    code: str = Field(examples=["NO_PERMIT"])
    issued: datetime
    policy: str = Field(description="The version of the policy that it is decided by.")
    at: datetime = Field(description="The instant that amounts and stage are of.")
    stage: str | None = Field(
        description="Null at an instant before it was issued.", examples=["open", "paid", "late"]
    )
    fine: int
    balance: int = Field(description="Fine and fees less allocated payments.")
    payable: int = Field(description="What settles it at that instant, the discount included.")
    refundable: int
    voided: str | None = Field(description="Why it was voided, if it was.")
    duplicates: list[str] = Field(description="Citations that were voided as its duplicates.")
    deadlines: DeadlineInstants
    appeals: list[AppealState]
    as_of: AsOf


class CauseAnswer(BaseModel):
    """Why a wrong citation was written."""

    kind: str = Field(examples=["POSTING_LAG"])
    seconds: float | None = Field(None, examples=[1733])


class FindingAnswer(BaseModel):
    """What the evidence alone says of the citation; staff confirm it or overrule it."""

    citation: str
    disposition: Disposition
    reason: str = Field(examples=["VALID_RIGHT_AT_OBSERVATION"])
    cause: CauseAnswer | None
    officer_erred: bool
    right: str | None
    duplicate_of: str | None = Field(None, description="The earlier citation that it repeats.")
    positions: list[int] = Field(description="The entries that it rests on.")
    as_of: AsOf


class WrittenCitation(BaseModel):
    """A citation as a list shows it."""

    citation: str
    plate: str
    zone: str
    code: str
    kind: str
    issued_at: datetime
    served_at: datetime | None
    voided_at: datetime | None
    under_review: bool
    discount_until: datetime | None
    late_fee_at: datetime | None


class WrittenCitations(BaseModel):
    """The citations that were written last, the newest first."""

    citations: list[WrittenCitation]
    known: int
    as_of: AsOf


class ShownAnswer(BaseModel):
    """What the officer's screen answered, and the position that the answer rested on."""

    answer: Answer
    position: int
    right: str | None = None


class KnownAnswer(BaseModel):
    """How the plate stood at an entry's instant, by what was known."""

    answer: Answer
    right: str | None
    end: datetime | None


class TimelineItem(BaseModel):
    """One entry, with both clocks."""

    position: int
    at: datetime = Field(description="When it occurred.")
    recorded: datetime = Field(description="When the log accepted it.")
    type: str = Field(examples=["PlateRead"])
    area: str = Field(examples=["reads"])
    fields: dict[str, Any]
    actor: str
    channel: str
    device_time: datetime | None = Field(description="What the device's clock claimed.")
    was: str | None = Field(description="Of a correction: the plate as it was first read.")
    shown: ShownAnswer | None
    known_then: KnownAnswer | None = Field(description="By what the log held when it took the entry.")
    known_now: KnownAnswer | None = Field(description="By all that this timeline knows.")


class TimelineAnswer(BaseModel):
    """All that touches the citation, in the order in which it happened."""

    citation: str
    plate: str | None
    zone: str | None
    entries: list[TimelineItem]
    known: int
    as_of: AsOf


def state_of(docket: CitationLedger, at: datetime) -> dict[str, Any]:
    """Return a docket at an instant, in the shape of `CitationState`."""
    void = docket.void
    return {
        "citation": docket.citation,
        "kind": docket.kind,
        "plate": docket.plate,
        "zone": docket.zone,
        "code": docket.code,
        "issued": docket.issued_at,
        "policy": docket.policy.version,
        "at": at,
        "stage": stage(docket, at),
        "fine": fine_at(docket, at),
        "balance": balance(docket, at),
        "payable": payable(docket, at),
        "refundable": refundable(docket, at),
        "voided": void.reason if void else None,
        "duplicates": docket.duplicates,
        "deadlines": deadlines(docket),
        "appeals": [_appeal(docket, appeal) for appeal in docket.appeals.values()],
    }


def _appeal(docket: CitationLedger, appeal: Appeal) -> dict[str, Any]:
    decision = appeal.decision
    return {
        "appeal": appeal.appeal,
        "level": appeal.level,
        "state": appeal.state,
        "in_time": in_time(docket, appeal),
        "filed": appeal.filed_at,
        "outcome": decision.outcome if decision else None,
    }
