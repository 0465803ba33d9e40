"""Which events a citation's docket rests on: its own, its appeals', its payments', its zone, the policies."""

from commands.docket import CitationEvent, CitationLedger, LedgerEvent
from commands.holds import AppealEvent
from commands.money import PaymentEvent
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
)
from events.boundary import Boundary, on
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
from events.payments import (
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    PaymentAllocated,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDishonoured,
    PaymentReceived,
    PaymentRefunded,
    PaymentSettled,
)
from events.policies import PolicyAdopted
from events.zones import ZoneOpened


def citation_events(citation: str) -> Boundary[CitationEvent]:
    """Return the boundary of what happened to the citation itself."""
    return on(
        CitationIssued,
        CitationServed,
        CitationVoided,
        CitationEscalated,
        OwnerLookupReturned,
        citation=citation,
    ) | on(
        LateFeeAssessed,
        LateFeeReversed,
        LateFeeReinstated,
        ReturnedItemFeeAssessed,
        ReviewRequired,
        citation=citation,
    )


def appeal_events(citation: str) -> Boundary[AppealEvent]:
    """Return the boundary of the appeals against a citation."""
    return on(
        AppealFiled, LateFilingRequested, LateFilingAccepted, LateFilingRefused, citation=citation
    ) | on(
        HearingScheduled,
        HearingAdjourned,
        HearingHeld,
        AppealDecided,
        AppealWithdrawn,
        AppealReinstated,
        citation=citation,
    )


def payment_events(payment: str) -> Boundary[PaymentEvent]:
    """Return the boundary of what happened to a payment."""
    return on(PaymentAuthorised, PaymentReceived, PaymentAllocated, PaymentRefunded, payment=payment) | on(
        PaymentCaptured,
        PaymentSettled,
        PaymentDishonoured,
        ChargebackOpened,
        ChargebackWon,
        ChargebackLost,
        payment=payment,
    )


def payments_of(citation: str) -> Boundary[PaymentEvent]:
    """Return the boundary of the payments that name a citation, or were allocated to it or away from it."""
    return on(PaymentAuthorised, PaymentReceived, PaymentAllocated, PaymentRefunded, citation=citation)


def ledger_boundary(citation: str, state: CitationLedger) -> Boundary[LedgerEvent]:
    """Return what the docket of a citation rests on, as far as the facts folded so far tell.

    It grows by each payment that turns up, and by the zone that tells the time zone.
    """
    wanted: Boundary[LedgerEvent] = (
        citation_events(citation) | appeal_events(citation) | payments_of(citation) | on(PolicyAdopted)
    )
    for payment in state.payments:
        wanted = wanted | payment_events(payment)
    return wanted | on(ZoneOpened, zone=state.zone) if state.zone else wanted
