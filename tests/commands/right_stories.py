"""Facts of one permit in short notation, and hypothesis strategies that make up its life."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from commands.rights import PAYMENT_EVENTS, Payment, Right, evolve_payment, evolve_right, keys_of
from events.base import Event
from events.payments import ChargebackLost, ChargebackWon, PaymentAuthorised, PaymentDishonoured
from events.permits import (
    ActivePlateSelected,
    PermitCancelled,
    PermitPurchased,
    PermitReinstated,
    PermitRenewed,
    PermitRevoked,
    PermitSuspended,
    PlateAdded,
    PlateAssociationCorrected,
    PlateRemoved,
)
from tests.commands.given_when_then import recorded

T0 = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
A, B, C = "ON AAA111", "ON BBB222", "ON CCC333"


def at(minutes: float) -> datetime:
    """Return the instant so many minutes into the story."""
    return T0 + timedelta(minutes=minutes)


def bought(minutes: float = 0, start: float = 0, end: float = 1000, **more: Any) -> PermitPurchased:
    """Return the purchase of the permit `T` for the zone `F`."""
    fields: dict[str, Any] = {"permit": "T", "zones": ("F",), "plates": (A,)} | more
    return PermitPurchased(at=at(minutes), valid_from=at(start), valid_until=at(end), **fields)


def folded(facts: Iterable[Event]) -> tuple[Right, dict[str, Payment]]:
    """Return the permit `T` and the payments that the facts tell of."""
    right, payments = Right(), {}
    for entry in recorded(list(facts)):
        if isinstance(entry.event, PAYMENT_EVENTS):
            name: str = entry.event.payment
            payments[name] = evolve_payment(payments.get(name, Payment()), entry)
        if keys_of(entry.event):
            right = evolve_right(right, entry)
    return right, payments


_minutes = st.integers(0, 40).map(lambda n: n * 10)
_plates = st.sampled_from([A, B, C])


def _stop(event: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(lambda m, e: event(at=at(m), permit="T", effective_at=at(e)), _minutes, _minutes)


_facts: st.SearchStrategy[Event] = st.one_of(
    st.builds(lambda m, u: PermitRenewed(at=at(m), permit="T", valid_until=at(u)), _minutes, _minutes),
    st.builds(
        lambda m, u: PermitRenewed(at=at(m), permit="T", valid_until=at(u), payment="Q"), _minutes, _minutes
    ),
    st.builds(
        lambda m, p, e: PlateAdded(at=at(m), permit="T", plate=p, effective_from=at(e)),
        _minutes,
        _plates,
        _minutes,
    ),
    st.builds(
        lambda m, p, e: PlateRemoved(at=at(m), permit="T", plate=p, effective_from=at(e)),
        _minutes,
        _plates,
        _minutes,
    ),
    st.builds(lambda m, p: ActivePlateSelected(at=at(m), permit="T", plate=p), _minutes, _plates),
    st.builds(
        lambda m, p, w, e: PlateAssociationCorrected(
            at=at(m), permit="T", plate=p, corrects=w, effective_from=at(e)
        ),
        _minutes,
        _plates,
        st.none() | _plates,
        _minutes,
    ),
    _stop(PermitSuspended),
    _stop(PermitRevoked),
    _stop(PermitCancelled),
    st.builds(
        lambda m, e, r: PermitReinstated(at=at(m), permit="T", effective_at=at(e), retroactive_to=r),
        _minutes,
        _minutes,
        st.none() | _minutes.map(at),
    ),
    st.builds(lambda m: PaymentAuthorised(at=at(m), payment="P", amount=100), _minutes),
    st.builds(lambda m: PaymentAuthorised(at=at(m), payment="Q", amount=100, permit="T"), _minutes),
    st.builds(lambda m: PaymentDishonoured(at=at(m), payment="P"), _minutes),
    st.builds(lambda m: ChargebackLost(at=at(m), payment="Q"), _minutes),
    st.builds(lambda m: ChargebackWon(at=at(m), payment="Q"), _minutes),
)

lives = st.tuples(
    st.builds(
        lambda m, s, e, paid, plates: bought(m, s, s + e, payment="P" if paid else None, plates=plates),
        _minutes,
        _minutes,
        _minutes,
        st.booleans(),
        st.lists(_plates, min_size=1, max_size=3, unique=True).map(tuple),
    ),
    st.lists(_facts, max_size=12),
).map(lambda drawn: [drawn[0], *drawn[1]])
"""The facts of one permit's life, the purchase among them, in any order of occurrence."""
