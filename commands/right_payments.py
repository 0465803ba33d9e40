"""What rights have to know of payments: from which instant one counts, and whether it still does.

Money is kept apart from the right. A payment counts from the instant it was authorised or received; when it
was captured, settled or posted never matters. A dishonoured payment and one lost to a chargeback count as
never made; a refund leaves the right alone.
"""

from datetime import datetime

import msgspec

from events.base import Event
from events.envelope import Recorded
from events.payments import (
    ChargebackLost,
    ChargebackWon,
    PaymentAuthorised,
    PaymentDishonoured,
    PaymentReceived,
    PaymentRefunded,
)

type PaymentEvent = (
    PaymentAuthorised
    | PaymentReceived
    | PaymentRefunded
    | PaymentDishonoured
    | ChargebackWon
    | ChargebackLost
)

PAYMENT_EVENTS: tuple[type[Event], ...] = (
    PaymentAuthorised,
    PaymentReceived,
    PaymentRefunded,
    PaymentDishonoured,
    ChargebackWon,
    ChargebackLost,
)
"""The events that a right's payments are folded from."""


class Payment(msgspec.Struct, frozen=True):
    """One payment as rights see it; every tuple is sorted, so that the order of arrival leaves no trace."""

    payment: str = ""
    made: tuple[tuple[datetime, int], ...] = ()
    """`(instant, minor units)` of each authorisation or receipt."""
    undone: tuple[datetime, ...] = ()
    """When it was dishonoured, or a chargeback was lost."""
    restored: tuple[datetime, ...] = ()
    """When a chargeback was won."""
    refunded: tuple[tuple[datetime, int], ...] = ()

    @property
    def counts_from(self) -> datetime | None:
        """The instant that it counts from; `None` where it is unknown or counts as never made."""
        if not self.undone:
            return self.made[0][0] if self.made else None
        return next((instant for instant, _ in self.made if not self._undone_after(instant)), None)

    def kept(self, at: datetime) -> int:
        """Return the minor units of it that stand at the instant: what was made, less refunds by then."""
        start = self.counts_from
        if start is None or start > at:
            return 0
        made = max(amount for instant, amount in self.made if instant >= start)
        return max(0, made - sum(amount for instant, amount in self.refunded if instant <= at))

    def _undone_after(self, instant: datetime) -> bool:
        last = max((undone for undone in self.undone if undone >= instant), default=None)
        return last is not None and not any(restored > last for restored in self.restored)


def evolve_payment(payment: Payment, entry: Recorded[PaymentEvent]) -> Payment:
    """Return the payment after one more of its events, in whatever order they arrive."""
    event = entry.event
    match event:
        case PaymentAuthorised() | PaymentReceived():
            made = tuple(sorted((*payment.made, (event.at, int(event.amount)))))
            return msgspec.structs.replace(payment, payment=event.payment, made=made)
        case PaymentRefunded():
            refunded = tuple(sorted((*payment.refunded, (event.at, int(event.amount)))))
            return msgspec.structs.replace(payment, payment=event.payment, refunded=refunded)
        case PaymentDishonoured() | ChargebackLost():
            undone = tuple(sorted((*payment.undone, event.at)))
            return msgspec.structs.replace(payment, payment=event.payment, undone=undone)
        case ChargebackWon():
            restored = tuple(sorted((*payment.restored, event.at)))
            return msgspec.structs.replace(payment, payment=event.payment, restored=restored)
