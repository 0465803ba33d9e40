"""What falls due by itself, exactly once, whenever it is asked for."""

from collections.abc import Sequence
from datetime import datetime

from commands.ledger import balance, due, next_due
from events.appeals import AppealDecided, AppealFiled, LateFilingAccepted, LateFilingRequested
from events.base import Event
from events.citations import (
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
    PaymentDishonoured,
    PaymentRefunded,
)
from tests.commands.cases import ZONE, cents, cited, docket, t

ISSUED = cited()
DUE = t("2026-04-03")
NOW = t("2026-04-06 10:00")
FEE = LateFeeAssessed(at=DUE, citation="C-1", amount=cents(2500))


def paid(at: str, amount: int = 6000, payment: str = "P-1") -> PaymentAuthorised:
    return PaymentAuthorised(at=t(at), payment=payment, amount=cents(amount), citation="C-1")


def settled(now: datetime, *facts: Event) -> Sequence[Event]:
    """Return what is due, after showing that nothing is due any more once it is appended."""
    events = due(docket(*facts), now)
    assert due(docket(*facts, *events), now) == ()
    return events


def test_the_late_fee_falls_at_midnight_of_its_day() -> None:
    assert next_due(docket(ZONE, ISSUED)) == DUE
    assert settled(t("2026-04-02 23:59:59"), ZONE, ISSUED) == ()
    assert settled(DUE, ZONE, ISSUED) == (FEE,)
    assert settled(NOW, ZONE, ISSUED) == (FEE,)
    assert next_due(docket(ZONE, ISSUED, FEE)) is None


def test_nothing_falls_due_on_what_is_settled_voided_or_a_warning() -> None:
    assert settled(NOW, ZONE, ISSUED, paid("2026-04-02 23:59:59")) == ()
    assert settled(NOW, ZONE, ISSUED, CitationVoided(at=DUE, citation="C-1", reason="error")) == ()
    assert settled(NOW, ZONE, cited(kind="warning")) == ()
    assert next_due(docket(ZONE, ISSUED, paid("2026-03-10 10:00", 3000))) is None


def test_a_part_left_unpaid_brings_the_whole_late_fee() -> None:
    assert settled(NOW, ZONE, ISSUED, paid("2026-03-25 10:00", 5999)) == (FEE,)


def test_a_payment_at_the_very_instant_is_too_late() -> None:
    assert settled(NOW, ZONE, ISSUED, paid("2026-04-03 00:00:00")) == (FEE,)


def test_a_payment_in_time_that_posts_after_the_fee_reverses_it() -> None:
    reversal = LateFeeReversed(
        at=NOW, citation="C-1", amount=cents(2500), reason="paid or held before it fell due", corrects=3
    )
    facts = (ZONE, ISSUED, FEE, paid("2026-04-02 20:00"))
    assert settled(NOW, *facts) == (reversal,)
    assert balance(docket(*facts, reversal), NOW) == 0


def test_the_fee_comes_back_when_the_payment_that_reversed_it_is_returned() -> None:
    reversal = LateFeeReversed(at=NOW, citation="C-1", amount=cents(2500), corrects=3)
    returned = PaymentDishonoured(at=t("2026-04-09 08:00"), payment="P-1")
    now = t("2026-04-09 09:00")
    facts = (ZONE, ISSUED, FEE, paid("2026-04-02 20:00"), reversal, returned)
    fee, back = settled(now, *facts)
    assert fee == ReturnedItemFeeAssessed(
        at=returned.at, citation="C-1", amount=cents(2000), reason="payment returned by the bank", corrects=6
    )
    assert isinstance(back, LateFeeReinstated)
    assert back.corrects == 5
    assert balance(docket(*facts, fee, back), now) == 10500


def test_a_returned_payment_in_time_brings_the_late_fee_that_it_had_kept_away() -> None:
    returned = PaymentDishonoured(at=t("2026-04-09 08:00"), payment="P-1")
    fee, late = settled(t("2026-04-09 09:00"), ZONE, ISSUED, paid("2026-03-25 10:00"), returned)
    assert isinstance(fee, ReturnedItemFeeAssessed)
    assert late == FEE


def test_a_fee_that_a_person_waived_stays_waived() -> None:
    waived = LateFeeReversed(at=t("2026-04-05"), citation="C-1", amount=cents(2500))
    assert settled(NOW, ZONE, ISSUED, FEE, waived) == ()


def test_a_refund_after_the_day_brings_no_late_fee() -> None:
    refund = PaymentRefunded(at=t("2026-04-05"), payment="P-1", amount=cents(6000))
    assert settled(NOW, ZONE, ISSUED, paid("2026-03-25 10:00"), refund) == ()


def test_a_hold_moves_the_day() -> None:
    filed = AppealFiled(at=t("2026-03-10 11:00"), appeal="A-1", citation="C-1")
    decided = AppealDecided(at=t("2026-03-20 16:00"), appeal="A-1", citation="C-1", outcome="upheld")
    assert settled(t("2026-08-01"), ZONE, ISSUED, filed) == ()
    assert next_due(docket(ZONE, ISSUED, filed)) is None
    assert next_due(docket(ZONE, ISSUED, filed, decided)) == t("2026-04-14")
    fees = settled(t("2026-04-20"), ZONE, ISSUED, filed, decided)
    assert [fee.at for fee in fees] == [t("2026-04-14")]


def test_late_filing_accepted_after_the_fee_takes_it_back_and_the_decision_brings_another_day() -> None:
    asked = LateFilingRequested(at=t("2026-03-30 10:00"), appeal="A-1", citation="C-1")
    accepted = LateFilingAccepted(at=t("2026-04-06 09:00"), appeal="A-1", citation="C-1")
    (reversal,) = settled(NOW, ZONE, ISSUED, asked, FEE, accepted)
    assert isinstance(reversal, LateFeeReversed)
    decided = AppealDecided(at=t("2026-04-10 10:00"), appeal="A-1", citation="C-1", outcome="upheld")
    facts = (ZONE, ISSUED, asked, FEE, accepted, reversal, decided)
    assert next_due(docket(*facts)) == t("2026-04-15")
    (again,) = settled(t("2026-04-15"), *facts)
    assert again == FEE.model_copy(update={"at": t("2026-04-15")})
    assert balance(docket(*facts, again), t("2026-04-14")) == 6000
    assert balance(docket(*facts, again), t("2026-04-16")) == 8500


def test_an_open_chargeback_lets_no_fee_fall_due_until_it_ends() -> None:
    opened = ChargebackOpened(at=t("2026-04-01"), payment="P-1")
    lost = ChargebackLost(at=t("2026-04-20 12:00"), payment="P-1")
    won = ChargebackWon(at=t("2026-04-20 12:00"), payment="P-1")
    part = paid("2026-03-25 10:00", 2000)
    later = t("2026-05-01")
    assert settled(later, ZONE, ISSUED, part, opened) == ()
    assert [e.at for e in settled(later, ZONE, ISSUED, part, opened, lost)] == [t("2026-04-20 12:00")]
    assert [e.at for e in settled(later, ZONE, ISSUED, part, opened, won)] == [t("2026-04-20 12:00")]


def test_money_that_was_held_is_allocated_when_the_citation_arrives() -> None:
    payment = paid("2026-03-05 10:00", 3000)
    (allocated,) = settled(NOW, ZONE, payment, ISSUED)
    assert allocated == PaymentAllocated(
        at=payment.at, payment="P-1", citation="C-1", amount=cents(3000), effective_at=payment.at
    )
    assert balance(docket(ZONE, payment, ISSUED, allocated), NOW) == 0


def test_what_was_paid_on_a_duplicate_moves_to_the_citation_that_is_kept() -> None:
    voided = CitationVoided(at=t("2026-03-08"), citation="C-1", reason="duplicate", duplicate_of="C-0")
    (moved,) = settled(NOW, ZONE, ISSUED, paid("2026-03-06 10:00", 3000), voided)
    assert isinstance(moved, PaymentAllocated)
    assert (moved.citation, moved.amount, moved.moved_from) == ("C-0", 3000, "C-1")
    assert moved.effective_at == t("2026-03-06 10:00")


def test_money_paid_after_the_instant_that_its_duplicate_was_voided_at_moves_once() -> None:
    void = CitationVoided(at=t("2026-03-06 09:00"), citation="C-1", reason="duplicate", duplicate_of="C-0")
    late = paid("2026-03-20 10:00", 3000)
    given = PaymentAllocated(
        at=late.at, payment="P-1", citation="C-1", amount=cents(3000), effective_at=late.at
    )
    (moved,) = settled(void.at, ZONE, ISSUED, late, given, void)
    assert isinstance(moved, PaymentAllocated)
    assert (moved.citation, moved.amount, moved.at) == ("C-0", 3000, late.at)


def test_a_chargeback_dated_before_its_payment_disputes_nothing_until_it_was_made() -> None:
    opened = ChargebackOpened(at=t("2026-03-06 09:00"), payment="P-1")
    part = paid("2026-04-04 10:00", 1000)
    assert settled(t("2026-04-03 10:00"), ZONE, ISSUED, part, opened) == (FEE,)
    assert settled(NOW, ZONE, ISSUED, part, opened) == ()


def test_duplicates_that_name_each_other_or_themselves_pass_no_money_to_and_fro() -> None:
    payment = paid("2026-03-06 10:00", 3000)
    itself = CitationVoided(at=t("2026-03-08"), citation="C-1", reason="duplicate", duplicate_of="C-1")
    assert settled(NOW, ZONE, ISSUED, payment, itself) == ()
    void = CitationVoided(at=t("2026-03-08"), citation="C-1", reason="duplicate", duplicate_of="C-0")
    back = PaymentAllocated(
        at=NOW, payment="P-1", citation="C-1", amount=cents(3000), effective_at=payment.at, moved_from="C-0"
    )
    assert settled(NOW, ZONE, ISSUED, payment, void, back) == ()
