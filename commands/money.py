"""One payment, folded: what was paid, from when it counts, to which citations it goes, and what came back.

A payment counts from the instant it was authorised or received. One that the bank returned, or that was
lost in a chargeback, counts as never made. One that names a citation counts as allocated to it whole until
explicit allocations say otherwise. Allocations beyond the amount take from the earlier ones: that is how
money moves from a voided duplicate to the citation that was kept.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from events.envelope import Recorded
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

type PaymentEvent = (
    PaymentAuthorised
    | PaymentReceived
    | PaymentCaptured
    | PaymentSettled
    | PaymentAllocated
    | PaymentRefunded
    | PaymentDishonoured
    | ChargebackOpened
    | ChargebackWon
    | ChargebackLost
)
"""Every event of a payment."""

PAYMENT_EVENTS = (
    PaymentAuthorised,
    PaymentReceived,
    PaymentCaptured,
    PaymentSettled,
    PaymentAllocated,
    PaymentRefunded,
    PaymentDishonoured,
    ChargebackOpened,
    ChargebackWon,
    ChargebackLost,
)


class Allocation(msgspec.Struct, frozen=True):
    """So many cents of a payment settle `citation`, counted from `effective_at`."""

    citation: str
    amount: int
    effective_at: datetime
    at: datetime
    position: int
    moved_from: str | None = None


class Refund(msgspec.Struct, frozen=True):
    """So many cents were given back at `at`."""

    amount: int
    at: datetime
    position: int
    citation: str | None = None


class Mark(msgspec.Struct, frozen=True):
    """Something that happened to a payment, an appeal or a citation, by its word."""

    word: str
    at: datetime
    position: int


class Payment(msgspec.Struct, frozen=True):
    """The folded state of one payment. Before it was made (its events may arrive first) `made_at` is open."""

    payment: str
    amount: int = 0
    method: str = ""
    made_at: datetime | None = None
    made_position: int = 0
    citation: str | None = None
    permit: str | None = None
    session: str | None = None
    account: str | None = None
    reference: str | None = None
    last4: str | None = None
    captured: bool = False
    settled: bool = False
    explicit: tuple[Allocation, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returned: Mark | None = None
    chargeback: tuple[Mark, ...] = ()


def evolve_payment(payment: Payment, entry: Recorded[PaymentEvent]) -> Payment:  # noqa: PLR0911 - a fact each
    """Return the payment after one more of its events."""
    event = entry.event
    match event:
        case PaymentAuthorised() | PaymentReceived():
            return _made(payment, event, entry.position)
        case PaymentCaptured():
            return replace(payment, captured=True)
        case PaymentSettled():
            return replace(payment, settled=True)
        case PaymentAllocated():
            return _allocated(payment, event, entry.position)
        case PaymentRefunded():
            refund = Refund(event.amount, event.at, entry.position, event.citation)
            return replace(payment, refunds=(*payment.refunds, refund))
        case PaymentDishonoured():
            return replace(
                payment, returned=payment.returned or Mark("dishonoured", event.at, entry.position)
            )
        case ChargebackOpened():
            return _disputed(payment, "opened", entry)
        case ChargebackWon():
            return _disputed(payment, "won", entry)
        case ChargebackLost():
            lost = _disputed(payment, "lost", entry)
            return replace(lost, returned=payment.returned or Mark("lost", event.at, entry.position))
        case _:
            assert_never(event)


def _made(payment: Payment, event: PaymentAuthorised | PaymentReceived, position: int) -> Payment:
    """Keep the earliest instant: a payment authorised and later received counts from its authorisation."""
    if payment.made_at is not None and payment.made_at <= event.at:
        return payment
    return replace(
        payment,
        amount=event.amount,
        method=event.method,
        made_at=event.at,
        made_position=position,
        citation=event.citation,
        permit=event.permit,
        session=event.session,
        account=event.account,
        reference=event.reference,
        last4=event.last4,
    )


def _allocated(payment: Payment, event: PaymentAllocated, position: int) -> Payment:
    made = Allocation(event.citation, event.amount, event.effective_at, event.at, position, event.moved_from)
    ordered = sorted((*payment.explicit, made), key=lambda a: (a.at, a.position))
    return replace(payment, explicit=tuple(ordered))


def _disputed(
    payment: Payment, word: Literal["opened", "won", "lost"], entry: Recorded[PaymentEvent]
) -> Payment:
    marks = (*payment.chargeback, Mark(word, entry.event.at, entry.position))
    return replace(payment, chargeback=tuple(sorted(marks, key=lambda m: (m.at, m.position))))


def allocations(payment: Payment) -> tuple[Allocation, ...]:
    """Return what the payment settles now: the named citation, or what explicit allocations left standing.

    A payment that counts as never made settles nothing; a refund is not taken off here.
    """
    if payment.returned is not None:
        return ()
    if payment.explicit:
        return _standing(payment)
    if payment.citation is None or payment.made_at is None:
        return ()
    return (_whole(payment, payment.citation),)


def _standing(payment: Payment) -> tuple[Allocation, ...]:
    left: list[Allocation] = []
    named = payment.citation
    if named is not None and _counts_whole_first(payment, named):
        left = [_whole(payment, named)]
    for made in payment.explicit:
        if made.moved_from is not None:
            left = _taken(left, made.amount, only=made.moved_from)
        if payment.made_at is not None:
            left = _taken(left, sum(a.amount for a in left) + made.amount - payment.amount)
        left.append(made)
    return tuple(left)


def _counts_whole_first(payment: Payment, named: str) -> bool:
    """Tell whether no allocation says how much the named citation gets: it keeps what others do not take."""
    first = payment.explicit[0]
    return first.moved_from == named or all(a.citation != named for a in payment.explicit)


def _whole(payment: Payment, citation: str) -> Allocation:
    made_at = payment.made_at if payment.made_at is not None else payment.explicit[0].effective_at
    return Allocation(citation, payment.amount, made_at, made_at, payment.made_position)


def _taken(earlier: list[Allocation], cents: int, only: str | None = None) -> list[Allocation]:
    """Take so many cents off the allocations, the oldest first, or only off those to one citation."""
    left: list[Allocation] = []
    for made in earlier:
        part = min(max(0, cents), made.amount) if only in {None, made.citation} else 0
        cents -= part
        if made.amount > part:
            left.append(replace(made, amount=made.amount - part))
    return left


def refunded(payment: Payment) -> int:
    """Return how many cents of the payment were given back."""
    return sum(r.amount for r in payment.refunds)


def remaining(payment: Payment) -> int:
    """Return how many cents of the payment the office still holds; nothing of one that was returned."""
    return 0 if payment.returned is not None else max(0, payment.amount - refunded(payment))


def refunds_by_citation(payment: Payment) -> tuple[Refund, ...]:
    """Return each refund with the citation that it takes money from.

    A refund that names none takes first what is not allocated, then from the newest allocation backwards.
    Nothing is given back before it was paid.
    """
    if payment.returned is not None:
        return ()
    made = allocations(payment)
    free = max(0, payment.amount - sum(a.amount for a in made))
    left = [a.amount for a in made]
    shared: list[Refund] = []
    for refund in payment.refunds:
        rest = refund.amount
        if refund.citation is None:
            rest = max(0, refund.amount - free)
            free -= refund.amount - rest
        for index in reversed(range(len(made))):
            if refund.citation in {None, made[index].citation}:
                share = min(rest, left[index])
                left[index] -= share
                rest -= share
                at = max(refund.at, made[index].effective_at)
                shared.append(replace(refund, amount=share, at=at, citation=made[index].citation))
    return tuple(r for r in shared if r.amount > 0)


def unallocated(payment: Payment, issued: Collection[str]) -> int:
    """Return how many cents are held for no citation yet; `issued` are the citations that the log knows.

    Money for a permit or a session is not waiting for a citation, and a returned payment holds nothing.
    """
    if payment.returned is not None or payment.made_at is None:
        return 0
    if (payment.permit or payment.session) and not payment.explicit and payment.citation is None:
        return 0
    placed = sum(a.amount for a in allocations(payment) if a.citation in issued)
    refunds_of_placed = sum(r.amount for r in refunds_by_citation(payment) if r.citation in issued)
    return max(0, payment.amount - placed - (refunded(payment) - refunds_of_placed))


def disputed_at(payment: Payment, instant: datetime) -> bool:
    """Tell whether a chargeback of the payment is open at the instant; none is before it was made."""
    if payment.made_at is None or instant < payment.made_at:
        return False
    state = [m.word for m in payment.chargeback if m.at <= instant]
    return bool(state) and state[-1] == "opened"


def dispute_end(payment: Payment, instant: datetime) -> datetime | None:
    """Return when the chargeback that is open at the instant was closed, `None` where it still is open."""
    return next((m.at for m in payment.chargeback if m.at > instant and m.word != "opened"), None)
