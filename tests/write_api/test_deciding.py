"""Deciding many at once comes to what deciding one by one comes to, whoever else appends meanwhile."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.decider import Command, Refusal
from commands.registry import COMMANDS
from commands.sessions import EndSession, StartSession
from commands.zones import CloseZone, OpenZone, SetZoneRules
from event_store.log import Log
from event_store.memory import MemoryLog
from events.envelope import CommandIdReused
from events.zones import ZoneRule
from tests.commands import garage_days
from write_api.deciding import Deciding
from write_api.execute import execute

NINE = datetime(2026, 3, 5, 14, tzinfo=UTC)


def decider_of(command: Command) -> Any:
    return COMMANDS[type(command).__name__]


def come_to(outcome: Any) -> str:
    return "nothing" if not outcome.events else ",".join(type(event).__name__ for event in outcome.events)


def one_by_one(log: Log, command: Command) -> str:
    try:
        return come_to(execute(log, decider_of(command), command, uuid4()))
    except Refusal as refusal:
        return refusal.rule


async def decided(deciding: Deciding, command: Command, command_id: UUID | None = None) -> str:
    try:
        return come_to(await deciding.execute(decider_of(command), command, command_id or uuid4()))
    except Refusal as refusal:
        return refusal.rule


def zone(name: str = "F", capacity: int | None = 2) -> OpenZone:
    return OpenZone(at=NINE, zone=name, timezone="America/Toronto", capacity=capacity)


def start(number: int, zone: str = "F", minute: int = 0) -> StartSession:
    at = NINE + timedelta(minutes=minute)
    return StartSession(at=at, session=f"S-{number}", plate=f"ON P{number}", zone=zone, minutes=60)


def end(number: int) -> EndSession:
    return EndSession(at=NINE + timedelta(minutes=1), session=f"S-{number}")


def with_deciding(log: Log, count: int, story: Any, remembered: int = 1_000) -> Any:
    async def tell() -> Any:
        deciders = [Deciding(log, remembered) for _ in range(count)]
        try:
            return await story(*deciders)
        finally:
            for deciding in deciders:
                deciding.close()

    return asyncio.run(tell())


commands = st.one_of(
    st.builds(zone, st.sampled_from("FG"), st.sampled_from([None, 1, 2])),
    st.builds(start, st.integers(0, 5), st.sampled_from("FG")),
    st.builds(end, st.integers(0, 5)),
    st.builds(lambda name: CloseZone(at=NINE, zone=name), st.sampled_from("FG")),
    st.builds(
        lambda name, code: SetZoneRules(at=NINE, zone=name, rules=(ZoneRule(code, "permit"),)),
        st.sampled_from("FG"),
        st.sampled_from(["A", "B"]),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(commands, st.integers(0, 1)), max_size=25), st.sampled_from([1, 5, 1_000]))
def test_any_commands_come_to_what_they_come_to_one_by_one_whatever_is_remembered(
    said: Sequence[tuple[Command, int]], remembered: int
) -> None:
    plain, shared = MemoryLog(), MemoryLog()

    async def story(*processes: Deciding) -> list[str]:
        return [await decided(processes[which], command) for command, which in said]

    assert with_deciding(shared, 2, story, remembered) == [one_by_one(plain, command) for command, _ in said]
    assert [e.event for e in shared.read().entries] == [e.event for e in plain.read().entries]


@pytest.mark.parametrize("many", [64, 1])  # criteria that are asked for, and held against what is new
@settings(max_examples=120, deadline=None)
@given(said=st.lists(st.tuples(garage_days.commands, st.integers(0, 1)), max_size=25))
def test_a_full_garage_comes_to_the_same_through_folds_that_were_carried_on(
    many: int, said: Sequence[tuple[Command, int]]
) -> None:
    """Every fold is taken to be heavy: who asks at another time, or with a past, folds on what is there."""
    plain, shared = MemoryLog(), MemoryLog()
    told = [(one, 0) for one in garage_days.opened()] + list(said)

    async def story(*processes: Deciding) -> list[str]:
        return [await decided(processes[which], command) for command, which in told]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("write_api.settling.HEAVY", 1)
        patch.setattr("write_api.settling.MANY", many)
        patch.setattr("write_api.folds.MANY", many)
        assert with_deciding(shared, 2, story) == [one_by_one(plain, command) for command, _ in told]
    assert [e.event for e in shared.read().entries] == [e.event for e in plain.read().entries]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(commands, st.integers(0, 1)), max_size=25))
def test_commands_all_at_once_leave_a_log_that_one_by_one_could_have_left(
    said: Sequence[tuple[Command, int]],
) -> None:
    log = MemoryLog()

    async def story(*processes: Deciding) -> list[str]:
        return await asyncio.gather(*(decided(processes[which], command) for command, which in said))

    outcomes = with_deciding(log, 2, story)
    assert len([one for one in outcomes if one[0].isupper() and "Already" not in one]) >= log.head()
    capacities = {e.event.zone: e.event.capacity for e in log.read().entries if hasattr(e.event, "capacity")}
    for name, capacity in capacities.items():
        taken = sum(
            getattr(e.event, "zone", None) == name and hasattr(e.event, "start") for e in log.read().entries
        )
        freed = sum(type(e.event).__name__ == "SessionEnded" for e in log.read().entries)
        assert capacity is None or taken <= capacity + freed


def test_a_place_that_another_process_freed_is_not_refused(log: Log) -> None:
    async def story(ours: Deciding, theirs: Deciding) -> list[str]:
        found = [await decided(ours, zone(capacity=1)), await decided(ours, start(1))]
        found.append(await decided(ours, start(2, minute=2)))
        await decided(theirs, end(1))
        found.append(await decided(ours, start(2, minute=2)))
        return found

    assert with_deciding(log, 2, story) == ["ZoneOpened", "SessionStarted", "ZoneFull", "SessionStarted"]


def test_a_place_that_another_process_took_is_not_sold_again(log: Log) -> None:
    async def story(ours: Deciding, theirs: Deciding) -> list[str]:
        await decided(ours, zone(capacity=2))
        return [await decided(who, start(n)) for n, who in enumerate((ours, theirs, ours, theirs))]

    assert with_deciding(log, 2, story) == ["SessionStarted", "SessionStarted", "ZoneFull", "ZoneFull"]


@pytest.mark.parametrize("near", [200, 1])  # of few new events, and of more than are worth looking through
def test_a_full_lot_of_a_hundred_places_is_as_exact_as_one_of_two(
    log: Log, near: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("write_api.folds.NEAR", near)

    async def story(ours: Deciding, theirs: Deciding) -> list[str]:
        await decided(ours, zone(capacity=100))
        for number in range(100):
            await decided(ours, start(number))
        found = [await decided(ours, start(number)) for number in (200, 201)]
        await decided(theirs, end(7))
        found += [await decided(ours, start(number, minute=2)) for number in (202, 203)]
        await decided(theirs, end(8))
        found += [await decided(theirs, start(204, minute=2)), await decided(ours, start(205, minute=2))]
        return found

    expected = ["ZoneFull", "ZoneFull", "SessionStarted", "ZoneFull", "SessionStarted", "ZoneFull"]
    assert with_deciding(log, 2, story) == expected


def test_what_was_taken_to_be_absent_and_is_not_is_read(log: Log) -> None:
    execute(log, decider_of(zone()), zone(), uuid4())
    execute(log, decider_of(start(1)), start(1), uuid4())

    async def story(deciding: Deciding) -> list[str]:
        return [await decided(deciding, command) for command in (start(2), start(1), end(1), end(1))]

    assert with_deciding(log, 1, story) == ["SessionStarted", "nothing", "SessionEnded", "nothing"]


def test_a_repeated_command_id_gives_the_first_outcome(log: Log) -> None:
    execute(log, decider_of(zone()), zone(), uuid4())
    once = uuid4()

    async def story(deciding: Deciding) -> None:
        first = await deciding.execute(decider_of(start(1)), start(1), once, fingerprint=b"1")
        again = await deciding.execute(decider_of(start(2)), start(2), once, fingerprint=b"1")
        assert (again.known_already, again.position, again.events) == (True, first.position, first.events)
        with pytest.raises(CommandIdReused):
            await deciding.execute(decider_of(start(2)), start(2), once, fingerprint=b"2")

    with_deciding(log, 1, story)


def test_a_busy_boundary_is_decided_in_the_order_of_arrival(log: Log) -> None:
    execute(log, decider_of(zone()), zone(capacity=5), uuid4())

    async def story(deciding: Deciding) -> list[str]:
        return await asyncio.gather(*(decided(deciding, start(n)) for n in range(40)))

    outcomes = with_deciding(log, 1, story)
    assert sorted(outcomes) == ["SessionStarted"] * 5 + ["ZoneFull"] * 35
