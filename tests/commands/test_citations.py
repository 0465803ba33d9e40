from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from commands.citations import (
    ISSUE_CITATION,
    AlreadyServed,
    AlreadyVoided,
    CitationNumberTaken,
    DuplicateCitation,
    ExemptFromCitation,
    IssueCitation,
    NoSuchCitation,
    NoSuchRead,
    RightInForce,
    RuleNotInForce,
    ServeCitation,
    StayWithinLimit,
    WithinGrace,
)
from commands.zones import NoSuchZone
from event_store.memory import MemoryLog
from events.base import Event
from events.citations import CitationIssued, CitationServed, CitationVoided
from events.envelope import Append
from events.payments import PaymentAuthorised
from events.permits import PermitPurchased, PermitRevoked
from events.policies import PolicyAdopted
from events.reads import PlateRead
from events.sessions import ExemptionGranted, SessionStarted
from events.vocabulary import Cents, Plate
from events.zones import ZoneRule, ZoneRulesSet
from tests.commands.cases import CAR, PERMITS_ONLY, ZONE, cents, cited, seen, t
from tests.commands.given_when_then import given
from write_api.execute import execute

READ = seen("2026-03-05 09:05:40")
OTHER_CAR = Plate("ON ABCD123")


def issue(at: str = "2026-03-05 09:06:30", citation: str = "C-1", **further: Any) -> IssueCitation:
    named = {"plate": CAR, "zone": "F", "code": "NO_PERMIT", "basis": ("r1",)} | further
    return IssueCitation(at=t(at), citation=citation, **named)


def written(
    at: str = "2026-03-05 09:06:30", citation: str = "C-1", fine: int = 6000, **further: Any
) -> CitationIssued:
    named = {"basis": ("r1",), "online": True, "policy": "standard-1"} | further
    return cited(at, citation, fine=cents(fine), **named)


def permit(**further: Any) -> PermitPurchased:
    named = {"permit": "T-1", "zones": ("F",), "plates": (CAR,)} | further
    term = {"valid_from": t("2026-01-10"), "valid_until": t("2026-05-01")}
    return PermitPurchased(at=t("2026-01-10"), **(term | named))


def test_a_vehicle_without_a_right_is_cited_and_the_citation_pins_its_fine_and_policy() -> None:
    given(ZONE, PERMITS_ONLY, READ).when(issue()).then(written())


def test_the_fine_is_that_of_the_policy_in_force_for_the_code() -> None:
    adopted = PolicyAdopted(
        at=t("2026-01-01"), policy="city-2", effective_from=t("2026-02-01"), values={"fine.NO_PERMIT": 9000}
    )
    given(ZONE, PERMITS_ONLY, adopted, READ).when(issue()).then(written(fine=9000, policy="city-2"))


def test_a_warning_has_no_fine() -> None:
    given(ZONE, PERMITS_ONLY, READ).when(issue(kind="warning")).then(written(fine=0, kind="warning"))


def test_a_citation_without_a_code_is_for_the_rule_in_force() -> None:
    rules = PERMITS_ONLY.model_copy(update={"rules": (ZoneRule("P7", "permit"),)})
    given(ZONE, rules, READ).when(issue(code=None)).then(written(code="P7"))


def test_a_right_in_force_refuses_the_citation() -> None:
    given(ZONE, PERMITS_ONLY, permit(), READ).when(issue()).then(RightInForce)


def test_a_session_and_its_payment_refuse_the_citation() -> None:
    session = SessionStarted(
        at=t("2026-03-05 09:00"),
        session="S-1",
        plate=CAR,
        zone="F",
        start=t("2026-03-05 09:00"),
        until=t("2026-03-05 10:00"),
        payment="P-9",
    )
    paid = PaymentAuthorised(at=t("2026-03-05 09:01"), payment="P-9", amount=Cents(200), session="S-1")
    given(ZONE, PERMITS_ONLY, session, READ).when(issue()).then(written())
    given(ZONE, PERMITS_ONLY, session, paid, READ).when(issue()).then(RightInForce)


def test_grace_follows_a_revocation() -> None:
    revoked = PermitRevoked(at=t("2026-03-05 08:00"), permit="T-1", effective_at=t("2026-03-05 09:00"))
    early = given(ZONE, PERMITS_ONLY, permit(), revoked, READ)
    early.when(issue()).then(WithinGrace)
    late = seen("2026-03-05 09:10:01")
    given(ZONE, PERMITS_ONLY, permit(), revoked, late).when(issue("2026-03-05 09:12:00")).then(
        written("2026-03-05 09:12:00")
    )


def test_an_exempt_vehicle_is_not_cited() -> None:
    exempt = ExemptionGranted(at=t("2026-03-05 08:00"), exemption="X-1", plate=CAR)
    given(ZONE, PERMITS_ONLY, exempt, READ).when(issue()).then(ExemptFromCitation)


def test_a_rule_outside_its_days_refuses_the_citation() -> None:
    sundays = PERMITS_ONLY.model_copy(update={"rules": (ZoneRule("NO_PERMIT", "permit", ("sun",)),)})
    given(ZONE, sundays, READ).when(issue()).then(RuleNotInForce)


def test_a_stay_within_the_limit_refuses_the_citation() -> None:
    limit = ZoneRulesSet(
        at=t("2026-01-01"),
        zone="F",
        effective_from=t("2026-01-01"),
        rules=(ZoneRule("2H", "time_limit", limit_minutes=120),),
    )
    first = seen("2026-03-05 07:30:00", "r0")
    command = issue(code="2H", basis=("r0", "r1"))
    given(ZONE, limit, first, READ).when(command).then(StayWithinLimit)


def test_an_online_citation_names_a_read_of_the_log_in_an_open_zone() -> None:
    given(ZONE, PERMITS_ONLY).when(issue()).then(NoSuchRead)
    given(READ).when(issue()).then(NoSuchZone)


def test_an_offline_citation_is_accepted_as_what_happened() -> None:
    expected = written(online=False)
    given(ZONE, PERMITS_ONLY, permit()).when(issue(online=False)).then(expected)


def test_the_same_citation_again_adds_nothing_and_another_under_its_number_is_refused() -> None:
    facts = (ZONE, PERMITS_ONLY, READ, written())
    given(*facts).when(issue("2026-03-05 09:10:00")).then()
    given(*facts).when(issue(code="OTHER")).then(CitationNumberTaken)
    given(ZONE, PERMITS_ONLY, READ, cited(plate=OTHER_CAR)).when(issue()).then(CitationNumberTaken)


def again(at: str, read_at: str) -> tuple[PlateRead, IssueCitation]:
    return seen(read_at, "r2"), issue(at, "C-2", basis=("r2",))


@pytest.mark.parametrize(
    ("read_at", "refused"),
    [("2026-03-05 11:05:40", True), ("2026-03-05 11:05:41", False)],
)
def test_a_vehicle_is_cited_once_within_the_window_of_a_continuing_violation(
    read_at: str, *, refused: bool
) -> None:
    read, command = again("2026-03-05 11:10:00", read_at)
    outcome = given(ZONE, PERMITS_ONLY, READ, written(), read).when(command)
    if refused:
        outcome.then(DuplicateCitation)
    else:
        outcome.then(written("2026-03-05 11:10:00", "C-2", basis=("r2",)))


@pytest.mark.parametrize(
    "between",
    [
        CitationVoided(at=t("2026-03-05 09:30"), citation="C-1", reason="error"),
        seen("2026-03-05 09:30", "g1", direction="exit", device="GATE"),
        seen("2026-03-05 09:30", "x1", zone="G"),
    ],
)
def test_a_void_or_evidence_that_the_vehicle_moved_makes_it_another_violation(between: Event) -> None:
    read, command = again("2026-03-05 10:10:00", "2026-03-05 10:05:00")
    given(ZONE, PERMITS_ONLY, READ, written(), between, read).when(command).then(
        written("2026-03-05 10:10:00", "C-2", basis=("r2",))
    )


def test_an_earlier_citation_that_was_improper_is_no_reason_to_refuse() -> None:
    short = permit(valid_until=t("2026-03-05 09:30"))
    read, command = again("2026-03-05 10:10:00", "2026-03-05 10:05:00")
    offline = written(online=False)
    given(ZONE, PERMITS_ONLY, short, READ, offline, read).when(command).then(
        written("2026-03-05 10:10:00", "C-2", basis=("r2",))
    )


def test_an_earlier_read_of_what_was_cited_before_is_no_second_violation() -> None:
    earlier, command = again("2026-03-05 09:30:00", "2026-03-05 08:50:00")
    given(ZONE, PERMITS_ONLY, READ, written(), earlier).when(command).then(DuplicateCitation)


def test_another_code_is_another_violation() -> None:
    read, command = again("2026-03-05 10:10:00", "2026-03-05 10:05:00")
    given(ZONE, PERMITS_ONLY, written(), read).beside(READ).when(
        command.model_copy(update={"code": "NO_DISPLAY"})
    ).then(written("2026-03-05 10:10:00", "C-2", basis=("r2",), code="NO_DISPLAY"))


def test_other_vehicles_and_zones_lie_outside_the_boundary() -> None:
    given(ZONE, PERMITS_ONLY, READ).beside(
        seen("2026-03-05 09:00", "r7", plate=OTHER_CAR),
        permit(permit="T-7", plates=(OTHER_CAR,)),
        cited(citation="C-7", plate=OTHER_CAR),
    ).when(issue()).then(written())


def test_a_citation_is_served_once() -> None:
    served = CitationServed(at=t("2026-03-06 10:00"), citation="C-1", how="post")
    command = ServeCitation(at=t("2026-03-06 10:00"), citation="C-1", how="post")
    given(written()).when(command).then(served)
    given(written(), served).when(command.model_copy(update={"at": t("2026-03-07")})).then(AlreadyServed)
    given().when(command).then(NoSuchCitation)
    voided = CitationVoided(at=t("2026-03-06"), citation="C-1", reason="error")
    given(written(), voided).when(command).then(AlreadyVoided)


def test_however_many_cite_a_vehicle_at_once_it_is_cited_once() -> None:
    log = MemoryLog()
    log.append(Append((ZONE, PERMITS_ONLY, READ), UUID(int=1)))

    def cite(number: int) -> str:
        try:
            execute(log, ISSUE_CITATION, issue(citation=f"C-{number}"), UUID(int=number))
        except DuplicateCitation:
            return "refused"
        return "cited"

    with ThreadPoolExecutor(16) as officers:
        outcomes = list(officers.map(cite, range(2, 66)))
    assert (outcomes.count("cited"), outcomes.count("refused")) == (1, 63)
