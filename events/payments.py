"""Payments: authorised or received, allocated, captured, settled, refunded, dishonoured, disputed."""

from typing import Annotated

from pydantic import StringConstraints

from events.base import Event
from events.vocabulary import (
    AccountId,
    CitationId,
    Instant,
    PaymentId,
    PermitId,
    PositiveAmount,
    SessionId,
    Text,
    Word,
)

Last4 = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class PaymentAuthorised(Event):
    """A card issuer or wallet authorised the amount; the payment counts from this instant."""

    payment: PaymentId
    amount: PositiveAmount
    method: Word = "card"
    reference: Word | None = None
    last4: Last4 | None = None
    citation: CitationId | None = None
    permit: PermitId | None = None
    session: SessionId | None = None
    account: AccountId | None = None


class PaymentReceived(Event):
    """Cash, a cheque or a transfer was received; the payment counts from this instant."""

    payment: PaymentId
    amount: PositiveAmount
    method: Word = "cash"
    reference: Word | None = None
    last4: Last4 | None = None
    citation: CitationId | None = None
    permit: PermitId | None = None
    session: SessionId | None = None
    account: AccountId | None = None


class PaymentCaptured(Event):
    """The processor captured an authorised payment."""

    payment: PaymentId


class PaymentSettled(Event):
    """The money reached the office's account."""

    payment: PaymentId


class PaymentAllocated(Event):
    """So much of the payment settles the citation, counted from `effective_at`.

    `moved_from` names the citation that the money leaves, where a voided duplicate's payment moves.
    """

    payment: PaymentId
    citation: CitationId
    amount: PositiveAmount
    effective_at: Instant
    moved_from: CitationId | None = None


class PaymentRefunded(Event):
    """So much of the payment was given back; `citation` is whose money it was, where it settled several."""

    payment: PaymentId
    amount: PositiveAmount
    citation: CitationId | None = None


class PaymentDishonoured(Event):
    """The bank returned the payment: it counts as never made."""

    payment: PaymentId
    reason: Text | None = None


class ChargebackOpened(Event):
    """The cardholder disputes the payment."""

    payment: PaymentId


class ChargebackWon(Event):
    """The dispute ended for the office; the payment stands."""

    payment: PaymentId


class ChargebackLost(Event):
    """The dispute ended for the cardholder; the payment counts as never made."""

    payment: PaymentId
