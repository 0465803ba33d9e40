from typing import Any

from commands.appeals import (
    AcceptLateFiling,
    AppealAlreadyDecided,
    AppealAlreadyOpen,
    AppealNotOpen,
    DeadlinePassed,
    DecideAppeal,
    FileAppeal,
    LateFilingNotRequested,
    LateFilingUndecided,
    NoFirstDecision,
    NoSuchAppeal,
    ReductionExceedsFine,
    ReductionNeedsAmount,
    RefuseLateFiling,
    ReinstateAppeal,
    RequestLateFiling,
    WithdrawAppeal,
)
from commands.citations import AlreadyVoided, NoSuchCitation
from commands.hearings import AdjournHearing, HoldHearing, NoHearingScheduled, ScheduleHearing
from commands.payments import CardNumberRefused
from events.appeals import (
    AppealDecided,
    AppealFiled,
    AppealReinstated,
    AppealWithdrawn,
    HearingAdjourned,
    HearingHeld,
    HearingScheduled,
    LateFilingAccepted,
    LateFilingRefused,
    LateFilingRequested,
)
from events.citations import CitationVoided
from tests.commands.cases import ZONE, cents, cited, t
from tests.commands.given_when_then import given

ISSUED = cited()
OF_A1 = {"appeal": "A-1", "citation": "C-1"}
DAY = t("2026-03-10 12:00")
NEXT = t("2026-03-20 12:00")
LATE = t("2026-03-27 00:00")
FILED = AppealFiled(at=DAY, **OF_A1)
ASKED = LateFilingRequested(at=LATE, **OF_A1)
WITHDRAWN = AppealWithdrawn(at=NEXT, **OF_A1)


def filing(at: Any = DAY, **further: Any) -> FileAppeal:
    return FileAppeal(at=at, **(OF_A1 | further))


def decided(outcome: Any = "upheld", **further: Any) -> AppealDecided:
    return AppealDecided(**({"at": NEXT, "outcome": outcome} | OF_A1 | further))


def deciding(outcome: Any = "upheld", **further: Any) -> DecideAppeal:
    return DecideAppeal(**({"at": NEXT, "outcome": outcome} | OF_A1 | further))


def test_an_appeal_is_filed_to_the_end_of_its_last_day() -> None:
    last = t("2026-03-26 23:59:59")
    given(ZONE, ISSUED).when(filing(last)).then(AppealFiled(at=last, **OF_A1))
    given(ZONE, ISSUED).when(filing(LATE)).then(DeadlinePassed)
    given().when(filing()).then(NoSuchCitation)
    voided = CitationVoided(at=t("2026-03-08"), citation="C-1", reason="error")
    given(ZONE, ISSUED, voided).when(filing()).then(AlreadyVoided)


def test_one_appeal_is_open_at_a_time() -> None:
    given(ZONE, ISSUED, FILED).when(filing(NEXT)).then()
    given(ZONE, ISSUED, FILED).when(filing(NEXT, appeal="A-2")).then(AppealAlreadyOpen)
    given(ZONE, ISSUED, FILED).when(filing(NEXT, appeal="A-2", level=2)).then(AppealAlreadyOpen)
    given(ZONE, ISSUED, FILED, WITHDRAWN).when(filing(NEXT, appeal="A-2")).then(
        AppealFiled(at=NEXT, appeal="A-2", citation="C-1")
    )


def test_the_second_level_is_against_a_first_decision_and_within_its_own_period() -> None:
    second = AppealFiled(at=t("2026-04-10 23:59"), appeal="A-2", citation="C-1", level=2)
    command = filing(second.at, appeal="A-2", level=2)
    given(ZONE, ISSUED, FILED, decided()).when(command).then(second)
    given(ZONE, ISSUED).when(command).then(NoFirstDecision)
    given(ZONE, ISSUED, FILED, decided("dismissed")).when(command).then(AppealAlreadyDecided)
    given(ZONE, ISSUED, FILED, decided()).when(filing(NEXT, appeal="A-2")).then(AppealAlreadyDecided)
    too_late = filing(t("2026-04-11"), appeal="A-2", level=2)
    given(ZONE, ISSUED, FILED, decided()).when(too_late).then(DeadlinePassed)


def test_a_card_number_in_a_statement_is_refused() -> None:
    given(ZONE, ISSUED).when(filing(statement="my card is 4111-1111-1111-1111")).then(CardNumberRefused)


def test_late_filing_is_asked_for_and_accepted_or_refused() -> None:
    given(ZONE, ISSUED).when(RequestLateFiling(at=LATE, **OF_A1)).then(ASKED)
    accepted = LateFilingAccepted(at=t("2026-04-01"), **OF_A1)
    refused = LateFilingRefused(at=t("2026-04-01"), **OF_A1)
    accept = AcceptLateFiling(at=t("2026-04-01"), **OF_A1)
    refuse = RefuseLateFiling(at=t("2026-04-01"), **OF_A1)
    given(ZONE, ISSUED, ASKED).when(accept).then(accepted)
    given(ZONE, ISSUED, ASKED).when(refuse).then(refused)
    given(ZONE, ISSUED, ASKED, refused).when(accept).then(LateFilingNotRequested)
    given(ZONE, ISSUED, ASKED, accepted).when(refuse).then(LateFilingNotRequested)
    given(ZONE, ISSUED).when(accept).then(NoSuchAppeal)
    later = filing(t("2026-04-02"))
    given(ZONE, ISSUED, ASKED, accepted).when(later).then(AppealFiled(at=later.at, **OF_A1))
    given(ZONE, ISSUED, ASKED).when(later).then(DeadlinePassed)


def test_a_late_appeal_is_decided_only_after_late_filing_is_accepted() -> None:
    accepted = LateFilingAccepted(at=t("2026-04-01"), **OF_A1)
    command = deciding(at=t("2026-04-10"))
    given(ZONE, ISSUED, ASKED).when(command).then(LateFilingUndecided)
    given(ZONE, ISSUED, ASKED, accepted).when(command).then(decided(at=t("2026-04-10")))


def test_an_appeal_is_decided_once() -> None:
    given(ZONE, ISSUED, FILED).when(deciding()).then(decided())
    given(ZONE, ISSUED, FILED, decided()).when(deciding("dismissed")).then(AppealAlreadyDecided)
    given(ZONE, ISSUED, FILED, decided()).when(deciding(at=LATE)).then(AppealAlreadyDecided)
    given(ZONE, ISSUED, FILED, WITHDRAWN).when(deciding()).then(AppealNotOpen)
    given(ZONE, ISSUED).when(deciding()).then(NoSuchAppeal)


def test_a_reduction_names_an_amount_below_the_fine() -> None:
    given(ZONE, ISSUED, FILED).when(deciding("reduced", amount=cents(2000))).then(
        decided("reduced", amount=cents(2000))
    )
    given(ZONE, ISSUED, FILED).when(deciding("reduced")).then(ReductionNeedsAmount)
    given(ZONE, ISSUED, FILED).when(deciding("upheld", amount=cents(2000))).then(ReductionNeedsAmount)
    given(ZONE, ISSUED, FILED).when(deciding("reduced", amount=cents(6001))).then(ReductionExceedsFine)


def test_an_appeal_is_withdrawn_and_reinstated() -> None:
    given(ZONE, ISSUED, FILED).when(WithdrawAppeal(at=NEXT, **OF_A1)).then(WITHDRAWN)
    given(ZONE, ISSUED, FILED, decided()).when(WithdrawAppeal(at=NEXT, **OF_A1)).then(AppealAlreadyDecided)
    back = ReinstateAppeal(at=LATE, **OF_A1)
    again = AppealReinstated(at=LATE, **OF_A1)
    given(ZONE, ISSUED, FILED, WITHDRAWN).when(back).then(again)
    given(ZONE, ISSUED, FILED, decided()).when(back).then(again)
    given(ZONE, ISSUED, FILED, decided(), again).when(deciding("dismissed", at=t("2026-04-02"))).then(
        decided("dismissed", at=t("2026-04-02"))
    )


def test_a_hearing_is_scheduled_adjourned_and_held() -> None:
    when = t("2026-04-01 10:00")
    scheduled = HearingScheduled(at=NEXT, hearing_at=when, **OF_A1)
    given(ZONE, ISSUED, FILED).when(ScheduleHearing(at=NEXT, hearing_at=when, **OF_A1)).then(scheduled)
    put_off = AdjournHearing(at=LATE, hearing_at=t("2026-04-08 10:00"), **OF_A1)
    given(ZONE, ISSUED, FILED, scheduled).when(put_off).then(
        HearingAdjourned(at=LATE, hearing_at=t("2026-04-08 10:00"), **OF_A1)
    )
    given(ZONE, ISSUED, FILED).when(put_off).then(NoHearingScheduled)
    held = HoldHearing(at=when, **OF_A1)
    given(ZONE, ISSUED, FILED, scheduled).when(held).then(HearingHeld(at=when, **OF_A1))
    given(ZONE, ISSUED, FILED, decided()).when(held).then(AppealAlreadyDecided)
