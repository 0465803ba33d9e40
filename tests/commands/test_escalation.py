from commands.case_rules import AlreadySettled
from commands.citations import AlreadyVoided, NoSuchCitation
from commands.escalation import (
    CitationDisputed,
    CitationUnderAppeal,
    EscalateCitation,
    RecordOwnerLookup,
    RequireReview,
    StagePassed,
)
from commands.late_fees import (
    AssessLateFee,
    AssessReturnedItemFee,
    LateFeeNotDue,
    NoLateFee,
    NoReturnedPayment,
    ReinstateLateFee,
    ReverseLateFee,
)
from events.appeals import AppealFiled
from events.citations import (
    CitationEscalated,
    CitationVoided,
    LateFeeAssessed,
    LateFeeReinstated,
    LateFeeReversed,
    OwnerLookupReturned,
    ReturnedItemFeeAssessed,
    ReviewRequired,
)
from events.payments import ChargebackOpened, PaymentAuthorised, PaymentDishonoured
from tests.commands.cases import ZONE, cents, cited, t
from tests.commands.given_when_then import given

ISSUED = cited()
NOW = t("2026-04-10 10:00")
FEE = LateFeeAssessed(at=t("2026-04-03"), citation="C-1", amount=cents(2500))
PAID = PaymentAuthorised(at=t("2026-03-25"), payment="P-1", amount=cents(6000), citation="C-1")
PART = PAID.model_copy(update={"amount": 2000})
VOIDED = CitationVoided(at=t("2026-03-08"), citation="C-1", reason="error")


def to(stage: str) -> EscalateCitation:
    return EscalateCitation(at=NOW, citation="C-1", stage=stage)  # type: ignore[arg-type]


def test_an_unpaid_citation_goes_further_and_never_back() -> None:
    notice = CitationEscalated(at=NOW, citation="C-1", stage="notice")
    boot = CitationEscalated(at=NOW, citation="C-1", stage="boot")
    given(ZONE, ISSUED, FEE).when(to("notice")).then(notice)
    given(ZONE, ISSUED, FEE, notice).when(to("boot")).then(boot)
    given(ZONE, ISSUED, FEE, boot).when(to("notice")).then(StagePassed)


def test_what_is_settled_voided_held_or_disputed_is_not_escalated() -> None:
    given(ZONE, ISSUED, PAID).when(to("notice")).then(AlreadySettled)
    boot = CitationEscalated(at=t("2026-03-20"), citation="C-1", stage="boot")
    given(ZONE, ISSUED, boot, PAID).when(to("notice")).then(AlreadySettled)
    given(ZONE, ISSUED, VOIDED).when(to("notice")).then(AlreadyVoided)
    given().when(to("notice")).then(NoSuchCitation)
    filed = AppealFiled(at=t("2026-03-20"), appeal="A-1", citation="C-1")
    given(ZONE, ISSUED, filed).when(to("notice")).then(CitationUnderAppeal)
    disputed = ChargebackOpened(at=t("2026-04-01"), payment="P-1")
    given(ZONE, ISSUED, PART, disputed).when(to("collections")).then(CitationDisputed)


def test_the_registrys_answer_is_kept_once() -> None:
    command = RecordOwnerLookup(at=NOW, citation="C-1", result="found")
    given(ZONE, ISSUED).when(command).then(OwnerLookupReturned(at=NOW, citation="C-1", result="found"))


def test_a_review_is_asked_for_once() -> None:
    command = RequireReview(at=NOW, citation="C-1", reason="NEW_EVIDENCE", cause="a photograph")
    given(ZONE, ISSUED).when(command).then(
        ReviewRequired(at=NOW, citation="C-1", reason="NEW_EVIDENCE", cause="a photograph")
    )


def test_a_late_fee_is_assessed_by_hand_only_when_it_is_due() -> None:
    given(ZONE, ISSUED).when(AssessLateFee(at=NOW, citation="C-1")).then(FEE)
    given(ZONE, ISSUED).when(AssessLateFee(at=t("2026-04-02"), citation="C-1")).then(LateFeeNotDue)
    given(ZONE, ISSUED, PAID).when(AssessLateFee(at=NOW, citation="C-1")).then(LateFeeNotDue)


def test_a_late_fee_is_waived_and_brought_back() -> None:
    waived = LateFeeReversed(at=NOW, citation="C-1", amount=cents(2500), reason="goodwill")
    given(ZONE, ISSUED, FEE).when(ReverseLateFee(at=NOW, citation="C-1", reason="goodwill")).then(waived)
    part = waived.model_copy(update={"amount": 1000})
    given(ZONE, ISSUED, FEE).when(
        ReverseLateFee(at=NOW, citation="C-1", amount=cents(1000), reason="goodwill")
    ).then(part)
    given(ZONE, ISSUED).when(ReverseLateFee(at=NOW, citation="C-1")).then(NoLateFee)
    given(ZONE, ISSUED, FEE, waived).when(ReinstateLateFee(at=NOW, citation="C-1")).then(
        LateFeeReinstated(at=NOW, citation="C-1", amount=cents(2500))
    )


def test_a_returned_payment_costs_a_fee_once() -> None:
    returned = PaymentDishonoured(at=t("2026-03-28"), payment="P-1")
    command = AssessReturnedItemFee(at=NOW, citation="C-1")
    (fee,) = given(ZONE, ISSUED, PAID, returned).when(command).and_nothing_more().events
    assert isinstance(fee, ReturnedItemFeeAssessed)
    given(ZONE, ISSUED, PAID).when(command).then(NoReturnedPayment)
