from datetime import UTC, datetime
from typing import Any

import pytest

from commands.prices import permit_refundable, prorated
from events.base import Event
from events.payments import PaymentAuthorised, PaymentDishonoured, PaymentRefunded
from events.permits import PermitCancelled, PermitPurchased, PermitRevoked
from tests.commands.right_stories import folded

TORONTO = "America/Toronto"


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


MARCH, APRIL, MAY = (local(f"2026-0{m}-01T00:00:00-0{o}:00") for m, o in ((3, 5), (4, 4), (5, 4)))
LATER = local("2026-06-01T00:00:00-04:00")


def bought(**more: Any) -> PermitPurchased:
    return PermitPurchased(
        at=MARCH, permit="T", zones=("F",), valid_from=MARCH, valid_until=MAY, payment="P", **more
    )


PAID = PaymentAuthorised(at=MARCH, payment="P", amount=24000)
CANCELLED = PermitCancelled(at=APRIL, permit="T", effective_at=APRIL)


def refundable(*facts: Event, at: datetime = LATER) -> int:
    return permit_refundable(*folded(facts), at, TORONTO)


@pytest.mark.parametrize(
    ("price", "term", "end", "expected"),
    [
        (3000, 31, APRIL, 3000),
        (3000, 61, APRIL, 1525),  # 31 of 61 days: 1524.59
        (3000, 30, MAY, 3000),
        (1, 62, APRIL, 1),  # a half is rounded up
    ],
)
def test_a_price_is_prorated_by_the_local_days_that_are_touched(
    price: int, term: int, end: datetime, expected: int
) -> None:
    assert prorated(price, term, MARCH, end, TORONTO) == expected


def test_a_cancelled_permit_gives_back_its_unused_days() -> None:
    assert refundable(bought(), PAID, CANCELLED) == 11803  # 30 of 61 days of 24000: 11803.28
    assert refundable(bought(), PAID, CANCELLED, at=MARCH) == 0


def test_a_day_that_has_begun_is_used() -> None:
    noon = local("2026-04-01T12:00:00-04:00")
    cancelled = PermitCancelled(at=noon, permit="T", effective_at=noon)
    assert refundable(bought(), PAID, cancelled) == 11410  # 29 of 61 days: 11409.84


def test_a_permit_cancelled_before_it_began_gives_everything_back() -> None:
    early = local("2026-02-01T00:00:00-05:00")
    before = bought().model_copy(update={"at": early})
    paid = PAID.model_copy(update={"at": early})
    assert refundable(before, paid, PermitCancelled(at=early, permit="T", effective_at=early)) == 24000


def test_what_was_given_back_is_not_given_back_again() -> None:
    refund = PaymentRefunded(at=APRIL, payment="P", amount=11000)
    assert refundable(bought(), PAID, CANCELLED, refund) == 803


def test_a_permit_that_stands_was_revoked_or_was_never_paid_gives_nothing_back() -> None:
    revoked = PermitRevoked(at=APRIL, permit="T", effective_at=APRIL)
    assert refundable(bought(), PAID) == 0
    assert refundable(bought(), PAID, revoked) == 0
    assert refundable(bought(), CANCELLED) == 0
    assert refundable(bought(), PAID, PaymentDishonoured(at=APRIL, payment="P"), CANCELLED) == 0
