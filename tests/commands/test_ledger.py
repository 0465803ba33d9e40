"""What stands against a citation and what settles it, computed by hand from standard-1: 6000, 3000, 2500."""

from itertools import permutations

import pytest

from commands.ledger import balance, payable, refundable, stage, unallocated
from events.appeals import AppealDecided, AppealFiled, AppealReinstated
from events.base import Event
from events.citations import (
    CitationEscalated,
    CitationVoided,
    LateFeeAssessed,
    LateFeeReinstated,
    LateFeeReversed,
    ReturnedItemFeeAssessed,
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
)
from events.policies import PolicyAdopted
from tests.commands.cases import ZONE, cents, cited, docket, t

ISSUED = cited()
IN_WINDOW = t("2026-03-10 12:00")
LAST_MOMENT = t("2026-03-19 23:59:59")
AFTER = t("2026-03-20")
LATE = t("2026-04-10 12:00")
FEE = LateFeeAssessed(at=t("2026-04-03"), citation="C-1", amount=cents(2500))
FILED = AppealFiled(at=IN_WINDOW, appeal="A-1", citation="C-1")


def paid(at: str, amount: int, payment: str = "P-1", citation: str | None = "C-1") -> PaymentAuthorised:
    return PaymentAuthorised(at=t(at), payment=payment, amount=cents(amount), citation=citation)


def allocated(amount: int, citation: str = "C-1", **further: object) -> PaymentAllocated:
    named = {"at": IN_WINDOW, "effective_at": IN_WINDOW, "payment": "P-1"} | further
    return PaymentAllocated(citation=citation, amount=cents(amount), **named)  # type: ignore[arg-type]


def decided(outcome: str, amount: int | None = None) -> AppealDecided:
    return AppealDecided(
        at=t("2026-03-20 10:00"),
        appeal="A-1",
        citation="C-1",
        outcome=outcome,  # type: ignore[arg-type]
        amount=None if amount is None else cents(amount),
    )


def test_the_fine_stands_and_the_discount_settles_it_to_the_last_moment_of_its_window() -> None:
    state = docket(ZONE, ISSUED)
    assert (balance(state, IN_WINDOW), payable(state, IN_WINDOW)) == (6000, 3000)
    assert payable(state, LAST_MOMENT) == 3000
    assert payable(state, AFTER) == 6000
    assert stage(state, AFTER) == "open"


def test_nothing_stands_before_the_citation() -> None:
    state = docket(ZONE, ISSUED)
    before = t("2026-03-05 09:00")
    assert (balance(state, before), payable(state, before), stage(state, before)) == (0, 0, None)
    assert balance(docket(ZONE), AFTER) == 0


def test_paying_what_is_payable_in_the_window_settles_the_citation_for_good() -> None:
    state = docket(ZONE, ISSUED, paid("2026-03-19 23:59:59", 3000))
    assert (balance(state, LATE), payable(state, LATE), refundable(state, LATE)) == (0, 0, 0)
    assert stage(state, LATE) == "paid"
    assert balance(state, t("2026-03-19 23:59:58")) == 6000


def test_the_same_amount_at_the_end_of_the_window_is_a_part() -> None:
    state = docket(ZONE, ISSUED, paid("2026-03-20 00:00:00", 3000))
    assert balance(state, LATE) == 3000


def test_parts_paid_inside_the_window_add_up_to_the_discount() -> None:
    first = docket(ZONE, ISSUED, paid("2026-03-06 10:00", 1000))
    assert (balance(first, IN_WINDOW), payable(first, IN_WINDOW)) == (5000, 2000)
    assert payable(first, AFTER) == 5000
    both = docket(ZONE, ISSUED, paid("2026-03-06 10:00", 1000), paid("2026-03-15 10:00", 2000, "P-2"))
    assert balance(both, LATE) == 0


def test_a_payment_counts_from_when_it_was_authorised_however_late_it_is_captured() -> None:
    captured = PaymentCaptured(at=t("2026-04-20"), payment="P-1")
    assert balance(docket(ZONE, ISSUED, captured, paid("2026-03-19 20:00", 3000)), LATE) == 0


def test_an_explicit_allocation_takes_the_place_of_the_citation_that_the_payment_names() -> None:
    state = docket(ZONE, ISSUED, paid("2026-03-10 12:00", 6000), allocated(3000), allocated(3000, "C-2"))
    assert balance(state, LATE) == 0
    assert refundable(state, LATE) == 0
    assert unallocated(state.payments["P-1"], {"C-1"}) == 3000
    assert unallocated(state.payments["P-1"], {"C-1", "C-2"}) == 0


def test_money_of_a_voided_duplicate_moves_to_the_citation_that_is_kept() -> None:
    facts = (
        ZONE,
        cited(citation="C-2"),
        paid("2026-03-10 12:00", 3000, citation="C-2"),
        allocated(3000, "C-2"),
        CitationVoided(at=AFTER, citation="C-2", reason="duplicate", duplicate_of="C-1"),
        allocated(3000, at=AFTER, moved_from="C-2"),
    )
    voided = docket(*facts, citation="C-2")
    kept = docket(ISSUED, *facts)
    assert (balance(voided, LATE), refundable(voided, LATE), stage(voided, LATE)) == (0, 0, "voided")
    assert (balance(kept, LATE), stage(kept, LATE)) == (0, "paid")
    assert kept.duplicates == ("C-2",)


def test_a_late_fee_adds_up_once() -> None:
    state = docket(ZONE, ISSUED, FEE, FEE)
    assert balance(state, t("2026-04-02 23:59:59")) == 6000
    assert (balance(state, LATE), payable(state, LATE), stage(state, LATE)) == (8500, 8500, "late")


def test_a_reversal_that_names_the_fee_undoes_it_from_the_start_and_a_waiver_from_its_own_time() -> None:
    between = t("2026-04-05")
    correcting = LateFeeReversed(at=t("2026-04-06"), citation="C-1", amount=cents(2500), corrects=3)
    waiving = correcting.model_copy(update={"corrects": None})
    assert balance(docket(ZONE, ISSUED, FEE, correcting), between) == 6000
    waived = docket(ZONE, ISSUED, FEE, waiving)
    assert (balance(waived, between), balance(waived, LATE)) == (8500, 6000)
    back = LateFeeReinstated(at=t("2026-04-08"), citation="C-1", amount=cents(2500), corrects=4)
    assert balance(docket(ZONE, ISSUED, FEE, correcting, back), LATE) == 8500


@pytest.mark.parametrize(
    "returned",
    [
        (PaymentDishonoured(at=t("2026-03-16"), payment="P-1"),),
        (
            ChargebackOpened(at=t("2026-03-14"), payment="P-1"),
            ChargebackLost(at=t("2026-03-16"), payment="P-1"),
        ),
    ],
)
def test_a_returned_payment_was_never_made(returned: tuple[Event, ...]) -> None:
    state = docket(ZONE, ISSUED, paid("2026-03-10 12:00", 3000), *returned)
    assert (balance(state, t("2026-03-12")), payable(state, t("2026-03-18"))) == (6000, 3000)
    assert refundable(state, LATE) == 0
    assert unallocated(state.payments["P-1"], {"C-1"}) == 0


def test_an_open_or_won_chargeback_leaves_the_payment_standing() -> None:
    opened = ChargebackOpened(at=t("2026-03-14"), payment="P-1")
    won = ChargebackWon(at=t("2026-04-20"), payment="P-1")
    assert balance(docket(ZONE, ISSUED, paid("2026-03-10 12:00", 3000), opened), LATE) == 0
    assert balance(docket(ZONE, ISSUED, paid("2026-03-10 12:00", 3000), opened, won), LATE) == 0


def test_the_fee_for_a_returned_payment_is_due_with_the_discount() -> None:
    fee = ReturnedItemFeeAssessed(at=t("2026-03-16"), citation="C-1", amount=cents(2000))
    returned = PaymentDishonoured(at=t("2026-03-16"), payment="P-1")
    state = docket(ZONE, ISSUED, paid("2026-03-10 12:00", 3000), returned, fee, fee)
    assert (balance(state, AFTER), payable(state, t("2026-03-17"))) == (8000, 5000)
    settled = docket(
        ZONE, ISSUED, paid("2026-03-10 12:00", 3000), returned, fee, paid("2026-03-17 09:00", 5000, "P-2")
    )
    assert balance(settled, LATE) == 0


def test_a_refund_raises_the_balance_of_a_citation_that_stands_from_its_own_instant() -> None:
    refund = PaymentRefunded(at=t("2026-04-05 10:00"), payment="P-1", amount=cents(6000))
    state = docket(ZONE, ISSUED, paid("2026-03-25 12:00", 6000), refund)
    assert balance(state, t("2026-04-05 09:59:59")) == 0
    assert (balance(state, LATE), stage(state, LATE)) == (6000, "open")


@pytest.mark.parametrize("given_back", ["P-1", "P-2"])
def test_a_second_payment_given_back_leaves_the_discount_earned(given_back: str) -> None:
    refund = PaymentRefunded(at=t("2026-04-05 10:00"), payment=given_back, amount=cents(3000))
    twice = (paid("2026-03-09 12:00", 3000), paid("2026-03-30 12:00", 3000, payment="P-2"))
    assert refundable(docket(ZONE, ISSUED, *twice), LATE) == 3000
    state = docket(ZONE, ISSUED, *twice, refund)
    assert (balance(state, LATE), refundable(state, LATE), stage(state, LATE)) == (0, 0, "paid")


def test_what_was_paid_on_a_dismissed_or_voided_citation_is_refundable() -> None:
    for ending in (
        (FILED, decided("dismissed")),
        (CitationVoided(at=AFTER, citation="C-1", reason="error"),),
    ):
        state = docket(ZONE, ISSUED, paid("2026-03-09 12:00", 3000), *ending)
        assert (balance(state, LATE), payable(state, LATE), refundable(state, LATE)) == (0, 0, 3000)
        refund = PaymentRefunded(at=t("2026-04-01"), payment="P-1", amount=cents(3000))
        back = docket(ZONE, ISSUED, paid("2026-03-09 12:00", 3000), *ending, refund)
        assert (balance(back, LATE), refundable(back, LATE)) == (0, 0)


def test_reduced_names_the_amount_that_it_is_reduced_to() -> None:
    state = docket(ZONE, ISSUED, FILED, decided("reduced", 2000))
    assert (balance(state, LATE), stage(state, LATE)) == (2000, "open")
    overpaid = docket(ZONE, ISSUED, paid("2026-03-09 12:00", 3000), FILED, decided("reduced", 2000))
    assert (balance(overpaid, LATE), refundable(overpaid, LATE)) == (0, 1000)


def test_a_remand_takes_the_decision_away() -> None:
    again = AppealReinstated(at=t("2026-03-25"), appeal="A-1", citation="C-1")
    dismissed = docket(ZONE, ISSUED, FILED, decided("dismissed"))
    assert stage(dismissed, LATE) == "dismissed"
    remanded = docket(ZONE, ISSUED, FILED, decided("dismissed"), again)
    assert (stage(remanded, LATE), balance(remanded, LATE)) == ("open", 6000)


def test_a_held_clock_keeps_the_discount_on_offer() -> None:
    assert payable(docket(ZONE, ISSUED, FILED), t("2026-06-01")) == 3000


def test_a_warning_asks_for_nothing() -> None:
    state = docket(ZONE, cited(kind="warning", fine=6000))
    assert (balance(state, LATE), payable(state, LATE)) == (0, 0)


def test_a_citation_reaches_the_stages_of_collection_and_leaves_them_by_payment() -> None:
    notice = CitationEscalated(at=t("2026-04-05"), citation="C-1", stage="notice")
    boot = CitationEscalated(at=t("2026-04-20"), citation="C-1", stage="boot")
    state = docket(ZONE, ISSUED, FEE, notice, boot)
    assert [stage(state, t(day)) for day in ("2026-04-04", "2026-04-10", "2026-04-25")] == [
        "late",
        "notice",
        "boot",
    ]
    assert stage(docket(ZONE, ISSUED, FEE, notice, paid("2026-04-25 09:00", 8500)), t("2026-04-26")) == "paid"


def test_money_for_a_citation_that_is_not_in_the_log_is_held() -> None:
    state = docket(ZONE, paid("2026-03-05 10:00", 3000))
    assert unallocated(state.payments["P-1"], set()) == 3000
    arrived = docket(ZONE, paid("2026-03-05 10:00", 3000), ISSUED)
    assert unallocated(arrived.payments["P-1"], {"C-1"}) == 0
    assert balance(arrived, LATE) == 0


def test_money_for_a_permit_waits_for_no_citation() -> None:
    permit = PaymentReceived(at=IN_WINDOW, payment="P-1", amount=cents(24000), permit="T-1")
    assert unallocated(docket(permit).payments["P-1"], set()) == 0


def test_amounts_follow_the_fee_schedule_of_the_policy() -> None:
    schedule = PolicyAdopted(
        at=t("2026-01-01"),
        policy="city-2",
        effective_from=t("2026-01-01"),
        values={"fine.NO_PERMIT": 9000, "discounted_fine.NO_PERMIT": 4500},
    )
    state = docket(ZONE, schedule, ISSUED)
    assert (balance(state, IN_WINDOW), payable(state, IN_WINDOW)) == (9000, 4500)


def test_the_order_of_arrival_changes_no_balance() -> None:
    facts = (
        ISSUED,
        paid("2026-03-10 12:00", 3000),
        PaymentDishonoured(at=t("2026-03-16"), payment="P-1"),
        paid("2026-03-25 12:00", 6000, "P-2"),
        PaymentRefunded(at=t("2026-04-05"), payment="P-2", amount=cents(1000)),
    )
    assert {balance(docket(ZONE, *order), LATE) for order in permutations(facts)} == {1000}


def test_a_citation_is_late_from_its_day_though_the_fee_was_waived_or_is_nothing() -> None:
    waived = LateFeeReversed(at=t("2026-04-06"), citation="C-1", amount=cents(2500))
    undone = waived.model_copy(update={"corrects": 3})
    assert stage(docket(ZONE, ISSUED, FEE, waived), LATE) == "late"
    assert stage(docket(ZONE, ISSUED, FEE, undone), LATE) == "open"
    free = PolicyAdopted(
        at=t("2026-01-01"), policy="city-2", effective_from=t("2026-01-01"), values={"late_fee": 0}
    )
    state = docket(ZONE, free, ISSUED)
    assert [stage(state, t(day)) for day in ("2026-04-02", "2026-04-03")] == ["open", "late"]
