"""What falls due is done exactly once, on the log's time, whoever does it and however often."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from commands.ledger import CitationLedger, due
from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from events.appeals import AppealDecided
from events.base import Event
from events.boundary import on
from events.citations import (
    CitationIssued,
    CitationVoided,
    LateFeeAssessed,
    LateFeeReversed,
    ReviewRequired,
)
from events.envelope import Append
from events.payments import PaymentReceived
from events.permits import (
    PermitCancelled,
    PermitPurchased,
    PermitTypeOffered,
    WaitlistJoined,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened
from operations import due_citations
from operations.automation import RESTLESS, Automation
from operations.checkpoint import Checkpoint

BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)
LATE = datetime(2026, 3, 31, 4, tzinfo=UTC)
"""00:00 in Toronto of the 29th day after 2 March."""


@pytest.fixture
def log(dsn: str) -> Iterator[PostgresLog]:
    simulate(dsn)
    opened = PostgresLog(dsn)
    opened.set_now(BEGIN)
    yield opened
    opened.close()


def tell(log: PostgresLog, *events: Event, recorded: datetime = BEGIN) -> None:
    log.set_now(recorded)
    log.append(Append(list(events), uuid4()))


def cite(log: PostgresLog, *citations: str) -> None:
    tell(log, ZoneOpened(at=BEGIN, zone="F", name="F", timezone="America/Toronto"))
    for name in citations:
        plate = Plate(f"ON {name.replace('-', '')}")
        tell(log, CitationIssued(at=BEGIN, citation=name, plate=plate, zone="F", code="NO_PERMIT"))


def test_a_late_fee_falls_due_at_its_instant_and_not_before(log: PostgresLog) -> None:
    cite(log, "C-1")
    automation = Automation(log)
    assert automation.act(BEGIN) == 0
    assert automation.next_instant() == LATE
    log.set_now(LATE - timedelta(seconds=1))
    assert automation.act(LATE - timedelta(seconds=1)) == 0
    log.set_now(LATE)
    assert automation.act(LATE) == 1
    (fee,) = log.read(on(LateFeeAssessed)).entries
    assert (fee.event.at, fee.event.amount, fee.actor) == (LATE, 2500, "automation")
    assert automation.act(LATE) == 0
    assert automation.next_instant() is None


def test_a_case_that_finds_no_rest_is_left_alone_and_the_others_go_on(
    log: PostgresLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(docket: CitationLedger, now: datetime) -> Sequence[Event]:
        again = ReviewRequired(at=now, citation="C-1", reason="a fault")
        return (again,) if docket.citation == "C-1" else due(docket, now)

    monkeypatch.setattr(due_citations, "due", faulty)
    cite(log, "C-1", "C-2")
    log.set_now(LATE)
    automation = Automation(log)
    assert automation.act(LATE) == RESTLESS + 1
    assert [entry.event.citation for entry in log.read(on(LateFeeAssessed)).entries] == ["C-2"]
    assert "C-1" in caplog.text
    assert "left alone" in caplog.text
    assert automation.act(LATE + timedelta(seconds=1)) == 0


def test_one_that_starts_later_or_again_does_what_is_left_and_no_more(log: PostgresLog) -> None:
    cite(log, "C-1", "C-2")
    log.set_now(LATE + timedelta(days=40))
    assert Automation(log).act(LATE + timedelta(days=40)) == 2
    assert Automation(log).act(LATE + timedelta(days=40)) == 0
    assert {entry.event.at for entry in log.read(on(LateFeeAssessed)).entries} == {LATE}


def test_several_at_once_assess_each_fee_once(log: PostgresLog) -> None:
    names = [f"C-{number}" for number in range(12)]
    cite(log, *names)
    log.set_now(LATE)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: Automation(log).act(LATE), range(4)))
    assert sum(done) == len(names)
    assert sorted(e.event.citation for e in log.read(on(LateFeeAssessed)).entries) == sorted(names)


def test_a_payment_in_time_that_is_posted_late_reverses_the_fee(log: PostgresLog) -> None:
    cite(log, "C-1")
    automation = Automation(log)
    log.set_now(LATE)
    automation.act(LATE)
    posted = LATE + timedelta(days=2)
    paid = PaymentReceived(
        at=LATE - timedelta(hours=1), payment="M-1", amount=Cents(6000), citation="C-1", method="cheque"
    )
    tell(log, paid, recorded=posted)
    assert automation.act(posted) == 1
    assert len(log.read(on(LateFeeReversed)).entries) == 1
    assert automation.act(posted) == 0


def test_a_freed_place_is_offered_to_who_joined_first_and_then_to_the_next(log: PostgresLog) -> None:
    until = BEGIN + timedelta(days=300)
    offer = PermitTypeOffered(
        at=BEGIN, permit_type="GOLD", zones=("F",), price=Cents(100), term_days=30, capacity=1
    )
    bought = PermitPurchased(
        at=BEGIN, permit="P-1", permit_type="GOLD", zones=("F",), valid_from=BEGIN, valid_until=until
    )
    hour = timedelta(hours=1)
    tell(log, offer, bought)
    tell(log, WaitlistJoined(at=BEGIN + hour, account="bea", permit_type="GOLD"), recorded=BEGIN + hour)
    tell(
        log, WaitlistJoined(at=BEGIN + 2 * hour, account="cas", permit_type="GOLD"), recorded=BEGIN + 2 * hour
    )
    automation = Automation(log)
    assert automation.act(BEGIN + 2 * hour) == 0
    freed = BEGIN + 3 * hour
    tell(log, PermitCancelled(at=freed, permit="P-1", effective_at=freed), recorded=freed)
    assert automation.act(freed) == 1
    assert automation.next_instant() == freed + timedelta(hours=48)
    lapse = freed + timedelta(hours=48)
    log.set_now(lapse)
    assert automation.act(lapse) == 2
    offers = [entry.event.account for entry in log.read(on(WaitlistPlaceOffered)).entries]
    assert offers == ["bea", "cas"]
    assert [entry.event.account for entry in log.read(on(WaitlistPlaceLapsed)).entries] == ["bea"]


def test_a_second_one_whose_clock_is_behind_offers_and_lapses_nothing_again(log: PostgresLog) -> None:
    hour, moment = timedelta(hours=1), timedelta(milliseconds=500)
    offer = PermitTypeOffered(
        at=BEGIN, permit_type="GOLD", zones=("F",), price=Cents(100), term_days=30, capacity=1
    )
    tell(log, offer)
    for number, account in enumerate(("bea", "cas"), 1):
        joined = BEGIN + number * hour
        tell(log, WaitlistJoined(at=joined, account=account, permit_type="GOLD"), recorded=joined)
    freed = BEGIN + 3 * hour
    log.set_now(freed)
    for now in (freed, freed - moment):
        Automation(log).act(now)
    lapse = freed + timedelta(hours=48)
    log.set_now(lapse + hour)
    for now in (lapse + moment, lapse):
        Automation(log).act(now)
    offers = [entry.event.account for entry in log.read(on(WaitlistPlaceOffered)).entries]
    assert offers == ["bea", "cas"]
    assert [entry.event.account for entry in log.read(on(WaitlistPlaceLapsed)).entries] == ["bea"]


def test_an_offline_duplicate_is_voided_when_it_arrives(log: PostgresLog) -> None:
    cite(log, "C-1")
    again = CitationIssued(
        at=BEGIN + timedelta(minutes=30), citation="C-2", plate=Plate("ON C1"), zone="F", code="NO_PERMIT"
    )
    tell(log, again, recorded=BEGIN + timedelta(hours=9))
    automation = Automation(log)
    assert automation.act(BEGIN + timedelta(hours=9)) == 1
    (void,) = log.read(on(CitationVoided)).entries
    assert (void.event.citation, void.event.duplicate_of) == ("C-2", "C-1")
    assert automation.act(BEGIN + timedelta(hours=9)) == 0


def test_a_late_fact_that_changes_a_decided_finding_asks_for_a_review_once(log: PostgresLog) -> None:
    cite(log, "C-1")
    decided = BEGIN + timedelta(days=3)
    tell(log, AppealDecided(at=decided, appeal="A-1", citation="C-1", outcome="upheld"), recorded=decided)
    automation = Automation(log)
    assert automation.act(decided) == 0
    posted = decided + timedelta(days=1)
    bought = PermitPurchased(
        at=BEGIN - timedelta(hours=1),
        permit="P-1",
        zones=("F",),
        plates=(Plate("ON C1"),),
        valid_from=BEGIN - timedelta(hours=1),
        valid_until=BEGIN + timedelta(days=30),
    )
    tell(log, bought, recorded=posted)
    assert automation.act(posted) == 1
    assert automation.act(posted) == 0
    assert Automation(log).act(posted) == 0
    assert [entry.event.citation for entry in log.read(on(ReviewRequired)).entries] == ["C-1"]


def test_what_was_reviewed_before_a_restart_is_not_reviewed_again(log: PostgresLog, dsn: str) -> None:
    cite(log, "C-1")
    first = Checkpoint(dsn)
    assert first.position == 0
    Automation(log, first).act(BEGIN)
    first.close()
    second = Checkpoint(dsn)
    assert second.position == log.head()
    second.save(1)
    assert second.position == log.head()
    second.close()
