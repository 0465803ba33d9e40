"""What every log promises, whichever store it stands on."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import chain
from threading import Thread
from uuid import UUID, uuid4

import pytest

from event_store.log import Log, LogUnavailable, Reading
from events.boundary import Boundary, Criterion, on
from events.envelope import Append, BoundaryMoved, CommandIdReused, Origin
from events.permits import PermitPurchased
from events.policies import PolicyAdopted
from events.reads import PlateRead
from events.sessions import SessionStarted
from tests.contracts.facts import NINE, append, names, permit, policy, read, session

EVERYTHING: Boundary[PlateRead] = Boundary(frozenset({Criterion(frozenset(), frozenset())}))
NOTHING: Boundary[PlateRead] = Boundary()
ZONE_F: Boundary[PlateRead] = Boundary(frozenset({Criterion(frozenset(), frozenset({"zone:F"}))}))


def test_an_empty_log_has_head_zero_and_no_entries(any_log: Log) -> None:
    assert any_log.head() == 0
    assert any_log.read().entries == []
    assert any_log.read().head == 0
    assert list(any_log.pages()) == []


def test_positions_count_from_one_without_gaps(any_log: Log) -> None:
    assert append(any_log, read("a")).position == 1
    assert append(any_log, read("b"), read("c")).position == 3
    assert [entry.position for entry in any_log.read().entries] == [1, 2, 3]


def test_an_entry_keeps_its_event_and_its_envelope(any_log: Log) -> None:
    command_id, conversation = uuid4(), uuid4()
    before = datetime.now(UTC) - timedelta(seconds=1)
    origin = Origin("officer:7", "handheld", conversation, 12)
    append(any_log, permit("T-1", "ON A1", "QC B2"), command_id=command_id, origin=origin)
    entry = any_log.read().entries[0]
    assert entry.event == permit("T-1", "ON A1", "QC B2")
    assert entry.event.at == NINE
    assert before < entry.recorded < datetime.now(UTC) + timedelta(seconds=1)
    assert (entry.actor, entry.channel) == ("officer:7", "handheld")
    assert (entry.command_id, entry.correlation, entry.causation) == (command_id, conversation, 12)


def test_recorded_never_decreases(any_log: Log) -> None:
    for number in range(20):
        append(any_log, read(f"r{number}"))
    recorded = [entry.recorded for entry in any_log.read().entries]
    assert recorded == sorted(recorded)


def test_an_append_without_events_is_refused(any_log: Log) -> None:
    with pytest.raises(ValueError, match="holds"):
        append(any_log)


@pytest.mark.parametrize(
    ("boundary", "expected"),
    [
        (on(PlateRead, zone="F"), ["r1", "r2"]),
        (on(PlateRead, SessionStarted, zone="F"), ["r1", "s1", "r2"]),
        (on(PlateRead, zone="F", plate="ON A1"), ["r1"]),
        (on(PermitPurchased, zone="G", plate="ON A1"), ["T-1"]),
        (on(PermitPurchased, plate="ON A1") | on(PlateRead, read="r2"), ["T-1", "r2"]),
        (on(PolicyAdopted), ["standard-1"]),
        (on(PolicyAdopted, SessionStarted), ["s1", "standard-1"]),
        (ZONE_F, ["r1", "s1", "T-1", "r2"]),
        (EVERYTHING, ["r1", "s1", "T-1", "standard-1", "r2", "r3"]),
        (ZONE_F | on(PlateRead, zone="F"), ["r1", "s1", "T-1", "r2"]),
        (on(PlateRead, zone="nowhere"), []),
        (on(PermitPurchased, zone="F", plate="ON B2"), []),
        (NOTHING, []),
        (None, ["r1", "s1", "T-1", "standard-1", "r2", "r3"]),
    ],
)
def test_a_boundary_returns_what_lies_in_it_in_order(
    any_log: Log, boundary: Boundary[PlateRead] | None, expected: list[str]
) -> None:
    append(any_log, read("r1", "ON A1"), session("s1", "ON B2"), permit("T-1", "ON A1"))
    append(any_log, policy())
    append(any_log, read("r2", "ON B2"), read("r3", "ON A1", "G"))
    found = any_log.read(boundary)
    assert names(found.entries) == expected
    assert found.head == 6


def test_a_reading_begins_after_a_position_and_ends_at_another(any_log: Log) -> None:
    append(any_log, *(read(f"r{n}") for n in range(1, 8)))
    assert names(any_log.read(after=2, upto=5).entries) == ["r3", "r4", "r5"]
    assert names(any_log.read(ZONE_F, after=2, upto=5).entries) == ["r3", "r4", "r5"]
    assert names(any_log.read(on(PlateRead, zone="F"), after=5, limit=1).entries) == ["r6"]
    assert names(any_log.read(limit=2).entries) == ["r1", "r2"]
    assert any_log.read(limit=0).entries == []
    assert any_log.read(upto=3).head == 7
    assert any_log.read(after=99).entries == []


def test_several_readings_are_answered_as_of_one_head(any_log: Log) -> None:
    append(any_log, read("r1"), session("s1"), read("r2", zone="G"))
    first, second, third = any_log.read_many(
        [
            Reading(on(PlateRead, zone="F")),
            Reading(on(PlateRead, zone="G") | on(SessionStarted, zone="F"), after=2),
            Reading(on(PlateRead), upto=1),
        ]
    )
    assert names(first.entries) == ["r1"]
    assert names(second.entries) == ["r2"]
    assert names(third.entries) == ["r1"]
    assert {first.head, second.head, third.head} == {3}


def test_no_readings_have_no_answers(any_log: Log) -> None:
    assert list(any_log.read_many([])) == []


def test_pages_hold_all_rows_of_the_wanted_types_in_order(any_log: Log) -> None:
    append(any_log, *(read(f"r{n}") for n in range(7)), session("s1"))
    pages = list(any_log.pages(size=3))
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [row[0] for row in chain(*pages)] == list(range(1, 9))
    assert [any_log.codec.revive(row) for row in chain(*pages)] == list(any_log.read().entries)
    assert [row[1] for row in chain(*any_log.pages(types=["SessionStarted"]))] == ["SessionStarted"]
    assert [row[0] for row in chain(*any_log.pages(2, types=["PlateRead"], upto=5))] == [3, 4, 5]


def test_an_append_is_refused_when_its_boundary_moved(any_log: Log) -> None:
    append(any_log, read("r1"), session("s1"))
    with pytest.raises(BoundaryMoved):
        append(any_log, read("r2"), read("r3"), boundary=on(PlateRead, zone="F"))
    assert any_log.head() == 2


@pytest.mark.parametrize(
    ("boundary", "after", "moved"),
    [
        (on(PlateRead, zone="F"), 0, True),
        (on(PlateRead, zone="F"), 1, False),
        (on(SessionStarted, zone="F"), 1, True),
        (on(SessionStarted, plate="ON A1"), 0, False),
        (on(PlateRead, zone="F", plate="ON A1"), 0, True),
        (on(PlateRead, zone="F", plate="ON B2"), 0, False),
        (on(PermitPurchased, zone="G", plate="ON A1"), 0, True),
        (on(PermitPurchased, zone="G", plate="ON A1", permit="T-1"), 2, True),
        (on(PermitPurchased, zone="G", plate="ON A1", permit="T-1"), 3, False),
        (on(PlateRead, SessionStarted, zone="F"), 1, True),
        (on(PolicyAdopted), 3, True),
        (on(PolicyAdopted), 4, False),
        (on(PolicyAdopted, PlateRead), 1, True),
        (ZONE_F, 2, True),
        (ZONE_F, 3, False),
        (EVERYTHING, 3, True),
        (EVERYTHING, 4, False),
        (NOTHING, 0, False),
        (on(PlateRead, zone="X") | on(PolicyAdopted), 3, True),
        (on(PlateRead, zone="X") | on(SessionStarted, zone="X"), 0, False),
    ],
)
def test_a_condition_holds_exactly_where_nothing_in_the_boundary_is_newer(
    any_log: Log, boundary: Boundary[PlateRead], after: int, *, moved: bool
) -> None:
    append(any_log, read("r1", "ON A1"), session("s1", "ON B2"), permit("T-1", "ON A1"), policy())
    if moved:
        with pytest.raises(BoundaryMoved):
            append(any_log, read("new"), boundary=boundary, after=after)
    assert moved or append(any_log, read("new"), boundary=boundary, after=after).position == 5


def test_what_is_taken_to_be_absent_refuses_the_append_where_it_is_not(any_log: Log) -> None:
    append(any_log, read("r1"))
    known, new, head = on(PlateRead, read="r1"), on(PlateRead, read="r2"), any_log.head()
    with pytest.raises(BoundaryMoved):
        any_log.append(Append([read("r9")], uuid4(), NOTHING, head, absent=known))
    any_log.append(Append([read("r2")], uuid4(), known, head, absent=new))
    with pytest.raises(BoundaryMoved):
        any_log.append(Append([read("r3")], uuid4(), known, any_log.head(), absent=new))
    assert [entry.event.read for entry in any_log.read(on(PlateRead)).entries] == ["r1", "r2"]


def test_of_rivals_for_what_is_absent_one_is_taken(any_log: Log) -> None:
    append(any_log, read("r0"))
    wanted = on(PlateRead, read="r1")
    appends = [Append([read("r1")], uuid4(), None, any_log.head(), absent=wanted) for _ in range(20)]
    futures = [any_log.submit(one) for one in appends]
    assert [future.exception() for future in futures].count(None) == 1
    assert any_log.head() == 2


def test_a_command_is_in_the_log_once_however_often_it_is_sent(any_log: Log) -> None:
    command_id = uuid4()
    first = append(any_log, read("r1"), read("r2"), command_id=command_id, fingerprint=b"same")
    append(any_log, read("r3"))
    again = append(any_log, read("r1"), read("r2"), command_id=command_id, fingerprint=b"same")
    assert (again.position, again.count, again.recorded) == (first.position, 2, first.recorded)
    assert again.known_already
    assert not first.known_already
    assert any_log.head() == 3


def test_a_repeated_command_is_known_even_where_its_boundary_moved_by_itself(any_log: Log) -> None:
    command_id = uuid4()
    append(any_log, read("r1"), boundary=on(PlateRead, zone="F"), command_id=command_id)
    assert append(any_log, read("r1"), boundary=on(PlateRead, zone="F"), command_id=command_id).known_already


def test_a_command_id_under_another_request_is_refused(any_log: Log) -> None:
    command_id = uuid4()
    append(any_log, read("r1"), command_id=command_id, fingerprint=b"one")
    with pytest.raises(CommandIdReused):
        append(any_log, read("r2"), command_id=command_id, fingerprint=b"two")
    assert any_log.head() == 1


def test_find_tells_what_a_command_came_to(any_log: Log) -> None:
    command_id = uuid4()
    assert any_log.find(command_id) is None
    appended = append(any_log, read("r1"), read("r2"), command_id=command_id)
    found = any_log.find(command_id)
    assert found is not None
    assert (found.position, found.count, found.recorded) == (2, 2, appended.recorded)
    assert any_log.find(UUID(int=0)) is None


def test_position_at_is_the_newest_recorded_by_then(any_log: Log) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert any_log.position_at(datetime.now(UTC)) == 0
    append(any_log, read("r1"), read("r2"))
    time.sleep(0.01)
    append(any_log, read("r3"))
    entries = any_log.read().entries
    assert any_log.position_at(before) == 0
    assert any_log.position_at(entries[0].recorded) == 2
    assert any_log.position_at(entries[2].recorded - timedelta(microseconds=1)) == 2
    assert any_log.position_at(entries[2].recorded) == 3
    assert any_log.position_at(datetime.now(UTC) + timedelta(days=1)) == 3


def test_an_event_loop_appends_without_blocking(any_log: Log) -> None:
    async def story() -> list[int]:
        appends = [Append([read(f"r{n}")], uuid4()) for n in range(50)]
        return [done.position for done in await asyncio.gather(*map(any_log.append_async, appends))]

    assert sorted(asyncio.run(story())) == list(range(1, 51))


def test_an_event_loop_hears_of_refusals(any_log: Log) -> None:
    append(any_log, read("r1"))
    with pytest.raises(BoundaryMoved):
        asyncio.run(any_log.append_async(Append([read("r2")], uuid4(), on(PlateRead, zone="F"))))


def test_rivals_for_one_boundary_are_decided_once(any_log: Log) -> None:
    """Sixty-four decide on the same facts at the same moment; one may be right."""

    async def story() -> list[object]:
        appends = [Append([read(f"r{n}")], uuid4(), on(PlateRead, zone="F")) for n in range(64)]
        return await asyncio.gather(*map(any_log.append_async, appends), return_exceptions=True)

    outcomes = asyncio.run(story())
    assert sum(isinstance(outcome, BoundaryMoved) for outcome in outcomes) == 63
    assert any_log.head() == 1


def test_twins_of_one_command_get_one_answer(any_log: Log) -> None:
    async def story() -> list[object]:
        command_id = uuid4()
        appends = [Append([read("r1")], command_id, on(PlateRead, zone="F")) for _ in range(20)]
        other = Append([read("r1")], command_id, fingerprint=b"other")
        return await asyncio.gather(*map(any_log.append_async, [*appends, other]), return_exceptions=True)

    *answers, reused = asyncio.run(story())
    assert isinstance(reused, CommandIdReused)
    assert {getattr(answer, "position", None) for answer in answers} == {1}
    assert sum(not getattr(answer, "known_already", True) for answer in answers) == 1
    assert any_log.head() == 1


def test_a_follower_gets_what_stands_there_and_then_what_comes(any_log: Log) -> None:
    append(any_log, read("r1"), read("r2"))
    following = any_log.follow()
    assert names(next(following)) == ["r1", "r2"]
    appending = Thread(target=append, args=(any_log, read("r3")))
    appending.start()
    seen = next(batch for batch in following if batch)
    appending.join()
    assert names(seen) == ["r3"]
    later = any_log.follow(2)
    assert names(next(later)) == ["r3"]
    following.close()
    later.close()


def test_an_idle_follower_shows_that_it_is_alive(any_log: Log) -> None:
    following = any_log.follow()
    assert list(next(following)) == []
    assert list(next(following)) == []
    following.close()


def test_a_closed_log_ends_its_followers_and_takes_nothing(any_log: Log) -> None:
    ended: list[bool] = []

    def follow() -> None:
        for _ in any_log.follow():
            pass
        ended.append(True)

    thread = Thread(target=follow)
    thread.start()
    any_log.close()
    thread.join(5)
    assert ended
    with pytest.raises(LogUnavailable):
        append(any_log, read("r1"))
