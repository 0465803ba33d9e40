"""A citation's timeline holds what shares its vehicle and all that is linked to it, by both clocks."""

import asyncio
from datetime import datetime
from random import Random

import psycopg
import pytest

from event_store.codec import Codec
from event_store.log import Log
from events.citations import CitationVoided
from events.payments import PaymentCaptured
from events.permits import PlateAssociationCorrected
from events.privacy import RecordAccessed
from events.vocabulary import REDACTED
from projections import surroundings
from projections.connection import connect
from projections.lookups import Lookups
from projections.timeline import Timeline, TimelineDesk
from projections.timeline_scope import CASE
from tests.projections.facts import (
    VEHICLE,
    adopted,
    appealed,
    bought,
    cited,
    corrected,
    dismissed,
    exempted,
    minute,
    opened,
    paid,
    parked_in,
    read,
    revoked,
    told,
    unwatched,
    watched,
)


def timeline(
    dsn: str,
    citation: str | None = None,
    plate: str | None = None,
    known: int | datetime | None = None,
) -> Timeline:
    async def ask() -> Timeline:
        with Lookups(dsn) as lookups:
            return await lookups.timeline(citation=citation, plate=plate, known=known)

    return asyncio.run(ask())


def types(found: Timeline) -> list[str]:
    return [entry.type for entry in found.entries]


def test_entries_stand_by_when_they_happened_then_by_position(log: Log, dsn: str) -> None:
    told(log, opened(), read("r1", at=0), cited("C-1", at=10, basis=["r1"]))
    told(log, bought("T-1", at=5, payment="P-1"), paid("P-1", at=5))
    told(log, appealed("A-1", "C-1", at=20))
    found = timeline(dsn, "C-1")
    assert types(found) == [
        "PlateRead",
        "PermitPurchased",
        "PaymentAuthorised",
        "CitationIssued",
        "AppealFiled",
    ]
    assert (found.plate, found.zone, found.known) == (VEHICLE, "F", log.head())
    assert all(entry.recorded > entry.at for entry in found.entries)


def test_it_holds_everything_of_the_vehicle_and_of_the_case(log: Log, dsn: str) -> None:
    told(log, read("r1"), parked_in("S-1"), exempted("X-1"), watched("W-1"), unwatched("W-1"))
    told(log, bought("T-1", payment="P-1"), paid("P-1"), PaymentCaptured(at=minute(9), payment="P-1"))
    told(log, revoked("T-1", 40), cited("C-1", basis=["r1"]), paid("P-2", citation="C-1", amount=3000))
    told(log, appealed("A-1", "C-1"), dismissed("A-1", "C-1"))
    assert len(timeline(dsn, "C-1").entries) == log.head()


def test_it_leaves_out_what_another_device_read_under_the_same_id(log: Log, dsn: str) -> None:
    told(log, read("1", "ON OTHER", device="GATE"), read("1", device="H3"), cited("C-1", basis=["1"]))
    for found in (timeline(dsn, "C-1"), timeline(dsn, plate=VEHICLE)):
        assert [entry.fields["plate"] for entry in found.entries] == [VEHICLE, VEHICLE]


def test_it_leaves_out_other_vehicles_set_up_and_who_looked(log: Log, dsn: str) -> None:
    told(log, opened(), adopted("p"), read("r1"), cited("C-1", basis=["r1"]))
    told(log, read("r2", "ON OTHER"), bought("T-2", ["ON OTHER"]), cited("C-2", "ON OTHER", basis=["r2"]))
    told(log, RecordAccessed(at=minute(30), who="me", query="?", purpose="p", citation="C-1"))
    assert types(timeline(dsn, "C-1")) == ["PlateRead", "CitationIssued"]


def test_of_other_citations_it_holds_the_vehicles_earlier_ones_in_that_zone(log: Log, dsn: str) -> None:
    told(log, cited("EARLIER", at=1), cited("ELSEWHERE", at=2, zone="G"), cited("C-1", at=5))
    told(log, cited("LATER", at=6), appealed("A-9", "EARLIER"), paid("P-9", citation="EARLIER", amount=100))
    told(log, CitationVoided(at=minute(7), citation="EARLIER", reason="duplicate", duplicate_of="C-1"))
    found = timeline(dsn, "C-1")
    assert [(entry.type, entry.fields["citation"]) for entry in found.entries] == [
        ("CitationIssued", "EARLIER"),
        ("CitationIssued", "C-1"),
        ("CitationVoided", "EARLIER"),
    ]


def test_a_misread_leads_to_the_vehicle_that_it_was_of(log: Log, dsn: str) -> None:
    told(log, bought("T-1"), read("r1", "ON CKTR4B2"), cited("C-1", "ON CKTR4B2", basis=["r1"]))
    told(log, corrected("r1", VEHICLE, at=50))
    found = timeline(dsn, "C-1")
    assert types(found) == ["PermitPurchased", "PlateRead", "CitationIssued", "PlateReadCorrected"]
    assert found.entries[-1].was == "ON CKTR4B2"


def test_a_correction_of_a_permits_plates_tells_which_was_wrong(log: Log, dsn: str) -> None:
    told(log, bought("T-1", ["ON CKTR4B2"]), read("r1"), cited("C-1", basis=["r1"]))
    right = PlateAssociationCorrected(
        at=minute(50),
        permit="T-1",
        plate=VEHICLE,
        corrects=1,
        effective_from=minute(0),
        reason="typed wrong",
        approved_by="lead",
    )
    told(log, right)
    (correction,) = [e for e in timeline(dsn, "C-1").entries if e.type == "PlateAssociationCorrected"]
    assert correction.was == "ON CKTR4B2"


def test_a_correction_of_a_read_that_it_does_not_rest_on_leads_nowhere(log: Log, dsn: str) -> None:
    told(log, bought("T-9", ["ON OTHER"]), read("r1"), read("r9"), cited("C-1", basis=["r1"]))
    told(log, corrected("r9", "ON OTHER", at=50))
    assert "PermitPurchased" not in types(timeline(dsn, "C-1"))


def test_what_was_known_then_is_told_beside_what_is_known_now(log: Log, dsn: str) -> None:
    told(log, read("r1", at=10), cited("C-1", at=11, basis=["r1"]))
    told(log, bought("T-1", at=5, payment="P-1"), paid("P-1", at=5))
    first = timeline(dsn, "C-1").entries[-2]
    assert first.type == "PlateRead"
    assert first.known_then is not None
    assert first.known_now is not None
    assert (first.known_then.answer, first.known_now.answer) == ("no_right", "valid")
    assert first.known_now.right == "T-1"


def test_as_known_earlier_it_holds_what_the_log_held_then(log: Log, dsn: str) -> None:
    told(log, read("r1"))
    then = told(log, cited("C-1", basis=["r1"]))
    told(log, bought("T-1"))
    for known in (then.position, then.recorded):
        found = timeline(dsn, "C-1", known=known)
        assert (types(found), found.known) == (["PlateRead", "CitationIssued"], then.position)
    assert timeline(dsn, "C-1", known=1).plate is None


def test_a_vehicles_timeline_holds_all_its_cases(log: Log, dsn: str) -> None:
    told(log, cited("C-1", at=1), cited("C-2", at=2, zone="G"), paid("P-1", at=3, citation="C-2", amount=1))
    told(log, appealed("A-1", "C-1", at=4), cited("C-3", "ON OTHER"))
    assert types(timeline(dsn, plate=VEHICLE)) == [
        "CitationIssued",
        "CitationIssued",
        "PaymentAuthorised",
        "AppealFiled",
    ]


def test_of_an_unknown_citation_it_is_empty(log: Log, dsn: str) -> None:
    del log
    assert timeline(dsn, "NONE").entries == ()


STORY = (
    opened(),
    adopted("p"),
    read("r1"),
    read("r2", "ON OTHER"),
    bought("T-1", ["ON OTHER", VEHICLE], payment="P-1"),
    paid("P-1"),
    parked_in("S-1"),
    watched("W-1"),
    cited("EARLIER", at=1),
    cited("C-1", at=5, basis=["r1"]),
    corrected("r2", VEHICLE),
    paid("P-2", citation="C-1", amount=3000),
    PaymentCaptured(at=minute(9), payment="P-1"),
    appealed("A-1", "C-1"),
    revoked("T-1", 40),
    unwatched("W-1"),
    dismissed("A-1", "C-1"),
    RecordAccessed(at=minute(30), who="me", query="?", purpose="p", citation="C-1"),
)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_remembered_is_what_would_be_read(log: Log, dsn: str, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - the same story each time
    story = [*STORY[:1], *chance.sample(STORY[1:], len(STORY) - 1)]
    with connect(dsn) as connection:
        codec = Codec.over(connection)
        desk = TimelineDesk(codec)
        for event in story:
            told(log, event)
            for known in (None, chance.randint(1, log.head()), chance.randint(1, log.head())):
                for asked in ({"citation": "C-1"}, {"plate": VEHICLE}):
                    found = desk.tell(connection, **asked, known=known)
                    assert found == TimelineDesk(codec).tell(connection, **asked, known=known)


def test_asked_for_again_only_whether_anything_touched_it_is_read(
    log: Log, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(log, *STORY)
    looked = RecordAccessed(at=minute(31), who="me", query="?", purpose="p", citation="C-1")
    with connect(dsn) as connection:
        desk = TimelineDesk(Codec.over(connection))
        first = desk.tell(connection, citation="C-1")
        told(log, read("far", "ON ELSEWHERE"), looked)
        monkeypatch.setitem(surroundings._AROUND, CASE, b"SELECT %b, %b, %b, %b, 1 / 0")
        assert desk.tell(connection, citation="C-1").entries == first.entries
        assert desk.tell(connection, citation="C-1", known=first.known).entries == first.entries
        told(log, paid("P-3", citation="C-1", amount=100))
        with pytest.raises(psycopg.errors.DivisionByZero):
            desk.tell(connection, citation="C-1")


def test_what_is_remembered_opens_no_key_that_was_destroyed(log: Log, dsn: str) -> None:
    told(log, *STORY)
    with connect(dsn) as connection:
        codec = Codec.over(connection)
        desk = TimelineDesk(codec)
        seen = [entry for entry in desk.tell(connection, citation="C-1").entries if entry.type == "PlateRead"]
        assert seen[0].fields["plate"] == VEHICLE
        codec.destroy(minute(0).date().isoformat())
        kept = [entry for entry in desk.tell(connection, citation="C-1").entries if entry.type == "PlateRead"]
        assert {entry.fields["plate"] for entry in kept} == {REDACTED}
