"""The docket of one citation: everything reported of it, of its payments and of its appeals, folded.

Nothing is derived here. A docket folded from the entries up to a position is what was known there; the
functions of `commands.ledger` evaluate it at an instant of business time.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

import msgspec
from msgspec.structs import replace

from commands.holds import APPEAL_EVENTS, Appeal, AppealEvent, evolve_appeal, levelled
from commands.money import PAYMENT_EVENTS, Payment, PaymentEvent, evolve_payment
from commands.policy import STANDARD, Policy, policy_of_citation
from events.citations import (
    CitationEscalated,
    CitationIssued,
    CitationServed,
    CitationVoided,
    LateFeeAssessed,
    LateFeeReinstated,
    LateFeeReversed,
    OwnerLookupReturned,
    ReturnedItemFeeAssessed,
    ReviewRequired,
)
from events.envelope import Recorded
from events.policies import PolicyAdopted
from events.zones import ZoneOpened

type FeeEvent = LateFeeAssessed | LateFeeReversed | LateFeeReinstated | ReturnedItemFeeAssessed
type CitationEvent = (
    CitationIssued
    | CitationServed
    | CitationVoided
    | FeeEvent
    | CitationEscalated
    | OwnerLookupReturned
    | ReviewRequired
)
"""Every event of the citation itself."""

type LedgerEvent = CitationEvent | AppealEvent | PaymentEvent | ZoneOpened | PolicyAdopted
"""What a docket is folded from: its zone tells the time zone, the adopted policies tell the numbers."""

FEE_EVENTS = (LateFeeAssessed, LateFeeReversed, LateFeeReinstated, ReturnedItemFeeAssessed)
CITATION_EVENTS = (
    CitationIssued,
    CitationServed,
    CitationVoided,
    *FEE_EVENTS,
    CitationEscalated,
    OwnerLookupReturned,
    ReviewRequired,
)
LEDGER_EVENTS = (*CITATION_EVENTS, *APPEAL_EVENTS, *PAYMENT_EVENTS, ZoneOpened, PolicyAdopted)

UTC_ZONE = "UTC"


class Fee(msgspec.Struct, frozen=True):
    """One fee event: `word` is assessed, reversed, reinstated or returned_item; cents; what it corrects."""

    word: str
    amount: int
    at: datetime
    position: int
    corrects: int | None = None


class Escalation(msgspec.Struct, frozen=True):
    """A stage of collection that the citation reached."""

    stage: str
    at: datetime
    position: int


class Void(msgspec.Struct, frozen=True):
    """That a citation was voided, why, and which citation it was a duplicate of."""

    citation: str
    reason: str
    at: datetime
    position: int
    duplicate_of: str | None = None


class Review(msgspec.Struct, frozen=True):
    """That a person has to look at the citation again, and why."""

    reason: str
    cause: str | None
    at: datetime
    position: int


class Adopted(msgspec.Struct, frozen=True):
    """One adopted policy version, as reported."""

    policy: str
    effective_from: datetime
    at: datetime
    values: Mapping[str, int | bool | str]
    position: int = 0

    @property
    def event(self) -> PolicyAdopted:
        """The version as it was reported."""
        return PolicyAdopted.model_construct(
            at=self.at, policy=self.policy, effective_from=self.effective_from, values=dict(self.values)
        )


class CitationLedger(msgspec.Struct, frozen=True):
    """The folded docket of one citation; `issued_at` is open as long as the citation is not in the log.

    Begin with `CitationLedger(citation)`, or with an empty one that its issue will name.
    """

    citation: str = ""
    issued_at: datetime | None = None
    issued_position: int = 0
    plate: str = ""
    zone: str = ""
    code: str = ""
    kind: str = "citation"
    fine: int | None = None
    pinned: str | None = None
    timezone: str | None = None
    timezone_position: int = 0
    adopted: tuple[Adopted, ...] = ()
    services: tuple[tuple[datetime, int], ...] = ()
    voids: tuple[Void, ...] = ()
    fees: tuple[Fee, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    reviews: tuple[Review, ...] = ()
    owner: str | None = None
    appeals: Mapping[str, Appeal] = msgspec.field(default_factory=dict)
    payments: Mapping[str, Payment] = msgspec.field(default_factory=dict)

    @property
    def void(self) -> Void | None:
        """Its own void; the docket of a kept citation also hears of its duplicates'."""
        return next((v for v in self.voids if v.citation == self.citation), None)

    @property
    def duplicates(self) -> tuple[str, ...]:
        """The citations that were voided as its duplicates."""
        return tuple(v.citation for v in self.voids if v.duplicate_of == self.citation)

    @property
    def policy(self) -> Policy:
        """The policy that the citation is decided by: the version it pins, else the one in force then."""
        if self.issued_at is None:
            return STANDARD
        return policy_of_citation(
            [(version.position, version.event) for version in self.adopted],
            pinned=self.pinned,
            issued_at=self.issued_at,
            position=self.issued_position,
        )

    @property
    def zone_time(self) -> str:
        """The time zone that its days are counted in."""
        return self.timezone or UTC_ZONE


def evolve_ledger(ledger: CitationLedger, entry: Recorded[LedgerEvent]) -> CitationLedger:
    """Return the docket after one more event of it, in whatever order they arrive.

    Give it the events of the citation, of its appeals, of every payment that names it or is allocated to it,
    of its zone and of the adopted policies; which those are is for `commands.ledger.ledger_boundary` to say.
    """
    event = entry.event
    if isinstance(event, PAYMENT_EVENTS):
        known = ledger.payments.get(event.payment, Payment(event.payment))
        changed = evolve_payment(
            known, Recorded(entry.position, entry.recorded, event, "", "", entry.command_id)
        )
        return replace(ledger, payments={**ledger.payments, event.payment: changed})
    if isinstance(event, APPEAL_EVENTS):
        return _appealed(ledger, entry.position, entry, event)
    return _own(ledger, entry.position, event)


def _appealed(
    ledger: CitationLedger, position: int, entry: Recorded[LedgerEvent], event: AppealEvent
) -> CitationLedger:
    known = ledger.appeals.get(event.appeal, Appeal(event.appeal, event.citation))
    changed = evolve_appeal(
        known, Recorded(position, entry.recorded, event, entry.actor, entry.channel, entry.command_id)
    )
    return replace(ledger, appeals=levelled({**ledger.appeals, event.appeal: changed}))


def _own(  # noqa: PLR0911 - a fact each
    ledger: CitationLedger, position: int, event: CitationEvent | ZoneOpened | PolicyAdopted
) -> CitationLedger:
    match event:
        case CitationIssued():
            return _issued(ledger, position, event)
        case CitationServed():
            return replace(ledger, services=tuple(sorted((*ledger.services, (event.at, position)))))
        case CitationVoided():
            void = Void(event.citation, event.reason, event.at, position, event.duplicate_of)
            return replace(ledger, voids=(*ledger.voids, void))
        case LateFeeAssessed() | LateFeeReversed() | LateFeeReinstated() | ReturnedItemFeeAssessed():
            fee = Fee(_FEE_WORDS[type(event)], event.amount, event.at, position, event.corrects)
            return replace(ledger, fees=(*ledger.fees, fee))
        case CitationEscalated():
            reached = (*ledger.escalations, Escalation(event.stage, event.at, position))
            return replace(ledger, escalations=tuple(sorted(reached, key=lambda e: (e.at, e.position))))
        case OwnerLookupReturned():
            return replace(ledger, owner=event.result)
        case ReviewRequired():
            review = Review(event.reason, event.cause, event.at, position)
            return replace(ledger, reviews=(*ledger.reviews, review))
        case ZoneOpened():
            return replace(ledger, timezone=event.timezone, timezone_position=position)
        case PolicyAdopted():
            version = Adopted(event.policy, event.effective_from, event.at, event.values, position)
            return replace(ledger, adopted=(*ledger.adopted, version))
        case _:
            assert_never(event)


_FEE_WORDS = {
    LateFeeAssessed: "assessed",
    LateFeeReversed: "reversed",
    LateFeeReinstated: "reinstated",
    ReturnedItemFeeAssessed: "returned_item",
}


def _issued(ledger: CitationLedger, position: int, event: CitationIssued) -> CitationLedger:
    """Keep the first report of this citation; a second one under the same number does not change it."""
    if ledger.issued_at is not None or ledger.citation not in {"", event.citation}:
        return ledger
    return replace(
        ledger,
        citation=event.citation,
        issued_at=event.at,
        issued_position=position,
        plate=event.plate,
        zone=event.zone,
        code=event.code,
        kind=event.kind,
        fine=event.fine,
        pinned=event.policy,
    )
