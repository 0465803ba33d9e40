"""The log against the library's own PostgreSQL recorder for dynamic boundaries, as its users would run it.

Both append the same parking sessions, of three tags each, on the same condition of two criteria of two tags
each: that nothing new gives the plate a right in the zone, and nothing new speaks of the session and its
plate. Ours are appended by callers in one event loop, the library's by eight threads, each with a connection
of its own. Both work in one server that makes every commit durable.

    python -m benchmarks.log [--quick]
"""

import asyncio
import gc
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import uvloop
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.postgres import PostgresDatastore

from benchmarks import log_bulk
from benchmarks.harness import Goal, Sample, at_least, at_most, emit, figure, interleaved, note, percentile
from event_store.codec import Codec
from event_store.identifiers import uuid7
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Append, Origin
from events.permits import PermitPurchased
from events.sessions import SessionEnded, SessionStarted
from events.vocabulary import Cents, Plate
from operations.embedded import EmbeddedPostgres

LIBRARY = "eventsourcing.dcb PostgresDCBRecorderTT, 8 threads"
THREADS = 8
OLD_LOG = 1_000_000
ZONES = 50
HOT = "HOT"
_numbers = count(1)


def session_of(caller: str, number: int, zone: str) -> SessionStarted:
    """Return a session that no other append rests on."""
    start = datetime.now(UTC)
    return SessionStarted(
        at=start, session=f"{caller}-{number}", plate=Plate(f"ON {caller}{number:X}"), zone=zone, start=start,
        until=start + timedelta(hours=2), channel="app", amount=Cents(450),
    )  # fmt: skip


def rests_on(event: SessionStarted) -> Boundary[Event]:
    """Return what the decision to let a session begin rests on."""
    return on(SessionStarted, PermitPurchased, plate=event.plate, zone=event.zone) | on(
        SessionStarted, SessionEnded, session=event.session, plate=event.plate
    )


class Ours:
    """Appends to our log, from callers in one event loop."""

    def __init__(self, dsn: str) -> None:
        """Open the log of a migrated database."""
        self._log = PostgresLog(dsn)
        self._log.head()

    def run(self, callers: int, each: int, *, hot: bool = False) -> Sample:
        """Return `rate` in events a second and `p99` in milliseconds."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the write API runs
            return runner.run(self._run(callers, each, hot=hot))

    async def _run(self, callers: int, each: int, *, hot: bool) -> Sample:
        head = self._log.head()
        work = [
            [session_of(f"{next(_numbers):X}Q", n, HOT if hot else f"Z{c % ZONES}") for n in range(each)]
            for c in range(callers)
        ]
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)  # as the APIs do at start
        started = time.perf_counter()
        took = await asyncio.gather(
            *(self._caller(sessions, 0 if hot else head, hot=hot) for sessions in work)
        )
        return _sample(time.perf_counter() - started, [t for some in took for t in some])

    async def _caller(self, sessions: Sequence[SessionStarted], after: int, *, hot: bool) -> list[float]:
        origin = Origin("officer:O-7", "handheld", UUID(int=7), 1)
        took: list[float] = []
        for event in sessions:
            started = time.perf_counter()
            append = Append([event], uuid7(), rests_on(event), after, origin, b"f" * 32)
            appended = await self._log.append_async(append)
            took.append(time.perf_counter() - started)
            after = 0 if hot else appended.position
        return took

    def close(self) -> None:
        """Close the log."""
        self._log.close()


class Library:
    """Appends with the library's recorder, from threads."""

    def __init__(self, dsn: str) -> None:
        """Create the recorder's tables in an empty database, or take those that are there."""
        known = psycopg.conninfo.conninfo_to_dict(dsn)
        self._store = PostgresDatastore(
            str(known["dbname"]), str(known["host"]), "5432", str(known["user"]), "", pool_size=THREADS
        )
        self.recorder = PostgresDCBRecorderTT(self._store)
        self.recorder.create_table()
        self._codec = Codec()

    def run(self, each: int, *, hot: bool = False) -> Sample:
        """Return `rate` in events a second and `p99` in milliseconds."""
        response = self.recorder.read(limit=None, after=2**62)
        head = response.head or 0
        work = [
            [session_of(f"{next(_numbers):X}Q", n, HOT if hot else f"Z{c % ZONES}") for n in range(each)]
            for c in range(THREADS)
        ]
        took: list[list[float]] = [[] for _ in work]
        threads = [
            threading.Thread(
                target=self._caller, args=(sessions, 0 if hot else head, mine), kwargs={"hot": hot}
            )
            for sessions, mine in zip(work, took, strict=True)
        ]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return _sample(time.perf_counter() - started, [t for some in took for t in some])

    def _caller(
        self, sessions: Sequence[SessionStarted], after: int, took: list[float], *, hot: bool
    ) -> None:
        for event in sessions:
            started = time.perf_counter()
            encoded = self._codec.encode(event)
            items = [DCBQueryItem(list(c.types), list(c.tags)) for c in rests_on(event).criteria]
            condition = DCBAppendCondition(DCBQuery(items), after=after)
            dcb = DCBEvent(encoded.type, encoded.payload, list(encoded.tags))
            position = self.recorder.append([dcb], condition)
            took.append(time.perf_counter() - started)
            after = 0 if hot else position

    def close(self) -> None:
        """Close the connections."""
        self._store.close()


def _sample(seconds: float, took: Sequence[float]) -> Sample:
    return {"rate": len(took) / seconds, "p99": percentile(took, 0.99) * 1000}


_PAST = """
    create temporary table past as select
        n, array[
            'session:S' || n, 'plate:ON OLD' || n % 100000,
            'zone:' || case when n % 2 = 0 then 'HOT' else 'Z' || n % 50 end] as tags,
        '{"amount": 450, "channel": "app"}'::text as payload
    from generate_series(1, %s) n
"""
_OURS = """
    set parkledger.appending = 'on';
    insert into log.events (position, at, recorded, command_id, version, step, type, tags, payload, actor,
        channel, fingerprint, digest)
    select n, now(), now(), gen_random_uuid(), 1, 1, 'SessionStarted', tags, payload::jsonb, 'officer:O-7',
        'handheld', '', '' from past order by n;
    insert into log.tags (tag, type, position)
        select t.tag, 'SessionStarted', n from past, unnest(tags) t (tag) order by n;
    analyze log.events; analyze log.tags
"""
_THEIRS = """
    insert into dcb_events_tt_main (type, data, tags)
        select 'SessionStarted', payload::bytea, tags from past order by n;
    insert into dcb_events_tt_tag (tag, main_id)
        select t.tag, n from past, unnest(tags) t (tag) order by n;
    analyze dcb_events_tt_main; analyze dcb_events_tt_tag
"""


def remember(dsn: str, script: str, size: int) -> None:
    """Fill a log with a past of `size` sessions, half of them in one hot zone."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set synchronous_commit to off")
        connection.execute(_PAST.replace("%s", str(size)).encode())
        connection.execute(script.encode())
        connection.execute("checkpoint")


@contextmanager
def peers(server: EmbeddedPostgres, size: int) -> Iterator[tuple[Ours, Library]]:
    """Lend both logs, holding `size` events."""
    with ExitStack() as stack:
        databases = [server.create(f"{whose}_{uuid4().hex[:8]}") for whose in ("ours", "library")]
        migrate(databases[0])
        library = Library(databases[1])
        stack.callback(library.close)
        if size:
            note(f"filling both logs with {size:,} events")
            remember(databases[0], _OURS, size)
            remember(databases[1], _THEIRS, size)
        ours = Ours(databases[0])
        stack.callback(ours.close)
        yield ours, library


def compare(
    ours: Ours, library: Library, callers: int, scale: float, rounds: int, name: str, goals: Sequence[Goal]
) -> None:
    """Print the rate and the p99 of so many callers against the library's threads."""
    each = max(20, int(scale * (30_000 if callers > THREADS else 12_000)) // callers)
    theirs = max(20, int(scale * 3_200) // THREADS)
    ours.run(callers, 20)
    library.run(10)
    pairs = interleaved(lambda: ours.run(callers, each), lambda: library.run(theirs), rounds)
    emit(figure("log", f"{name}: rate", pairs, "rate", unit="events/s", other_name=LIBRARY, goal=goals[0]))
    emit(figure("log", f"{name}: p99", pairs, "p99", unit="ms", other_name=LIBRARY, goal=goals[1]))


def compare_hot(ours: Ours, library: Library, rounds: int) -> None:
    """Print the rate of appends that look at a hot tag's whole past."""
    pairs = interleaved(lambda: ours.run(64, 50, hot=True), lambda: library.run(1, hot=True), rounds)
    name = "64 callers, after = 0 on a hot tag, old log: rate"
    emit(figure("log", name, pairs, "rate", unit="events/s", other_name=LIBRARY, goal=at_least(80)))


def main(*, quick: bool = False) -> None:
    """Measure; `quick` is a smoke test on small logs."""
    old, scale, rounds = (20_000, 0.1, 2) if quick else (OLD_LOG, 1.0, 5)
    with tempfile.TemporaryDirectory(prefix="parkledger-bench-") as directory:
        options = {"max_wal_size": "8GB", "checkpoint_timeout": "1h", "autovacuum_naptime": "10min"}
        with EmbeddedPostgres(Path(directory) / "server", options=options) as server:
            with peers(server, 0) as (ours, library):
                compare(
                    ours, library, 64, scale, rounds, "64 callers, empty log", [at_least(8), at_most(0.7)]
                )
                compare(ours, library, 8, scale, rounds, "8 callers, empty log", [at_least(4), at_most(0.25)])
            with peers(server, old) as (ours, library):
                compare(ours, library, 64, scale, rounds, "64 callers, old log", [at_least(12), at_most(0.5)])
                compare_hot(ours, library, rounds)
            log_bulk.measure(server, 20_000 if quick else 100_000, rounds)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
