"""Deadlines, each computed by hand on a calendar: Toronto's clocks spring forward on 8 March 2026."""

import pytest

from commands.ledger import deadlines, deadlines_by_name, in_time
from events.appeals import (
    AppealDecided,
    AppealFiled,
    AppealReinstated,
    AppealWithdrawn,
    LateFilingAccepted,
    LateFilingRefused,
    LateFilingRequested,
)
from events.citations import CitationServed
from events.policies import PolicyAdopted
from events.zones import ZoneOpened
from tests.commands.cases import ZONE, cited, docket, t

ISSUED = cited("2026-03-05 09:06:30")


def filed(at: str, level: int = 1, appeal: str = "A-1") -> AppealFiled:
    return AppealFiled(at=t(at), appeal=appeal, citation="C-1", level=level)


def decided(at: str, outcome: str = "upheld", appeal: str = "A-1") -> AppealDecided:
    amount = 2000 if outcome == "reduced" else None
    return AppealDecided(at=t(at), appeal=appeal, citation="C-1", outcome=outcome, amount=amount)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("issued", "discount", "first_appeal", "late_fee"),
    [
        ("2026-03-05 09:06:30", "2026-03-20", "2026-03-27", "2026-04-03"),
        ("2026-03-05 23:59:59", "2026-03-20", "2026-03-27", "2026-04-03"),
        ("2026-03-06 00:00:00", "2026-03-21", "2026-03-28", "2026-04-04"),
        ("2026-01-31 12:00:00", "2026-02-15", "2026-02-22", "2026-03-01"),
        ("2028-01-31 12:00:00", "2028-02-15", "2028-02-22", "2028-02-29"),
        ("2026-10-20 12:00:00", "2026-11-04", "2026-11-11", "2026-11-18"),
    ],
)
def test_last_days_end_at_midnight_local_time(
    issued: str, discount: str, first_appeal: str, late_fee: str
) -> None:
    found = deadlines(docket(ZONE, cited(issued)))
    assert found.discount == t(discount)
    assert found.first_appeal == t(first_appeal)
    assert found.late_fee == t(late_fee)
    assert found.second_level is None


def test_the_clocks_springing_forward_take_an_hour_from_the_window_and_no_day() -> None:
    discount = deadlines(docket(ZONE, ISSUED)).discount
    assert discount is not None
    assert discount.isoformat() == "2026-03-20T04:00:00+00:00"


def test_a_date_whose_midnight_is_skipped_begins_at_the_skip() -> None:
    cairo = ZoneOpened(at=t("2026-01-01"), zone="F", name="F", timezone="Africa/Cairo")
    found = deadlines(docket(cairo, cited("2026-04-09 12:00:00"))).discount
    assert found is not None
    assert found.isoformat() == "2026-04-23T22:00:00+00:00"


def test_days_count_from_the_first_service() -> None:
    served = CitationServed(at=t("2026-03-10 15:00"), citation="C-1", how="post")
    again = CitationServed(at=t("2026-03-20 15:00"), citation="C-1", how="hand")
    assert deadlines(docket(ZONE, ISSUED, again, served)).discount == t("2026-03-25")


def test_a_rejected_appeal_inside_the_window_offers_the_discount_again() -> None:
    found = deadlines(docket(ZONE, ISSUED, filed("2026-03-10 11:00"), decided("2026-03-20 16:00")))
    assert found.discount == t("2026-04-04")  # 14 days after the notice of 20 March, to the end of 3 April
    assert found.late_fee == t("2026-04-14")  # 11 dates did not count
    assert found.second_level == t("2026-04-11")
    assert found.first_appeal == t("2026-03-27")


def test_a_withdrawn_appeal_lets_the_clocks_run_on() -> None:
    withdrawn = AppealWithdrawn(at=t("2026-03-20 16:00"), appeal="A-1", citation="C-1")
    found = deadlines(docket(ZONE, ISSUED, filed("2026-03-10 11:00"), withdrawn))
    assert found.discount == t("2026-03-31")  # four days before, ten after
    assert found.late_fee == t("2026-04-14")


def test_a_reduction_is_no_rejection() -> None:
    state = docket(ZONE, ISSUED, filed("2026-03-10 11:00"), decided("2026-03-20 16:00", "reduced"))
    assert deadlines(state).discount == t("2026-03-31")


def test_an_open_appeal_stops_what_had_not_run_out() -> None:
    found = deadlines(docket(ZONE, ISSUED, filed("2026-03-22 11:00")))
    assert found.discount == t("2026-03-20")
    assert found.late_fee is None


def test_a_rejection_after_the_window_offers_no_discount() -> None:
    state = docket(ZONE, ISSUED, filed("2026-03-22 11:00"), decided("2026-03-25 09:00"))
    assert deadlines(state).discount == t("2026-03-20")
    assert deadlines(state).late_fee == t("2026-04-07")  # 22 to 25 March do not count


def test_an_appeal_on_the_last_day_is_in_time_and_one_at_its_end_is_not() -> None:
    timely = docket(ZONE, ISSUED, filed("2026-03-26 23:59:59"))
    late = docket(ZONE, ISSUED, filed("2026-03-27 00:00:00"))
    assert in_time(timely, timely.appeals["A-1"])
    assert not in_time(late, late.appeals["A-1"])
    assert deadlines(late).late_fee == t("2026-04-03")


def test_a_second_level_appeal_holds_and_offers_the_discount_once_more() -> None:
    state = docket(
        ZONE,
        ISSUED,
        filed("2026-03-10 11:00"),
        decided("2026-03-20 16:00"),
        filed("2026-03-25 10:00", 2, "A-2"),
        decided("2026-05-04 10:00", appeal="A-2"),
    )
    found = deadlines(state)
    assert in_time(state, state.appeals["A-2"])
    assert found.discount == t("2026-05-19")
    assert found.late_fee == t("2026-05-25")  # 14 April and another 41 dates


def test_late_filing_holds_from_the_day_it_was_asked_for_once_accepted() -> None:
    asked = LateFilingRequested(at=t("2026-03-30 10:00"), appeal="A-1", citation="C-1", reason="in hospital")
    accepted = LateFilingAccepted(at=t("2026-04-06 10:00"), appeal="A-1", citation="C-1")
    refused = LateFilingRefused(at=t("2026-04-06 10:00"), appeal="A-1", citation="C-1")
    assert deadlines(docket(ZONE, ISSUED, asked)).late_fee == t("2026-04-03")
    assert deadlines(docket(ZONE, ISSUED, asked, refused)).late_fee == t("2026-04-03")
    assert deadlines(docket(ZONE, ISSUED, asked, accepted)).late_fee is None
    state = docket(ZONE, ISSUED, asked, accepted, decided("2026-04-10 10:00"))
    assert deadlines(state).late_fee == t("2026-04-15")  # 24 days before 30 March, five after 10 April
    assert deadlines(state).discount == t("2026-03-20")


def test_a_reinstated_appeal_holds_again_until_it_is_decided_again() -> None:
    remanded = AppealReinstated(at=t("2026-03-25 10:00"), appeal="A-1", citation="C-1")
    facts = (ZONE, ISSUED, filed("2026-03-10 11:00"), decided("2026-03-20 16:00"), remanded)
    assert deadlines(docket(*facts)).late_fee is None
    assert deadlines(docket(*facts)).second_level is None
    again = docket(*facts, decided("2026-03-27 16:00"))
    assert deadlines(again).late_fee == t("2026-04-17")  # 11 and 3 dates do not count
    assert deadlines(again).discount == t("2026-04-11")


def test_the_citation_keeps_the_policy_in_force_when_it_was_issued() -> None:
    before = PolicyAdopted(
        at=t("2026-01-01"), policy="city-2", effective_from=t("2026-02-01"), values={"discount_days": 7}
    )
    after = PolicyAdopted(
        at=t("2026-03-06"), policy="city-3", effective_from=t("2026-03-07"), values={"discount_days": 3}
    )
    assert deadlines(docket(ZONE, before, ISSUED, after)).discount == t("2026-03-13")
    pinned = docket(ZONE, before, after, cited(policy="city-3"))
    assert deadlines(pinned).discount == t("2026-03-09")


def test_a_citation_that_is_not_in_the_log_has_no_deadlines() -> None:
    assert set(deadlines_by_name(docket(ZONE)).values()) == {None}
