from typing import Any

from commands.citations import AlreadyVoided, NoSuchCitation
from commands.voids import DuplicateOfItself, VoidCitation
from events.citations import CitationVoided
from events.payments import PaymentAllocated, PaymentAuthorised, PaymentRefunded
from tests.commands.cases import ZONE, cents, cited, t
from tests.commands.given_when_then import given

KEPT = cited()
REPEATED = cited("2026-03-05 10:01:00", "C-2")
PAID_AT = t("2026-03-06 10:00")
NOW = t("2026-03-09 10:00")
PAID = PaymentAuthorised(at=PAID_AT, payment="P-1", amount=cents(3000), citation="C-2")


def void(**further: Any) -> VoidCitation:
    return VoidCitation(
        **({"at": NOW, "citation": "C-2", "reason": "duplicate", "duplicate_of": "C-1"} | further)
    )


VOIDED = CitationVoided(at=NOW, citation="C-2", reason="duplicate", duplicate_of="C-1")


def moved(amount: int = 3000) -> PaymentAllocated:
    return PaymentAllocated(
        at=NOW,
        payment="P-1",
        citation="C-1",
        amount=cents(amount),
        effective_at=PAID_AT,
        moved_from="C-2",
    )


def test_voiding_a_duplicate_moves_what_was_paid_on_it() -> None:
    given(ZONE, KEPT, REPEATED, PAID).when(void()).then(VOIDED, moved())


def test_what_was_given_back_does_not_move() -> None:
    refund = PaymentRefunded(at=t("2026-03-07"), payment="P-1", amount=cents(1000))
    given(ZONE, KEPT, REPEATED, PAID, refund).when(void()).then(VOIDED, moved(2000))


def test_an_error_leaves_the_money_to_be_refunded() -> None:
    given(ZONE, REPEATED, PAID).when(void(reason="error", duplicate_of=None)).then(
        CitationVoided(at=NOW, citation="C-2", reason="error")
    )


def test_a_citation_is_voided_once() -> None:
    given(ZONE, KEPT, REPEATED, VOIDED).when(void(at=t("2026-03-10"), reason="repeated")).then()
    given(ZONE, REPEATED, VOIDED).when(void(reason="error", duplicate_of=None)).then(AlreadyVoided)
    error = CitationVoided(at=NOW, citation="C-2", reason="error")
    later = void(at=t("2026-03-10"), reason="error", duplicate_of=None)
    given(ZONE, REPEATED, error).when(later).then(AlreadyVoided)


def test_only_citations_of_the_log_are_voided_and_kept() -> None:
    given(KEPT).when(void()).then(NoSuchCitation)
    given(ZONE, REPEATED).when(void()).then(NoSuchCitation)
    given(ZONE, REPEATED).when(void(duplicate_of="C-2")).then(DuplicateOfItself)
