"""History comes in by thousands and keeps every promise of the log."""

from collections.abc import Iterator
from itertools import chain
from threading import Thread
from uuid import uuid4

import psycopg
import pytest

from event_store.bulk import Bulk
from event_store.codec import Unstorable, canonical_again, digest
from event_store.postgres import PostgresLog
from events.boundary import on
from events.envelope import Append, Appended, CommandIdReused, Origin
from events.reads import PlateRead
from tests.contracts.facts import append, names, permit, policy, read, session


def appends(size: int, prefix: str = "h") -> list[Append]:
    return [Append([read(f"{prefix}{n}")], uuid4(), fingerprint=b"import") for n in range(size)]


@pytest.fixture
def bulk(dsn: str) -> Iterator[Bulk]:
    opened = Bulk(dsn)
    yield opened
    opened.close()


def test_what_comes_in_reads_as_if_it_had_been_appended(log: PostgresLog, bulk: Bulk) -> None:
    origin = Origin("import", "file", uuid4(), 3)
    wanted = Append([permit("T-1", "ON A1", "ON B2"), session(), policy()], uuid4(), origin=origin)
    [answer] = bulk.append([wanted])
    log.append(Append(wanted.events, uuid4(), origin=origin))
    entries = log.read().entries
    assert isinstance(answer, Appended)
    assert (answer.position, answer.count, answer.recorded) == (3, 3, entries[0].recorded)
    for one, other in zip(entries[:3], entries[3:], strict=True):
        assert (one.event, one.actor, one.channel) == (other.event, other.actor, other.channel)
        assert (one.correlation, one.causation) == (other.correlation, other.causation)
    assert names(log.read(on(PlateRead)).entries) == []
    assert [e.position for e in log.read(on(type(wanted.events[0]), plate="ON B2")).entries] == [1, 4]
    assert log.find(wanted.command_id) == answer


def test_positions_follow_the_head_without_a_gap(log: PostgresLog, bulk: Bulk) -> None:
    append(log, read("before"))
    answers = bulk.append(appends(1500))
    append(log, read("after"))
    assert [a.position for a in answers if isinstance(a, Appended)] == list(range(2, 1502))
    rows = list(chain(*log.pages()))
    assert [row[0] for row in rows] == list(range(1, 1503))
    assert [row[4] for row in rows] == sorted(row[4] for row in rows)


def test_a_second_run_adds_nothing(log: PostgresLog, bulk: Bulk) -> None:
    batch = appends(100)
    bulk.append(batch)
    again = bulk.append([*batch, *appends(3, "new")])
    assert all(isinstance(a, Appended) and a.known_already for a in again[:100])
    assert [a.position for a in again[100:] if isinstance(a, Appended)] == [101, 102, 103]
    assert log.head() == 103


def test_a_command_id_counts_once_within_a_batch(log: PostgresLog, bulk: Bulk) -> None:
    command_id = uuid4()
    first, twin, other = bulk.append(
        [
            Append([read("r1")], command_id, fingerprint=b"a"),
            Append([read("r1")], command_id, fingerprint=b"a"),
            Append([read("r2")], command_id, fingerprint=b"b"),
        ]
    )
    assert isinstance(first, Appended)
    assert not first.known_already
    assert isinstance(twin, Appended)
    assert twin.known_already
    assert isinstance(other, CommandIdReused)
    assert log.head() == 1


def test_what_cannot_be_kept_fails_alone(log: PostgresLog, bulk: Bulk) -> None:
    poison = read("r2").model_copy(update={"officer": "half a pair \ud800"})
    nul = read("r3").model_copy(update={"officer": "nul \x00"})
    a, b, c, d = bulk.append([Append([event], uuid4()) for event in (read("r1"), poison, nul, read("r4"))])
    assert isinstance(a, Appended)
    assert isinstance(b, Unstorable)
    assert isinstance(c, Unstorable)
    assert isinstance(d, Appended)
    assert names(log.read().entries) == ["r1", "r4"]


def test_what_rests_on_something_is_no_history(bulk: Bulk) -> None:
    with pytest.raises(ValueError, match="rests on nothing"):
        bulk.append([Append([read()], uuid4(), on(PlateRead, zone="F"))])


def test_an_empty_batch_is_no_batch(log: PostgresLog, bulk: Bulk) -> None:
    assert bulk.append([]) == []
    assert log.head() == 0


def test_history_and_commands_share_one_order(log: PostgresLog, bulk: Bulk) -> None:
    coming = [bulk.submit(appends(500, f"b{n}-")) for n in range(2)]
    commands = Thread(target=lambda: [append(log, read(f"c{n}")) for n in range(50)])
    commands.start()
    coming += [bulk.submit(appends(500, f"b{n}-")) for n in range(2, 6)]
    for batch in coming:
        assert all(isinstance(answer, Appended) for answer in batch.result())
    commands.join()
    rows = list(chain(*log.pages()))
    assert [row[0] for row in rows] == list(range(1, 3051))
    assert [row[4] for row in rows] == sorted(row[4] for row in rows)


def test_a_connection_lost_between_batches_costs_nothing(log: PostgresLog, bulk: Bulk, dsn: str) -> None:
    bulk.append(appends(10, "a"))
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'parkledger log' and datname = current_database()"
        )
    answers = bulk.append(appends(10, "b"))
    assert all(isinstance(a, Appended) and not a.known_already for a in answers)
    assert log.head() == 20


def test_the_digest_can_be_computed_again_from_what_the_database_gives_back(
    log: PostgresLog, bulk: Bulk, dsn: str
) -> None:
    bulk.append(appends(3))
    append(log, permit(), policy())
    with psycopg.connect(dsn) as connection:
        kept = dict(connection.execute("select position, digest from log.events").fetchall())
    for row in chain(*log.pages()):
        assert digest(canonical_again(row[5])) == kept[row[0]]
