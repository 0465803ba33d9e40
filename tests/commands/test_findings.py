"""Findings: what the evidence alone says of a citation, why it was wrong, and whether the officer erred."""

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from commands.findings import Cause, Finding, finding
from events.base import Event
from events.citations import CitationVoided
from events.payments import PaymentAuthorised, PaymentDishonoured
from events.permits import (
    PermitPurchased,
    PermitReinstated,
    PermitRevoked,
    PermitSuspended,
    PlateAdded,
    PlateAssociationCorrected,
)
from events.reads import (
    DeviceSynced,
    PlateReadCorrected,
    PossibleMatchConfirmed,
    PossibleMatchDenied,
    Shown,
)
from events.sessions import ExemptionGranted, SessionEnded, SessionStarted
from events.vocabulary import Plate
from events.zones import ZoneOpened, ZoneRule, ZoneRulesSet
from tests.commands.cases import CAR, PERMITS_ONLY, TORONTO, ZONE, cents, cited, evidence, seen, t

OTHER = Plate("ON CKTR4B2")
READ = seen("2026-03-05 09:05:40")
CITED = cited("2026-03-05 09:06:30", basis=("r1",), online=True)


def permit(at: str = "2026-01-10 10:00", plate: Plate = CAR, **further: Any) -> PermitPurchased:
    named = {"zones": ("F",), "plates": (plate,), "valid_from": t(at), "valid_until": t("2026-05-01")}
    return PermitPurchased(at=t(at), permit="T-1", **(named | further))


def found(*facts: Event | tuple[str, Event], citation: str = "C-1") -> Finding:
    result = finding(evidence(ZONE, PERMITS_ONLY, *facts), citation)
    assert result is not None
    return result


def local(instant: datetime) -> str:
    return instant.astimezone(TORONTO).replace(tzinfo=None).isoformat()


def gist(result: Finding) -> tuple[str, str, str | None, bool]:
    return (
        result.disposition,
        result.reason,
        result.cause.kind if result.cause is not None else None,
        result.officer_erred,
    )


def test_a_vehicle_without_a_right_was_cited_properly() -> None:
    assert gist(found(READ, CITED)) == ("UPHELD", "NO_RIGHT_AT_OBSERVATION", None, False)


def test_there_is_no_finding_on_a_citation_that_is_not_in_the_evidence() -> None:
    assert finding(evidence(ZONE, READ), "C-1") is None


def late_posted() -> tuple[Event | tuple[str, Event], ...]:
    paid = PaymentAuthorised(at=t("2026-03-05 09:02:11"), payment="T-1", amount=cents(24000), permit="T-1")
    bought = permit("2026-03-05 09:02:11", payment="T-1")
    posted = "2026-03-05 09:31:04"
    return (seen("2026-03-05 08:58:20", "r0"), (posted, paid), (posted, bought), READ, CITED)


def test_a_permit_paid_before_the_read_and_posted_after_it_undoes_the_citation_without_blame() -> None:
    result = found(*late_posted())
    assert gist(result) == ("DISMISSED", "VALID_RIGHT_AT_OBSERVATION", "POSTING_LAG", False)
    assert result.cause == Cause("POSTING_LAG", 1733)
    assert result.right == "T-1"


def test_before_it_posted_the_finding_was_another() -> None:
    known = evidence(ZONE, PERMITS_ONLY, *late_posted())
    posted = max(e.position for e in known.entries)
    before = finding(known.upto(posted - 2), "C-1")
    assert before is not None
    assert gist(before) == ("UPHELD", "NO_RIGHT_AT_OBSERVATION", None, False)
    assert finding(known.upto(posted), "C-1") == finding(known, "C-1")


def test_a_revocation_acts_from_its_effective_time() -> None:
    revoked = PermitRevoked(
        at=t("2026-03-05 08:00"), permit="T-1", effective_at=t("2026-03-05 12:00"), reason="MISUSE"
    )
    early = found(permit(), revoked, READ, CITED)
    assert gist(early) == ("DISMISSED", "VALID_UNTIL_EFFECTIVE_REVOCATION", None, True)
    read = seen("2026-03-05 12:21:15")
    late = found(permit(), revoked, read, cited("2026-03-05 12:22:00", basis=("r1",)))
    assert gist(late) == ("UPHELD", "NO_RIGHT_AT_OBSERVATION", None, False)


@pytest.mark.parametrize(
    ("read_at", "reason"),
    [
        ("2026-03-05 11:59:59", "VALID_RIGHT_AT_OBSERVATION"),
        ("2026-03-05 12:00:00", "WITHIN_GRACE"),
        ("2026-03-05 12:10:00", "WITHIN_GRACE"),
        ("2026-03-05 12:10:01", "NO_RIGHT_AT_OBSERVATION"),
    ],
)
def test_citing_is_proper_only_later_than_the_end_and_the_grace(read_at: str, reason: str) -> None:
    session = SessionStarted(
        at=t("2026-03-05 10:00"),
        session="S-1",
        plate=CAR,
        zone="F",
        start=t("2026-03-05 10:00"),
        until=t("2026-03-05 12:00"),
    )
    read = seen(read_at)
    citation = cited("2026-03-05 12:30:00", basis=("r1",))
    assert found(session, read, citation).reason == reason


def test_an_exempt_vehicle_is_not_cited() -> None:
    exempt = ExemptionGranted(
        at=t("2026-03-05 08:00"), exemption="X-1", plate=CAR, until=t("2026-03-05 18:00"), reason="repairs"
    )
    assert gist(found(exempt, READ, CITED)) == ("DISMISSED", "EXEMPT_FROM_CITATION", None, True)


def test_the_devices_list_was_stale() -> None:
    synced = DeviceSynced(at=t("2026-03-05 07:05:40"), device="H3", list_version=4)
    offline = seen("2026-03-05 09:05:40", online=False)
    result = found(synced, permit("2026-03-05 08:00"), offline, CITED.model_copy(update={"online": False}))
    assert gist(result) == ("DISMISSED", "VALID_RIGHT_AT_OBSERVATION", "STALE_DEVICE_LIST", False)
    assert result.cause == Cause("STALE_DEVICE_LIST", 7200)


def test_an_officer_who_cites_against_the_devices_list_errs() -> None:
    synced = DeviceSynced(at=t("2026-03-05 08:30:00"), device="H3", list_version=4)
    offline = seen("2026-03-05 09:05:40", online=False)
    assert gist(found(synced, permit("2026-03-05 08:00"), offline, CITED))[2:] == (None, True)


def test_offline_or_not_what_posted_after_the_read_is_posting_lag() -> None:
    synced = DeviceSynced(at=t("2026-03-05 08:30:00"), device="H3", list_version=4)
    offline = seen("2026-03-05 09:05:40", online=False)
    late = ("2026-03-05 10:00:00", permit("2026-03-05 09:00:00"))
    assert found(synced, late, offline, CITED).cause == Cause("POSTING_LAG", 3600)


@pytest.mark.parametrize(
    ("answer", "erred"), [("valid", True), ("in_grace", True), ("exempt", True), ("no_right", False)]
)
def test_what_the_screen_showed_says_who_erred(answer: str, *, erred: bool) -> None:
    shown = seen("2026-03-05 09:05:40", shown=Shown(answer, 3))  # type: ignore[arg-type]
    assert found(permit(), shown, CITED).officer_erred is erred


def test_a_misread_plate_with_a_right_is_dismissed() -> None:
    read = seen("2026-03-05 09:05:40", plate=OTHER)
    citation = CITED.model_copy(update={"plate": OTHER})
    corrected = PlateReadCorrected(at=t("2026-03-06 10:00"), read="r1", plate=CAR, was=OTHER)
    result = found(permit(), read, citation, corrected)
    assert gist(result) == ("DISMISSED", "MISREAD_VALID_RIGHT", "MISREAD", False)
    assert found(permit(), read, citation).disposition == "UPHELD"
    assert gist(found(read, citation, corrected))[:2] == ("REVIEW_REQUIRED", "MISREAD_OTHER_VEHICLE")


def test_an_officer_who_denied_the_true_plate_errs() -> None:
    read = seen("2026-03-05 09:05:40", plate=OTHER, shown=Shown("possible_match", 3))
    citation = CITED.model_copy(update={"plate": OTHER})
    denied = PossibleMatchDenied(at=t("2026-03-05 09:06:00"), read="r1", candidate=CAR)
    confirmed = PossibleMatchConfirmed(at=t("2026-03-06 10:00"), read="r1", candidate=CAR)
    result = found(permit(), read, citation, denied, confirmed)
    assert gist(result) == ("DISMISSED", "MISREAD_VALID_RIGHT", "POSSIBLE_MATCH_DENIED", True)


def test_a_device_whose_clock_was_fast_excuses_the_officer() -> None:
    session = SessionStarted(
        at=t("2026-03-05 08:00"),
        session="S-1",
        plate=CAR,
        zone="F",
        start=t("2026-03-05 08:00"),
        until=t("2026-03-05 08:55"),
    )
    read = seen("2026-03-05 09:03:00", device_time=t("2026-03-05 09:06:20"))
    result = found(session, read, cited("2026-03-05 09:04:00", basis=("r1",)))
    assert gist(result) == ("DISMISSED", "WITHIN_GRACE", "CLOCK_OFFSET", False)
    assert result.cause == Cause("CLOCK_OFFSET", 200)


def test_a_wrong_plate_in_the_records_is_the_issuers_error() -> None:
    corrected = PlateAssociationCorrected(
        at=t("2026-03-07 10:00"),
        permit="T-1",
        plate=CAR,
        corrects=str(OTHER),
        effective_from=t("2026-01-10 10:00"),
        reason="typed wrongly",
        approved_by="supervisor",
    )
    result = found(permit(plate=OTHER), READ, CITED, corrected)
    assert gist(result) == ("DISMISSED", "ISSUER_RECORD_ERROR", "CLERK_GAP", False)


def test_a_plate_that_a_clerk_added_backwards_closes_a_gap() -> None:
    added = PlateAdded(
        at=t("2026-03-05 15:00"), permit="T-1", plate=CAR, effective_from=t("2026-03-05 08:00")
    )
    result = found(permit(plates=()), READ, CITED, added)
    assert gist(result) == ("DISMISSED", "VALID_RIGHT_AT_OBSERVATION", "CLERK_GAP", False)


def test_a_retroactive_reinstatement_asks_for_a_review() -> None:
    suspended = PermitSuspended(at=t("2026-03-01"), permit="T-1", effective_at=t("2026-03-01"))
    back = PermitReinstated(
        at=t("2026-03-09"), permit="T-1", effective_at=t("2026-03-09"), retroactive_to=t("2026-03-01")
    )
    result = found(permit(), suspended, READ, CITED, back)
    assert gist(result)[0] == "REVIEW_REQUIRED"
    assert result.cause == Cause("RETROACTIVE_REINSTATEMENT")
    prospective = back.model_copy(update={"retroactive_to": None})
    assert found(permit(), suspended, READ, CITED, prospective).disposition == "UPHELD"


def test_a_payment_that_was_returned_was_never_made() -> None:
    paid = PaymentAuthorised(at=t("2026-03-01"), payment="P-1", amount=cents(24000), permit="T-1")
    returned = PaymentDishonoured(at=t("2026-03-08"), payment="P-1")
    facts = (paid, permit("2026-03-01", payment="P-1"), READ, CITED)
    assert found(*facts).disposition == "DISMISSED"
    assert gist(found(*facts, returned)) == ("UPHELD", "NO_RIGHT_AT_OBSERVATION", None, False)


def test_a_session_ended_early_ends_the_right() -> None:
    session = SessionStarted(
        at=t("2026-03-05 08:00"),
        session="S-1",
        plate=CAR,
        zone="F",
        start=t("2026-03-05 08:00"),
        until=t("2026-03-05 12:00"),
    )
    ended = SessionEnded(at=t("2026-03-05 08:50"), session="S-1")
    assert found(session, READ, CITED).reason == "VALID_RIGHT_AT_OBSERVATION"
    assert found(session, ended, READ, CITED).disposition == "UPHELD"


HOURS = ZoneRulesSet(
    at=t("2026-01-01"),
    zone="G",
    effective_from=t("2026-01-01"),
    rules=(ZoneRule("NO_PERMIT", "permit", ("mon", "tue", "wed", "thu", "fri"), None, None),),
)
ZONE_G = ZoneOpened(at=t("2026-01-01"), zone="G", name="G", timezone="America/Toronto")


def test_a_rule_that_does_not_hold_on_the_day_undoes_the_citation() -> None:
    sunday = (
        seen("2026-03-08 11:00", zone="G"),
        cited("2026-03-08 11:01", zone="G", basis=("r1",)),
    )
    result = finding(evidence(ZONE_G, HOURS, *sunday), "C-1")
    assert result is not None
    assert gist(result) == ("DISMISSED", "RULE_NOT_IN_FORCE", None, True)


def test_a_code_that_no_rule_has_stands_for_the_required_right() -> None:
    assert found(READ, CITED.model_copy(update={"code": "REVOKED_PERMIT"})).disposition == "UPHELD"
    bare = finding(evidence(ZONE, READ, CITED), "C-1")
    assert bare is not None
    assert bare.disposition == "UPHELD"


def test_no_right_lets_a_vehicle_stand_where_nobody_may() -> None:
    rules = ZoneRulesSet(
        at=t("2026-01-01"),
        zone="F",
        effective_from=t("2026-02-01"),
        rules=(ZoneRule("FIRE_LANE", "no_parking"),),
    )
    result = found(rules, permit(), READ, CITED.model_copy(update={"code": "FIRE_LANE"}))
    assert gist(result) == ("UPHELD", "NO_PARKING", None, False)


def test_a_voided_citation_is_void() -> None:
    voided = CitationVoided(at=t("2026-03-06"), citation="C-1", reason="WRONG_VEHICLE")
    assert found(READ, CITED, voided).disposition == "VOID"


def test_a_citation_whose_read_is_not_there_yet_waits_for_it() -> None:
    assert gist(found(CITED))[:2] == ("REVIEW_REQUIRED", "READ_NOT_UPLOADED")
    assert found(CITED, permit()).disposition == "DISMISSED"


def test_an_unreadable_plate_is_for_a_person() -> None:
    nobody = Plate("ZZ ?")
    result = found(seen("2026-03-05 09:05:40", plate=nobody), CITED.model_copy(update={"plate": nobody}))
    assert gist(result)[:2] == ("REVIEW_REQUIRED", "PLATE_UNREADABLE")


def test_a_finding_names_the_positions_that_it_rests_on() -> None:
    facts = (permit(), READ, CITED)
    known = evidence(ZONE, PERMITS_ONLY, *facts)
    result = finding(known, "C-1")
    assert result is not None
    assert result.positions == tuple(e.position for e in known.entries)


def test_the_order_of_arrival_changes_no_finding_at_latest() -> None:
    """The same facts, recorded in any order, uphold or dismiss alike; who knew what when may differ."""
    facts: list[Event] = [fact[1] if isinstance(fact, tuple) else fact for fact in late_posted()]
    when = t("2026-03-06")
    results = set()
    for order in permutations([*facts, PERMITS_ONLY]):
        dated = [(when + timedelta(seconds=n), fact) for n, fact in enumerate(order)]
        known = evidence(ZONE, *((local(at), fact) for at, fact in dated))
        result = finding(known, "C-1")
        assert result is not None
        results.add((result.disposition, result.reason, result.right))
    assert results == {("DISMISSED", "VALID_RIGHT_AT_OBSERVATION", "T-1")}
