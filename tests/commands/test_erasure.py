"""A person's words are erased on request, unless the office still needs what would be erased."""

from datetime import UTC, datetime, timedelta

import pytest

from commands.decider import Refusal
from commands.erasure import (
    AppealUndecided,
    DuesOutstanding,
    EraseSubject,
    IncidentOpen,
    NoSuchAccount,
    PermitInForce,
    RefuseErasure,
    cases_of,
)
from commands.erasure_facts import AccountFile, evolve_account
from commands.retention import UnderLegalHold
from events.appeals import AppealDecided, AppealFiled
from events.base import Event
from events.citations import CitationIssued, CitationVoided
from events.payments import ChargebackOpened, PaymentReceived
from events.permits import EligibilityGranted, PermitPurchased, PermitTransferred
from events.privacy import ErasureRefused, LegalHoldLifted, LegalHoldPlaced, SubjectErased
from events.security import IncidentClosed, IncidentNoted, IncidentOpened
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened
from tests.commands.given_when_then import given, recorded

MARCH = datetime(2026, 3, 5, 14, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ERASE = EraseSubject(at=NOW, account="A-1")
ERASED = SubjectErased(at=NOW, account="A-1")
ZONE = ZoneOpened(at=MARCH, zone="F", name="F", timezone="America/Toronto")
PERMIT = PermitPurchased(
    at=MARCH - 10 * DAY,
    permit="T-1",
    account="A-1",
    zones=("F",),
    plates=(Plate("ON A1"),),
    valid_from=MARCH - 10 * DAY,
    valid_until=MARCH + 10 * DAY,
)
CITED = CitationIssued(
    at=MARCH, citation="PV-1", plate=Plate("ON A1"), zone="F", code="NO_PERMIT", fine=Cents(6000)
)
APPEALED = AppealFiled(at=MARCH + DAY, appeal="AP-1", citation="PV-1", statement="I was ill.")
DECIDED = AppealDecided(at=MARCH + 2 * DAY, appeal="AP-1", citation="PV-1", outcome="upheld")
PAID = PaymentReceived(at=MARCH + 3 * DAY, payment="P-1", amount=Cents(6000), citation="PV-1")
CASE = (ZONE, PERMIT, CITED, APPEALED)
SETTLED = (*CASE, DECIDED, PAID)


def told(*facts: Event) -> AccountFile:
    file = AccountFile()
    for entry in recorded(facts):
        file = evolve_account(file, entry)
    return file


def test_a_person_of_whom_nothing_is_needed_is_erased_once() -> None:
    given(*SETTLED).when(ERASE).then(ERASED)
    given(*SETTLED, ERASED).when(ERASE).then()


def test_an_account_that_no_fact_names_is_unknown() -> None:
    given().when(ERASE).then(NoSuchAccount)
    given().when(RefuseErasure(at=NOW, account="A-1", reason="who?")).then(NoSuchAccount)


def test_whoever_only_ever_was_eligible_is_erased_as_well() -> None:
    given(EligibilityGranted(at=MARCH, account="A-1", eligibility="resident")).when(ERASE).then(ERASED)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ((PERMIT.model_copy(update={"valid_until": NOW + DAY}),), PermitInForce),
        ((*CASE, PAID), AppealUndecided),
        ((*CASE, DECIDED), DuesOutstanding),
        ((*SETTLED, ChargebackOpened(at=NOW - DAY, payment="P-1")), DuesOutstanding),
        ((IncidentOpened(at=MARCH, incident="I-1", account="A-1", summary="?"),), IncidentOpen),
    ],
)
def test_what_the_office_still_needs_is_kept(facts: tuple[Event, ...], refusal: type[Refusal]) -> None:
    given(*facts).when(ERASE).then(refusal)


@pytest.mark.parametrize("covers", ["A-1", "account:A-1", "PV-1", "ON A1", "permit:T-1", "appeal:AP-1"])
def test_a_legal_hold_keeps_it_until_it_is_lifted(covers: str) -> None:
    held = LegalHoldPlaced(at=NOW - DAY, case="CV-1", covers=(covers,))
    given(*SETTLED, held).when(ERASE).then(UnderLegalHold)
    given(*SETTLED, held, LegalHoldLifted(at=NOW, case="CV-1")).when(ERASE).then(ERASED)


def test_a_voided_citation_keeps_nothing() -> None:
    voided = CitationVoided(at=MARCH + DAY, citation="PV-1", reason="clerical")
    given(*CASE, voided).when(ERASE).then(ERASED)


def test_the_citations_of_the_vehicles_next_owner_are_not_theirs() -> None:
    later = CITED.model_copy(update={"citation": "PV-2", "at": MARCH + 5 * DAY})
    sold = PermitTransferred(at=MARCH + 4 * DAY, permit="T-1", account="A-2")
    given(*SETTLED, sold, later).when(ERASE).then(ERASED)
    assert cases_of("A-1", told(*SETTLED, sold, later)) == ["citation:PV-1"]
    assert cases_of("A-2", told(*SETTLED, sold, later)) == ["citation:PV-2"]


def test_words_that_may_be_another_persons_are_not_theirs_to_erase() -> None:
    shared = PERMIT.model_copy(update={"permit": "T-2", "account": "A-2"})
    assert cases_of("A-1", told(*SETTLED, shared)) == []
    opened = IncidentOpened(at=MARCH, incident="I-1", account="A-1")
    assert cases_of("A-1", told(opened, IncidentNoted(at=MARCH, incident="I-1"))) == ["incident:I-1"]
    assert cases_of("A-1", told(opened, IncidentNoted(at=MARCH, incident="I-1", account="A-2"))) == []


def test_words_added_since_are_erased_by_a_further_request() -> None:
    again = IncidentOpened(at=NOW + DAY, incident="I-1", account="A-1", summary="Came back.")
    closed = IncidentClosed(at=NOW + DAY, incident="I-1")
    given(*SETTLED, ERASED, again, closed).when(ERASE.model_copy(update={"at": NOW + 2 * DAY})).then(
        SubjectErased(at=NOW + 2 * DAY, account="A-1")
    )


def test_a_refusal_is_noted_with_its_reason_and_the_same_one_once() -> None:
    refuse = RefuseErasure(at=NOW, account="A-1", reason="DuesOutstanding: unpaid")
    noted = ErasureRefused(at=NOW, account="A-1", reason="DuesOutstanding: unpaid")
    given(PERMIT).when(refuse).then(noted)
    given(PERMIT, noted).when(refuse).then()
    given(PERMIT, noted, ERASED).when(refuse).then(noted)
