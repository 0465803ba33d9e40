"""A follower misses nothing: not while writers race, not while its connection is cut, again and again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg

from event_store.bulk import Bulk
from event_store.postgres import PostgresLog
from event_store.tail import follow
from events.envelope import Append
from tests.contracts.facts import append, read, session

CUT = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
    and application_name = 'parkledger log' and query !~ 'log[.]append|bulk'
"""
"""Ends the sessions of followers, and of nobody else."""


def positions_followed(dsn: str, last: int) -> list[int]:
    """Follow from the beginning until a position, and return every position seen."""
    seen: list[int] = []
    for rows in follow(dsn):
        seen += [row[0] for row in rows]
        if seen and seen[-1] >= last:
            break
    return seen


def test_nothing_is_skipped_or_seen_twice_while_writers_race_and_connections_are_cut(dsn: str) -> None:
    logs = [PostgresLog(dsn) for _ in range(3)]
    bulk = Bulk(dsn)
    total = 3 * 300 + 600

    def write(number: int) -> None:
        for n in range(300):
            logs[number].append(Append([read(f"w{number}-{n}")], uuid4()))

    def cut(done: threading.Event) -> None:
        """Cut all connections again and again, on a slow machine only once something got through."""
        last = None
        with psycopg.connect(dsn, autocommit=True) as other:
            while not done.wait(0.05):
                head = other.execute("select max(position) from log.events").fetchone()
                if head != last:
                    other.execute(CUT)
                last = head

    done = threading.Event()
    with ThreadPoolExecutor(8) as people:
        following = [people.submit(positions_followed, dsn, total) for _ in range(2)]
        cutting = people.submit(cut, done)
        writing = [people.submit(write, n) for n in range(3)]
        try:
            for n in range(6):
                bulk.append([Append([read(f"b{n}-{k}")], uuid4()) for k in range(100)])
            for task in writing:
                task.result()
            seen = [task.result() for task in following]
        finally:
            done.set()
        cutting.result()
    assert seen == [list(range(1, total + 1))] * 2
    bulk.close()
    for log in logs:
        log.close()


def test_a_follower_of_some_types_sees_only_them(log: PostgresLog, dsn: str) -> None:
    append(log, read("r1"), session("s1"), read("r2"), session("s2"))
    following = follow(dsn, types=["SessionStarted"])
    assert [row[0] for row in next(following)] == [2, 4]
    append(log, session("s3"))
    assert [row[0] for rows in (next(following), next(following)) for row in rows] == [5]
    following.close()


def test_a_follower_outlives_a_database_that_is_away() -> None:
    following = follow("host=127.0.0.1 port=1 dbname=nowhere")
    assert list(next(following)) == []
    assert list(next(following)) == []
    following.close()


def test_rows_of_a_follower_are_revived_by_the_codec(log: PostgresLog, dsn: str) -> None:
    append(log, read("r1"))
    following = follow(dsn)
    assert [log.codec.revive(row).event for row in next(following)] == [read("r1")]
    following.close()
