from typing import Any

import pytest

from commands.case_rules import AlreadySettled
from commands.citations import AlreadyVoided, NoSuchCitation
from commands.payment_life import (
    AllocatePayment,
    AmountExceedsRemaining,
    CapturePayment,
    DishonourPayment,
    LoseChargeback,
    NoOpenChargeback,
    NoSuchPayment,
    NothingToRefund,
    OpenChargeback,
    PaymentDisputed,
    PaymentReturned,
    RefundPayment,
    SettlePayment,
    WinChargeback,
)
from commands.payments import (
    AmountExceedsPayable,
    AuthorisePayment,
    CardNumberRefused,
    PaymentNumberTaken,
    ReceivePayment,
)
from events.citations import CitationVoided
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
from tests.commands.cases import ZONE, cents, cited, t
from tests.commands.given_when_then import given

ISSUED = cited()
DAY = t("2026-03-10 12:00")
NEXT = t("2026-03-11 12:00")
AFTER = t("2026-03-25 12:00")
VOIDED = CitationVoided(at=t("2026-03-08"), citation="C-1", reason="error")


def authorise(amount: int = 3000, **further: Any) -> AuthorisePayment:
    named = {"at": DAY, "payment": "P-1", "citation": "C-1", "last4": "4242"} | further
    return AuthorisePayment(amount=cents(amount), **named)


def authorised(amount: int = 3000, **further: Any) -> PaymentAuthorised:
    named = {"at": DAY, "payment": "P-1", "citation": "C-1", "last4": "4242"} | further
    return PaymentAuthorised(amount=cents(amount), **named)


def allocated(amount: int = 3000, **further: Any) -> PaymentAllocated:
    named = {"at": DAY, "payment": "P-1", "citation": "C-1", "effective_at": DAY} | further
    return PaymentAllocated(amount=cents(amount), **named)


def test_a_payment_for_a_citation_is_allocated_with_it() -> None:
    given(ZONE, ISSUED).when(authorise()).then(authorised(), allocated())


def test_a_part_may_be_paid_and_no_more_than_what_settles_it() -> None:
    given(ZONE, ISSUED).when(authorise(1000)).then(authorised(1000), allocated(1000))
    given(ZONE, ISSUED).when(authorise(3001)).then(AmountExceedsPayable)
    given(ZONE, ISSUED).when(authorise(6000, at=AFTER)).then(
        authorised(6000, at=AFTER), allocated(6000, at=AFTER, effective_at=AFTER)
    )


def test_a_settled_or_voided_citation_takes_no_money() -> None:
    facts = (ZONE, ISSUED, authorised(), allocated())
    given(*facts).when(authorise(at=NEXT, payment="P-2")).then(AlreadySettled)
    given(ZONE, ISSUED, VOIDED).when(authorise()).then(AlreadyVoided)


def test_money_for_a_citation_that_is_not_uploaded_is_taken_and_held() -> None:
    given().when(authorise()).then(authorised())


def test_money_for_a_permit_is_taken() -> None:
    cash = ReceivePayment(at=DAY, payment="P-7", amount=cents(24000), permit="T-1")
    given().when(cash).then(
        PaymentReceived(at=DAY, payment="P-7", amount=cents(24000), permit="T-1", method="cash")
    )


def test_the_same_payment_again_adds_nothing_and_another_under_its_number_is_refused() -> None:
    facts = (ZONE, ISSUED, authorised(), allocated())
    given(*facts).when(authorise(at=NEXT)).then()
    given(*facts).when(authorise(2000)).then(PaymentNumberTaken)


@pytest.mark.parametrize("field", ["payment", "reference", "method", "account"])
def test_a_card_number_in_any_field_is_refused(field: str) -> None:
    given().when(authorise(**{field: "4111 1111 1111 1111"})).then(CardNumberRefused)


def test_a_payment_is_captured_and_settled_once() -> None:
    captured, settled = PaymentCaptured(at=NEXT, payment="P-1"), PaymentSettled(at=NEXT, payment="P-1")
    given(authorised()).when(CapturePayment(at=NEXT, payment="P-1")).then(captured)
    given(authorised()).when(SettlePayment(at=NEXT, payment="P-1")).then(settled)
    given(authorised(), captured).when(CapturePayment(at=AFTER, payment="P-1")).then()
    given().when(CapturePayment(at=NEXT, payment="P-1")).then(NoSuchPayment)


def test_held_money_is_allocated_to_a_citation() -> None:
    held = authorised(citation=None)
    command = AllocatePayment(at=NEXT, payment="P-1", citation="C-1")
    given(ZONE, ISSUED, held).when(command).then(allocated(at=NEXT))
    given(held).when(command).then(NoSuchCitation)
    given(ZONE, ISSUED, VOIDED, held).when(command).then(AlreadyVoided)
    more = command.model_copy(update={"amount": cents(3001)})
    given(ZONE, ISSUED, held).when(more).then(AmountExceedsRemaining)
    big = authorised(9000, citation=None)
    given(ZONE, ISSUED, big).when(command).then(allocated(3000, at=NEXT))
    given(ZONE, ISSUED, big).when(more).then(AmountExceedsPayable)


def test_money_is_given_back_until_nothing_is_left() -> None:
    command = RefundPayment(at=NEXT, payment="P-1")
    refund = PaymentRefunded(at=NEXT, payment="P-1", amount=cents(3000))
    given(authorised()).when(command).then(refund)
    given(authorised(), refund).when(RefundPayment(at=AFTER, payment="P-1")).then(NothingToRefund)
    part = PaymentRefunded(at=NEXT, payment="P-1", amount=cents(1000))
    given(authorised(), part).when(RefundPayment(at=AFTER, payment="P-1", amount=cents(2001))).then(
        NothingToRefund
    )
    returned = PaymentDishonoured(at=NEXT, payment="P-1")
    given(authorised(), returned).when(command).then(NothingToRefund)
    given(authorised(), returned).when(CapturePayment(at=AFTER, payment="P-1")).then(PaymentReturned)


def test_a_returned_payment_is_returned_once() -> None:
    returned = PaymentDishonoured(at=NEXT, payment="P-1", reason="NSF")
    command = DishonourPayment(at=NEXT, payment="P-1", reason="NSF")
    given(authorised()).when(command).then(returned)
    given(authorised(), returned).when(command.model_copy(update={"at": AFTER})).then()


def test_nothing_is_refunded_while_a_chargeback_is_open() -> None:
    opened = ChargebackOpened(at=NEXT, payment="P-1")
    won = ChargebackWon(at=AFTER, payment="P-1")
    command = RefundPayment(at=AFTER, payment="P-1")
    given(authorised(), opened).when(command).then(PaymentDisputed)
    refund = PaymentRefunded(at=AFTER, payment="P-1", amount=cents(3000))
    given(authorised(), opened, won).when(command).then(refund)


def test_a_chargeback_is_opened_and_then_won_or_lost() -> None:
    opened = ChargebackOpened(at=NEXT, payment="P-1")
    won, lost = ChargebackWon(at=AFTER, payment="P-1"), ChargebackLost(at=AFTER, payment="P-1")
    given(authorised()).when(OpenChargeback(at=NEXT, payment="P-1")).then(opened)
    given(authorised(), opened).when(WinChargeback(at=AFTER, payment="P-1")).then(won)
    given(authorised(), opened).when(LoseChargeback(at=AFTER, payment="P-1")).then(lost)
    given(authorised()).when(LoseChargeback(at=AFTER, payment="P-1")).then(NoOpenChargeback)
    given(authorised(), opened, won).when(LoseChargeback(at=AFTER, payment="P-1")).then(NoOpenChargeback)
