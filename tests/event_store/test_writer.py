"""The writer answers truthfully, whatever becomes of its connection and whatever it is given."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from event_store import writer
from event_store.codec import Encoded, Unstorable, digest
from event_store.log import LogUnavailable
from event_store.postgres import PostgresLog
from event_store.waiting import Waiting
from events.boundary import Boundary, Criterion, on
from events.envelope import Append, Appended, BoundaryMoved, CommandIdReused
from events.permits import PermitPurchased
from events.reads import PlateRead
from tests.contracts.facts import NINE, append, names, permit, read

KILL = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where datname = current_database() and application_name = 'parkledger log' and pid <> pg_backend_pid()"
)


@contextmanager
def writing_held_up(dsn: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold the writer lock, so that everything that is submitted meanwhile comes into one batch."""
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("select pg_advisory_lock(log.writer_lock())")
        yield other
        other.execute("select pg_advisory_unlock(log.writer_lock())")


@contextmanager
def instead_of_calling(replacement: Callable[..., object]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "call", replacement)
        yield


def one_batch(log: PostgresLog, dsn: str, *appends: Append) -> list[object]:
    """Append all at the same moment and return what became of each."""
    with writing_held_up(dsn):
        first = log.submit(Append([permit("first")], uuid4()))
        futures = [log.submit(one) for one in appends]
    first.result()
    return [future.exception() or future.result() for future in futures]


def test_an_append_is_whole_or_not_at_all_when_another_of_its_batch_is_refused(
    log: PostgresLog, dsn: str
) -> None:
    append(log, read("old"))
    refused, accepted, later = one_batch(
        log,
        dsn,
        Append([read("a1"), read("a2")], uuid4(), on(PlateRead, zone="F")),
        Append([permit("T-1"), permit("T-2")], uuid4(), on(PermitPurchased, permit="T-1")),
        Append([read("b1")], uuid4(), on(PlateRead, read="b1")),
    )
    assert isinstance(refused, BoundaryMoved)
    assert isinstance(accepted, Appended)
    assert isinstance(later, Appended)
    assert names(log.read().entries) == ["old", "first", "T-1", "T-2", "b1"]
    assert (accepted.position, later.position) == (4, 5)


def test_rivals_of_one_batch_are_told_apart(log: PostgresLog, dsn: str) -> None:
    winner, loser, stranger, after_all = one_batch(
        log,
        dsn,
        Append([read("a")], uuid4(), on(PlateRead, zone="F")),
        Append([read("b")], uuid4(), on(PlateRead, zone="F")),
        Append([read("c", zone="G")], uuid4(), on(PlateRead, zone="G")),
        Append([read("d")], uuid4(), Boundary(frozenset({Criterion(frozenset(), frozenset({"zone:F"}))}))),
    )
    assert isinstance(winner, Appended)
    assert isinstance(loser, BoundaryMoved)
    assert isinstance(stranger, Appended)
    assert isinstance(after_all, BoundaryMoved)
    assert names(log.read().entries) == ["first", "a", "c"]


def test_a_rival_is_tried_when_whom_it_waited_for_was_refused(log: PostgresLog, dsn: str) -> None:
    append(log, permit("T-0"))
    refused, rival = one_batch(
        log,
        dsn,
        Append([read("a")], uuid4(), on(PermitPurchased, permit="T-0")),
        Append([read("b")], uuid4(), on(PlateRead, zone="F")),
    )
    assert isinstance(refused, BoundaryMoved)
    assert isinstance(rival, Appended)
    assert names(log.read(on(PlateRead)).entries) == ["b"]


def test_a_repeat_is_known_even_beside_a_rival_that_moved_its_boundary(log: PostgresLog, dsn: str) -> None:
    repeat = Append([read("a")], uuid4(), on(PlateRead, read="a"))
    log.append(repeat)
    rival, again, reused = one_batch(
        log,
        dsn,
        Append([read("a", zone="G")], uuid4(), on(PlateRead, read="a"), after=9),
        repeat,
        Append([read("x")], repeat.command_id, fingerprint=b"another request"),
    )
    assert isinstance(rival, Appended)
    assert isinstance(again, Appended)
    assert again.known_already
    assert again.position == 1
    assert isinstance(reused, CommandIdReused)


def test_what_the_database_cannot_keep_does_not_harm_its_batch(log: PostgresLog, dsn: str) -> None:
    """A number that PostgreSQL's own JSON refuses: no check of ours can foresee all that it refuses."""
    payload = b'{"a":1e999999}'
    poison: Future[Appended] = Future()
    encoded = Encoded("PlateRead", 1, NINE, ("zone:F",), payload, digest(payload))
    with writing_held_up(dsn):
        first = log.submit(Append([permit()], uuid4()))
        good = [log.submit(Append([read(f"a{n}")], uuid4())) for n in range(5)]
        log._writer.put(Waiting(Append((), uuid4()), [encoded], (), poison))
        good += [log.submit(Append([read(f"b{n}")], uuid4())) for n in range(5)]
    with pytest.raises(Unstorable, match="cannot keep"):
        poison.result()
    assert [future.result().position for future in (first, *good)] == list(range(1, 12))


@pytest.mark.parametrize("text", ["nul \x00", "half a pair \ud800"])
def test_what_no_database_keeps_is_refused_where_it_is_submitted(log: PostgresLog, text: str) -> None:
    poison = read().model_copy(update={"officer": text})
    with pytest.raises(Unstorable):
        log.submit(Append([poison], uuid4()))
    with pytest.raises(Unstorable):
        asyncio.run(log.append_async(Append([poison], uuid4())))
    assert log.head() == 0


def test_a_tag_too_long_for_the_index_is_refused_where_it_is_submitted(log: PostgresLog) -> None:
    poison = read().model_copy(update={"read": "r" * 3000})
    with pytest.raises(Unstorable, match="2600 bytes"):
        log.submit(Append([poison], uuid4()))


def test_a_connection_lost_before_the_commit_is_made_good(log: PostgresLog, dsn: str) -> None:
    append(log, permit())
    with writing_held_up(dsn) as other:
        futures = [log.submit(Append([read(f"r{n}")], uuid4())) for n in range(20)]
        wait_for_the_lock(other)
        other.execute(KILL.encode())
    answers = [future.result() for future in futures]
    assert sorted(answer.position for answer in answers) == list(range(2, 22))
    assert not any(answer.known_already for answer in answers)
    assert log.head() == 21


def test_a_connection_lost_after_the_commit_is_found_out(log: PostgresLog, dsn: str) -> None:
    append(log, permit())
    real, lost = writer.call, threading.Event()

    def commit_and_lose(connection: psycopg.Connection[object], *batch: object) -> object:
        verdict = real(connection, *batch)  # type: ignore[arg-type]
        if not lost.is_set():
            lost.set()
            with psycopg.connect(dsn, autocommit=True) as other:
                other.execute(KILL.encode())
            connection.execute("select 1")  # fails, as the answer of the batch would have
        return verdict

    with instead_of_calling(commit_and_lose):
        answer = append(log, read("r1"), read("r2"))
    assert lost.is_set()
    assert (answer.position, answer.count, answer.known_already) == (3, 2, False)
    assert names(log.read().entries) == ["T-1", "r1", "r2"]


def test_a_session_that_does_not_know_that_it_is_lost_cannot_commit_later(log: PostgresLog, dsn: str) -> None:
    """The network fails between a batch and its server: the server goes on, so its session is ended first."""
    append(log, permit())
    stuck = threading.Event()
    real = writer.call

    def send_and_lose(connection: psycopg.Connection[object], *batch: object) -> object:
        if stuck.is_set():
            return real(connection, *batch)  # type: ignore[arg-type]
        stuck.set()
        parameters = batch[0].parameters()  # type: ignore[attr-defined]
        connection.pgconn.send_query_prepared(b"append", parameters, [1] * len(parameters), 1)
        connection.pgconn.flush()
        wait_for_the_lock(other)
        connection.close()
        raise psycopg.OperationalError("the network is gone")

    with instead_of_calling(send_and_lose):
        with writing_held_up(dsn) as other:
            future = log.submit(Append([read("r1")], uuid4()))
            stuck.wait(5)
            wait_until_nobody_waits(other)
        assert future.result(20).position == 2
    assert names(log.read().entries) == ["T-1", "r1"]


def wait_for_the_lock(other: psycopg.Connection[tuple[object, ...]]) -> None:
    """Wait until a writer stands before the lock."""
    while not waiting(other):
        other.execute("select pg_sleep(0.01)")


def wait_until_nobody_waits(other: psycopg.Connection[tuple[object, ...]]) -> None:
    """Wait until the lost session was ended; the next one waits for the lock in its turn, or is about to."""
    [lost] = waiting(other) or [0]
    while lost in waiting(other):
        other.execute("select pg_sleep(0.01)")


def waiting(other: psycopg.Connection[tuple[object, ...]]) -> list[object]:
    asked = """
        select pid from pg_locks l join pg_database d on d.oid = l.database
        where l.locktype = 'advisory' and not l.granted and d.datname = current_database()
    """
    return [pid for (pid,) in other.execute(asked).fetchall()]


def test_where_no_database_is_everybody_hears_of_it() -> None:
    log = PostgresLog("host=127.0.0.1 port=1 dbname=nowhere", patience=0.2)
    with pytest.raises(LogUnavailable, match="not acknowledged"):
        append(log, read())
    with pytest.raises(LogUnavailable):
        log.head()
    log.close()


def test_closing_writes_what_is_queued(dsn: str) -> None:
    log = PostgresLog(dsn)
    futures = [log.submit(Append([read(f"r{n}")], uuid4())) for n in range(200)]
    log.close()
    assert sorted(future.result().position for future in futures) == list(range(1, 201))


def test_a_caller_that_went_away_does_not_disturb_the_others(log: PostgresLog, dsn: str) -> None:
    async def story() -> Appended:
        with writing_held_up(dsn):
            leaving = asyncio.create_task(log.append_async(Append([read("r1")], uuid4())))
            staying = asyncio.create_task(log.append_async(Append([read("r2")], uuid4())))
            await asyncio.sleep(0.05)
            leaving.cancel()
        return await staying

    assert asyncio.run(story()).position == 2


def test_readers_go_on_after_their_connections_were_lost(log: PostgresLog, dsn: str) -> None:
    append(log, read("r1"))
    assert log.head() == 1
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute(KILL.encode())
    assert names(log.read().entries) == ["r1"]
