"""KPIs state what they are divided by, and count the citations of their cohort."""

from datetime import timedelta

from commands import kpis
from commands.kpis import Cohort, Ratio
from events.appeals import AppealDecided, AppealFiled
from events.citations import CitationVoided
from events.payments import PaymentReceived
from tests.commands.cases import CAR, ZONE, cents, cited, docket, t

PAID = docket(
    ZONE, cited(), PaymentReceived(at=t("2026-03-06"), payment="P-1", amount=cents(3000), citation="C-1")
)
UNPAID = docket(ZONE, cited(citation="C-2", plate="ON AAA111"), citation="C-2")
VOIDED = docket(
    ZONE,
    cited(citation="C-3"),
    CitationVoided(at=t("2026-03-06"), citation="C-3", reason="error"),
    citation="C-3",
)
DISMISSED = docket(
    ZONE,
    cited(citation="C-4", plate="ON BBB222"),
    AppealFiled(at=t("2026-03-06"), appeal="A-1", citation="C-4"),
    AppealDecided(at=t("2026-03-08"), appeal="A-1", citation="C-4", outcome="dismissed"),
    citation="C-4",
)
WARNING = docket(ZONE, cited(citation="C-5", kind="warning"), citation="C-5")
MARCH = (t("2026-03-01"), t("2026-04-01"))
COHORT = Cohort.issued((PAID, UNPAID, VOIDED, DISMISSED, WARNING), *MARCH, at=t("2026-03-10"))


def test_the_cohort_is_the_citations_issued_in_the_period() -> None:
    assert [d.citation for d in COHORT.dockets] == ["C-1", "C-2", "C-3", "C-4"]
    assert Cohort.issued((PAID,), *MARCH[::-1], at=MARCH[1]).dockets == ()


def test_nothing_is_divided_by_nothing() -> None:
    assert Ratio(0, 0).value is None
    assert Ratio(1, 3).value == 0.3333


def test_collection_counts_paid_citations_over_those_not_voided_and_money_over_money() -> None:
    assert kpis.collection_by_count(COHORT) == Ratio(1, 3)
    assert kpis.collection_by_value(COHORT) == Ratio(3000, 9000)


def test_appeals_are_counted_over_issued_and_overturned_over_decided() -> None:
    assert kpis.appeal_rate(COHORT) == Ratio(1, 4)
    assert kpis.overturn_rate(COHORT) == Ratio(1, 1)
    assert kpis.time_to_resolution(COHORT) == Ratio(2.0, 1)


def test_compliance_counts_observed_vehicles_without_a_standing_citation() -> None:
    assert kpis.compliance(COHORT, frozenset({CAR, "ON BBB222", "ON CCC333"})) == Ratio(2, 3)


def test_citations_are_counted_over_hours_on_duty_and_stays_over_spaces() -> None:
    assert kpis.citations_per_patrol_hour(COHORT, timedelta(minutes=30)).value == 8
    assert kpis.stays_per_space(5, 2).value == 2.5


def test_wrong_citations_are_counted_by_cause() -> None:
    causes = {"C-1": "POSTING_LAG", "C-2": None, "C-3": "MISREAD", "C-4": "POSTING_LAG"}
    assert kpis.findings_by_cause(COHORT, causes.get) == {"POSTING_LAG": 2}
