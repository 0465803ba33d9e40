"""What the writer remembers may save a question; it never answers one wrongly."""

from uuid import uuid4

import pytest

from event_store import recent
from event_store.bulk import Bulk
from event_store.codec import Codec, Encoded
from event_store.postgres import PostgresLog
from event_store.recent import WARY, Recent
from events.base import Event
from events.boundary import Boundary, Criterion, on
from events.envelope import Append, BoundaryMoved
from events.reads import PlateRead
from events.sessions import SessionStarted
from tests.contracts.facts import append, read, session

ANY = Criterion(frozenset(), frozenset())


def one(boundary: Boundary[Event]) -> Criterion:
    [criterion] = boundary.criteria
    return criterion


def encoded(*events: Event) -> list[Encoded]:
    return [Codec().encode(event) for event in events]


def remembering(*events: Event, head: int = 10) -> Recent:
    memory = Recent()
    memory.begin(head)
    for position, event in enumerate(events, head + 1):
        memory.learn(position, encoded(event))
    return memory


def test_it_settles_nothing_before_it_has_seen_a_batch() -> None:
    assert not Recent().settles(ANY, 99)


def test_it_settles_what_was_not_seen_since() -> None:
    memory = remembering(read("r1", "ON A1"), session("s1", "ON B2"))
    assert memory.settles(one(on(PlateRead, plate="QC C3", zone="F")), 10)
    assert memory.settles(one(on(PlateRead, plate="ON A1", zone="F")), 11)
    assert not memory.settles(one(on(PlateRead, plate="ON A1", zone="F")), 10)


def test_it_settles_types_and_everything_alike() -> None:
    memory = remembering(read("r1"), session("s1"))
    assert memory.settles(one(on(PlateRead)), 11)
    assert not memory.settles(one(on(PlateRead, SessionStarted)), 11)
    assert memory.settles(ANY, 12)
    assert not memory.settles(ANY, 11)


def test_it_says_nothing_of_what_was_before_its_time() -> None:
    memory = remembering(read("r1"))
    assert not memory.settles(one(on(PlateRead, read="never seen")), 9)


def test_a_surprise_makes_it_begin_anew_and_wary() -> None:
    memory = remembering(read("r1"))
    memory.begin(15)
    for _ in range(WARY):
        assert not memory.settles(ANY, 99)
        memory.begin(15)
    assert memory.settles(one(on(PlateRead, read="r1")), 15)
    assert not memory.settles(one(on(PlateRead, read="r1")), 14)


def test_it_forgets_the_oldest_and_knows_that_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "SIZE", 20)
    memory = remembering(*(read(f"r{n}", f"ON A{n}", f"Z{n}") for n in range(100)))
    assert memory.settles(one(on(PlateRead, read="r99")), 110)
    assert not memory.settles(one(on(PlateRead, read="r99")), 109)
    assert not memory.settles(one(on(PlateRead, read="r1")), 20)


def test_another_process_is_noticed_in_the_same_call(log: PostgresLog, dsn: str) -> None:
    other = PostgresLog(dsn)
    known = append(log, session("s1")).position
    append(log, session("s2"), boundary=on(PlateRead, zone="F"), after=known)
    append(other, read("r1"))
    with pytest.raises(BoundaryMoved):
        append(log, session("s3"), boundary=on(PlateRead, zone="F"), after=known)
    assert append(log, session("s4"), boundary=on(PlateRead, zone="G"), after=known).position == 4
    assert append(other, session("s5"), boundary=on(PlateRead, read="r1"), after=3).position == 5
    other.close()


def test_history_that_came_in_beside_is_noticed_too(log: PostgresLog, dsn: str) -> None:

    append(log, session("s1"))
    append(log, session("s2"), boundary=on(PlateRead, zone="F"), after=1)
    bulk = Bulk(dsn)
    bulk.append([Append([read("r1")], uuid4())])
    bulk.close()
    with pytest.raises(BoundaryMoved):
        append(log, session("s3"), boundary=on(PlateRead, zone="F"), after=2)
