"""What is unpaid goes to a stage of collection on its day, where the policy names one."""

from datetime import timedelta

from commands.stages_due import next_stage, stages_due
from events.citations import CitationEscalated
from events.payments import ChargebackLost, ChargebackOpened, PaymentReceived
from events.policies import PolicyAdopted
from tests.commands.cases import ZONE, cents, cited, docket, t

BY_ITSELF = PolicyAdopted(
    at=ZONE.at, policy="p", effective_from=ZONE.at, values={"notice_day": 10, "court_day": 20}
)
NOTICE = CitationEscalated(at=t("2026-03-15"), citation="C-1", stage="notice")
COURT = CitationEscalated(at=t("2026-03-25"), citation="C-1", stage="court")
PAID = PaymentReceived(at=t("2026-03-14"), payment="P-1", amount=cents(6000), citation="C-1")


def test_nothing_is_escalated_by_itself_unless_the_policy_names_days() -> None:
    assert stages_due(docket(ZONE, cited()), t("2027-01-01")) == ()
    assert next_stage(docket(ZONE, cited())) is None


def test_each_stage_is_reached_once_at_the_begin_of_its_local_day() -> None:
    state = docket(ZONE, BY_ITSELF, cited())
    assert next_stage(state) == NOTICE.at
    assert stages_due(state, NOTICE.at - timedelta(seconds=1)) == ()
    assert stages_due(state, NOTICE.at) == (NOTICE,)
    assert stages_due(state, t("2026-04-30")) == (NOTICE, COURT)
    assert stages_due(docket(ZONE, BY_ITSELF, cited(), NOTICE), t("2026-04-30")) == (COURT,)
    assert stages_due(docket(ZONE, BY_ITSELF, cited(), COURT), t("2026-04-30")) == ()


def test_a_settled_citation_and_a_warning_go_nowhere() -> None:
    assert stages_due(docket(ZONE, BY_ITSELF, cited(), PAID), t("2026-04-30")) == ()
    assert stages_due(docket(ZONE, BY_ITSELF, cited(kind="warning")), t("2026-04-30")) == ()


def test_a_stage_waits_while_a_chargeback_is_open() -> None:
    opened = ChargebackOpened(at=t("2026-03-14 12:00"), payment="P-1")
    lost = ChargebackLost(at=t("2026-03-20"), payment="P-1")
    assert next_stage(docket(ZONE, BY_ITSELF, cited(), PAID, opened)) is None
    (notice,) = stages_due(docket(ZONE, BY_ITSELF, cited(), PAID, opened, lost), t("2026-03-21"))
    assert (notice.stage, notice.at) == ("notice", lost.at)
