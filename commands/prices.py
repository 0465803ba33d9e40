"""Prices of permits: prorated by local days when bought for less than a term, given back by unused days."""

from collections.abc import Mapping
from datetime import datetime

from commands.calendar import local_days
from commands.right_facts import Right
from commands.right_intervals import nominal_until, spans_in_force, stop_at
from commands.right_payments import Payment
from events.vocabulary import Cents


def prorated(price: int, term_days: int, start: datetime, end: datetime, timezone: str) -> Cents:
    """Return the part of a term's price for `[start, end)`, in minor units, rounded half up.

    price x days / term_days, where a local date that the interval touches is a day; at most the price.
    """
    days = min(local_days(start, end, timezone), term_days)
    return Cents((2 * price * days + term_days) // (2 * term_days))


def permit_refundable(right: Right, payments: Mapping[str, Payment], at: datetime, timezone: str) -> Cents:
    """Return what may be given back of the payments of a permit at the instant, in minor units.

    Of a permit that was cancelled: what stands of its payments x unused local days / all its local days,
    rounded half up; a day that has begun is used. A permit that was never in force gives everything back.
    One that stands, or was taken away, gives nothing.
    """
    paid = sum(payments[name].kept(at) for name in right.payments if name in payments)
    start = next((fact.since for fact in right.facts if fact.what == "bought"), None)
    end = nominal_until(right)
    if paid == 0 or start is None or end is None or stop_at(right, at) != "cancellation":
        return Cents(0)
    stopped = max((span[1] for span in spans_in_force(right, payments) if span[1] is not None), default=start)
    whole = local_days(start, end, timezone)
    unused = whole - local_days(start, stopped, timezone)
    already = _given_back(right, payments, at)
    worth = (2 * (paid + already) * unused + whole) // (2 * whole) if whole else paid + already
    return Cents(max(0, min(paid, worth - already)))


def _given_back(right: Right, payments: Mapping[str, Payment], at: datetime) -> int:
    found = (payments[name] for name in right.payments if name in payments)
    return sum(amount for payment in found for instant, amount in payment.refunded if instant <= at)
