"""Keys of plate reads are destroyed date by date, and a legal hold is stronger than retention."""

from datetime import UTC, datetime

from commands.retention import (
    DestroyRetentionKey,
    LegalHoldExists,
    LiftLegalHold,
    NoSuchLegalHold,
    PlaceLegalHold,
    UnderLegalHold,
)
from events.citations import CitationIssued
from events.privacy import LegalHoldLifted, LegalHoldPlaced, RetentionKeyDestroyed
from events.reads import PlateRead
from events.vocabulary import Plate
from events.zones import ZoneOpened
from tests.commands.given_when_then import given

NOW = datetime(2026, 4, 1, tzinfo=UTC)
EVENING = datetime(2026, 3, 6, 3, 30, tzinfo=UTC)
"""5 March in Toronto, 6 March in UTC."""

ZONE = ZoneOpened(at=EVENING, zone="F", name="F", timezone="America/Toronto")
READ = PlateRead(at=EVENING, read="r1", plate=Plate("ON CKTR482"), zone="F", device="H1")
DESTROY = DestroyRetentionKey(at=NOW, bucket="2026-03-05")


def held(*covers: str) -> LegalHoldPlaced:
    return LegalHoldPlaced(at=NOW, case="CV-1", covers=covers)


def test_a_key_is_destroyed_once() -> None:
    given().when(DESTROY).then(RetentionKeyDestroyed(at=NOW, bucket="2026-03-05"))
    given(RetentionKeyDestroyed(at=NOW, bucket="2026-03-05")).when(DESTROY).then()


def test_a_hold_on_the_plate_keeps_the_local_date_of_its_reads() -> None:
    facts = given(held("ON CKTR482"), READ, ZONE)
    facts.when(DESTROY).then(UnderLegalHold)
    other = DestroyRetentionKey(at=NOW, bucket="2026-03-06")
    facts.when(other).then(RetentionKeyDestroyed(at=NOW, bucket="2026-03-06"))


def test_a_hold_on_a_citation_keeps_the_reads_that_it_rests_on() -> None:
    cited = CitationIssued(
        at=EVENING, citation="PV-1", plate=READ.plate, zone="F", code="NO_PERMIT", basis=("r1",)
    )
    facts = given(held("citation:PV-1"), cited, READ, ZONE)
    facts.when(DESTROY).then(UnderLegalHold)


def test_a_hold_on_a_date_keeps_it() -> None:
    given(held("2026-03-05")).when(DESTROY).then(UnderLegalHold)


def test_a_lifted_hold_keeps_nothing() -> None:
    lifted = LegalHoldLifted(at=NOW, case="CV-1", covers=("2026-03-05",))
    given(held("2026-03-05"), lifted).when(DESTROY).then(RetentionKeyDestroyed(at=NOW, bucket="2026-03-05"))


def test_a_case_has_one_hold_and_lifting_says_what_it_covered() -> None:
    place = PlaceLegalHold(at=NOW, case="CV-1", covers=("ON CKTR482",))
    given().when(place).then(held("ON CKTR482"))
    given(held("ON CKTR482")).when(place).then()
    given(held("QC B2")).when(place).then(LegalHoldExists)
    lift = LiftLegalHold(at=NOW, case="CV-1")
    given(held("QC B2")).when(lift).then(LegalHoldLifted(at=NOW, case="CV-1", covers=("QC B2",)))
    given().when(lift).then(NoSuchLegalHold)
