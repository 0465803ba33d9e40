"""Many at once: no history that they record contradicts one order; any story agrees with a plain model."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from itertools import chain, count
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from event_store.bulk import Bulk
from event_store.log import Log
from event_store.memory import MemoryLog
from event_store.postgres import PostgresLog
from events.base import Event
from events.boundary import Boundary, Criterion, on
from events.envelope import Append, Appended, BoundaryMoved, CommandIdReused
from events.permits import PermitPurchased
from events.reads import PlateRead
from events.sessions import SessionStarted
from operations.embedded import EmbeddedPostgres
from tests.contracts.facts import permit, read, session
from tests.event_store.histories import Call, contradictions

ZONES, PLATES = ("F", "G"), ("ON A1", "ON B2", "QC C3")
WORDS = [
    on(PlateRead, zone="F"),
    on(PlateRead, zone="G", plate="ON A1"),
    on(SessionStarted, PermitPurchased, zone="F"),
    on(PermitPurchased, plate="QC C3") | on(PlateRead, plate="QC C3"),
    on(SessionStarted),
    Boundary(frozenset({Criterion(frozenset(), frozenset({"plate:ON B2"}))})),
    Boundary(frozenset({Criterion(frozenset(), frozenset())})),
]


def some_event(chance: random.Random) -> Event:
    plate, zone = chance.choice(PLATES), chance.choice(ZONES)
    kind = chance.randrange(3)
    if kind == 0:
        return read(f"r{chance.random()}", plate, zone)
    return session("s", plate, zone) if kind == 1 else permit("T", plate, zones=(zone,))


def chance_of(seed: int) -> random.Random:
    """Return chance that can be had again."""
    return random.Random(seed)  # noqa: S311  (nobody shall be kept from guessing it)


def client(log: Log, chance: random.Random, calls: int, history: list[Call]) -> None:
    """Append by conditions on what this client knows, sometimes stale, and note what it was told."""
    known = 0
    for _ in range(calls):
        events = [some_event(chance) for _ in range(chance.choice((1, 1, 2)))]
        wanted = Append(events, uuid4(), chance.choice(WORDS), known)
        called = time.perf_counter()
        position = None
        try:
            position = log.append(wanted).position
            known = position
        except BoundaryMoved:
            known = log.head() if chance.random() < 0.8 else known
        history.append(Call(wanted, called, time.perf_counter(), position))


@pytest.mark.parametrize("seed", range(3))
def test_recorded_histories_are_linearizable(dsn: str, seed: int) -> None:
    """Two processes' worth of logs, each with its own writer, and eight clients."""
    logs = [PostgresLog(dsn), PostgresLog(dsn)]
    history: list[Call] = []
    start = Barrier(8)

    def run(number: int) -> None:
        start.wait()
        client(logs[number % 2], chance_of(seed * 100 + number), 60, history)

    clients = [Thread(target=run, args=(number,)) for number in range(8)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert contradictions(history) == []
    assert any(call.position is None for call in history)
    assert logs[0].head() == max(call.position or 0 for call in history)
    for log in logs:
        log.close()


def test_the_checker_sees_what_is_wrong() -> None:
    zone_f = on(PlateRead, zone="F")
    first = Call(Append([read("a")], uuid4(), zone_f), 0, 1, 1)
    blind = Call(Append([read("b")], uuid4(), zone_f), 2, 3, 2)
    assert "moved its boundary" in contradictions([first, blind])[0]
    gap = Call(Append([read("b")], uuid4()), 2, 3, 3)
    assert "begin after 1" in contradictions([first, gap])[0]
    groundless = Call(Append([read("b")], uuid4(), on(SessionStarted)), 2, 3, None)
    assert "nothing after 0" in contradictions([first, groundless])[0]
    early = Call(Append([session("s")], uuid4()), 2, 3, 1)
    late = Call(Append([session("s")], uuid4()), 0, 1, 2)
    assert "answered" in contradictions([early, late])[0]


def test_sixty_four_clients_share_one_place_without_overselling_it(log: PostgresLog) -> None:
    """Each decides on what it reads and tries again when that moved; ten places are sold ten times."""
    places, boundary = 10, on(PermitPurchased, zone="F")

    async def buy(number: int) -> bool:
        while True:
            sold = await asyncio.to_thread(log.read, boundary)
            if len(sold.entries) >= places:
                return False
            bought = Append([permit(f"T-{number}", zones=("F",))], uuid4(), boundary, sold.head)
            try:
                await log.append_async(bought)
            except BoundaryMoved:
                continue
            return True

    async def rush() -> list[bool]:
        return await asyncio.gather(*(buy(number) for number in range(64)))

    assert sum(asyncio.run(rush())) == places
    assert len(log.read(boundary).entries) == places


class LogStory(RuleBasedStateMachine):
    """Any sequence of appends, repeats, imports and readings, told to a log and to a list at once."""

    fresh: Callable[[], str]
    """Makes a new database and returns its connection string."""

    @initialize()
    def begin(self) -> None:
        dsn = type(self).fresh()
        self.logs: Sequence[Log] = [PostgresLog(dsn), PostgresLog(dsn)]
        self.bulk = Bulk(dsn)
        self.model = MemoryLog()
        self.sent: list[Append] = []

    def teardown(self) -> None:
        for log in getattr(self, "logs", ()):
            log.close()
        if hasattr(self, "bulk"):
            self.bulk.close()

    def _tell(self, wanted: Append, log: Log) -> None:
        expected: object
        try:
            expected = self.model.append(wanted)
        except (BoundaryMoved, CommandIdReused) as refusal:
            expected = type(refusal)
        told: object
        try:
            told = log.append(wanted)
        except (BoundaryMoved, CommandIdReused) as refusal:
            told = type(refusal)
        assert outcome(told) == outcome(expected)
        self.sent.append(wanted)

    @rule(
        seed=st.integers(0, 10**6),
        word=st.sampled_from([None, *WORDS]),
        stale=st.integers(0, 5),
        which=st.booleans(),
    )
    def append(self, seed: int, word: Boundary[Event] | None, stale: int, which: bool) -> None:  # noqa: FBT001
        events = [some_event(chance_of(seed + n)) for n in range(1 + seed % 3)]
        after = max(0, self.model.head() - stale)
        self._tell(Append(events, UUID(int=seed), word, after, fingerprint=b"a"), self.logs[which])

    @rule(data=st.data(), which=st.booleans())
    def repeat(self, data: st.DataObject, which: bool) -> None:  # noqa: FBT001
        if self.sent:
            self._tell(data.draw(st.sampled_from(self.sent)), self.logs[which])

    @rule(data=st.data())
    def send_another_request_under_a_known_id(self, data: st.DataObject) -> None:
        if self.sent:
            known = data.draw(st.sampled_from(self.sent))
            self._tell(Append([read("other")], known.command_id, fingerprint=b"b"), self.logs[0])

    @rule(seeds=st.lists(st.integers(0, 10**6), max_size=5))
    def bring_history(self, seeds: list[int]) -> None:
        batch = [Append([some_event(chance_of(s))], UUID(int=s), fingerprint=b"a") for s in seeds]
        expected: list[object] = []
        for one in batch:
            try:
                expected.append(self.model.append(one).position)
            except CommandIdReused:
                expected.append(CommandIdReused)
        told = [a.position if isinstance(a, Appended) else type(a) for a in self.bulk.append(batch)]
        assert told == expected
        self.sent += batch

    @rule(
        word=st.sampled_from([None, *WORDS]), after=st.integers(0, 20), limit=st.sampled_from([None, 0, 1, 3])
    )
    def read(self, word: Boundary[Event] | None, after: int, limit: int | None) -> None:
        expected = self.model.read(word, after=after, limit=limit)
        told = self.logs[1].read(word, after=after, limit=limit)
        assert told.head == expected.head
        assert [(e.position, e.event) for e in told.entries] == [
            (e.position, e.event) for e in expected.entries
        ]

    @invariant()
    def positions_have_no_gap_and_time_does_not_run_back(self) -> None:
        rows = list(chain(*self.logs[0].pages()))
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert [row[4] for row in rows] == sorted(row[4] for row in rows)
        assert len(rows) == self.model.head()


def outcome(answer: object) -> object:
    """Return what an answer says, but for the time that it was recorded at."""
    if isinstance(answer, Appended):
        return (answer.position, answer.count, answer.known_already)
    return answer


def test_any_story_agrees_with_a_plain_model(cluster: EmbeddedPostgres, template: str) -> None:
    numbers = count(1)
    LogStory.fresh = staticmethod(lambda: cluster.create(f"story_{next(numbers)}", template))
    thorough = settings(
        max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
    try:
        run_state_machine_as_test(LogStory, settings=thorough)
    finally:
        for number in range(1, next(numbers)):
            cluster.drop(f"story_{number}")
