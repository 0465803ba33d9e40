"""Read models against the library's projection runner with the same table and the same fold.

Freshness is measured by the server itself: the commit time of the row less that of its event. Both runners
and whoever tells facts to the logs are processes of their own, in one server that makes commits durable.

    python -m benchmarks.projections [--quick]
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import batched, count
from pathlib import Path
from uuid import uuid4

import psycopg
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.utils import Environment

from benchmarks.harness import Sample, at_least, at_most, emit, figure, interleaved, note, percentile
from benchmarks.projections_peer import NAME, PeerLog, PeerProjection, PeerView, dcb_event, runner, settings
from benchmarks.projections_telling import ours as ours_append
from benchmarks.projections_telling import peer as peer_append
from benchmarks.projections_telling import purchase, scattered
from event_store.identifiers import uuid7
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from events.envelope import Append
from operations.embedded import EmbeddedPostgres
from projections.progress import Progress
from projections.schema import ensure
from projections.validity import VALIDITY

BENCH = "projections"
LIBRARY = "eventsourcing ProjectionRunner, same table"
PER_APPEND = 1000
_numbers = count(1)
_PEER_TABLE = f"{NAME}_events_tt_main"
_OURS_LATENCY = """
    select extract(epoch from pg_xact_commit_timestamp(v.xmin) - pg_xact_commit_timestamp(e.xmin)) * 1000
    from views.validity_1 v join log.events e on e.position = v.known_from where v.key like %s
"""
_PEER_LATENCY = _OURS_LATENCY.replace("log.events e on e.position", f"{_PEER_TABLE} e on e.id")
_OURS_RUNNER = (
    "import sys; from operations.memory import settle_memory; from projections.runner import Runner; "
    "from projections.validity import VALIDITY; settle_memory(); Runner(sys.argv[1], (VALIDITY,)).run()"
)


def main(*, quick: bool = False) -> None:
    """Measure; `quick` is a smoke test."""
    events, theirs, seconds, rounds = (20_000, 2_000, 2.0, 2) if quick else (300_000, 10_000, 10.0, 5)
    options = {"track_commit_timestamp": "on", "max_wal_size": "8GB", "checkpoint_timeout": "1h"}
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="parkledger-bench-"))
        server = stack.enter_context(EmbeddedPostgres(Path(directory) / "server", options=options))
        catch_up(server, events, theirs, 3 if not quick else 1)
        mine, other = (prepared(server, whose) for whose in ("ours", "peer"))
        stack.enter_context(running("ours", mine))
        stack.enter_context(running("peer", other))
        for rate in (20, 500):
            freshness(mine, other, rate, seconds if rate > 100 else 2 * seconds, rounds)
        waiting(mine, other, 10 if quick else 50, rounds)


def prepared(server: EmbeddedPostgres, whose: str) -> str:
    """Return an empty database with the tables of both."""
    dsn = server.create(f"{whose}_{uuid4().hex[:8]}")
    migrate(dsn)
    ensure(dsn, (VALIDITY,))
    if whose == "peer":
        PeerLog(settings(dsn)).close()
    return dsn


def catch_up(
    server: EmbeddedPostgres, events: int, theirs: int, rounds: int, bench: str = BENCH, goal: float = 40
) -> None:
    """Fold a log of scattered events from its beginning; the library takes fewer, its rate is even."""
    mine, other = (prepared(server, whose) for whose in ("ours", "peer"))
    note(f"telling {events:,} scattered events")
    log = PostgresLog(mine)
    for batch in batched(scattered(events), PER_APPEND):
        log.append(Append(batch, uuid7()))
    log.close()
    with PeerLog(settings(other)) as peer:
        for batch in batched(scattered(theirs), PER_APPEND):
            peer.recorder.append([dcb_event(event) for event in batch])
    pairs = interleaved(lambda: _ours_caught_up(mine, events), lambda: _peer_caught_up(other, theirs), rounds)
    emit(
        figure(
            bench, f"catch-up of validity, {events:,} scattered events", pairs, "rate",
            unit="events/s", other_name=LIBRARY, goal=at_least(goal),
        )
    )  # fmt: skip


def _ours_caught_up(dsn: str, events: int) -> Sample:
    _empty(dsn, "UPDATE views.progress SET position = 0, recorded = NULL")
    process = subprocess.run(
        [sys.executable, "-c", _OURS_CATCH_UP, dsn], check=True, capture_output=True, text=True
    )
    return {"rate": events / float(process.stdout)}


_OURS_CATCH_UP = """
import sys, time
from operations.memory import settle_memory
from projections.runner import Runner
from projections.validity import VALIDITY
settle_memory()
began = time.perf_counter()
Runner(sys.argv[1], (VALIDITY,)).catch_up()
print(time.perf_counter() - began)
"""


def _peer_caught_up(dsn: str, events: int) -> Sample:
    _empty(dsn, "DROP TABLE IF EXISTS peerview_tracking, notification_tracking, validity_fold")
    began = time.perf_counter()
    with runner(dsn) as running_:
        running_.wait(events, timeout=600)
    return {"rate": events / (time.perf_counter() - began)}


def _empty(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE views.validity_1")
        connection.execute(statement.encode())
        connection.execute("CHECKPOINT")


@contextmanager
def running(whose: str, dsn: str) -> Iterator[None]:
    """Run the projection in a process of its own."""
    command = ["-c", _OURS_RUNNER, dsn] if whose == "ours" else ["-m", "benchmarks.projections_peer", dsn]
    with subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE) as process:
        try:
            time.sleep(2)
            yield
        finally:
            process.kill()


def freshness(mine: str, other: str, rate: int, seconds: float, rounds: int) -> None:
    """Tell facts at a steady rate and ask the server how long each took to be visible."""
    note(f"{rate} facts a second, {rounds} rounds of {seconds:g} s")
    pairs = interleaved(
        lambda: _told("ours", mine, rate, seconds), lambda: _told("peer", other, rate, seconds), rounds
    )
    for share in ("p50", "p99"):
        name = f"commit to visible at {rate}/s: {share}"
        emit(figure(BENCH, name, pairs, share, unit="ms", other_name=LIBRARY, goal=at_most(1.2)))


def _told(whose: str, dsn: str, rate: int, seconds: float) -> Sample:
    name = f"L{next(_numbers)}"
    command = ["-m", "benchmarks.projections_telling", whose, dsn, str(rate), str(seconds), name]
    subprocess.run([sys.executable, *command], check=True)
    expected = int(rate * seconds)
    statement = _OURS_LATENCY if whose == "ours" else _PEER_LATENCY
    with psycopg.connect(dsn) as connection:
        while True:
            found = [row[0] for row in connection.execute(statement.encode(), [f"permit:{name}-%"])]
            if len(found) >= expected:
                break
            time.sleep(0.2)
    took = [float(value) for value in found]
    return {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}


def waiting(mine: str, other: str, times: int, rounds: int) -> None:
    """Append and wait until the own write is visible."""
    note(f"waiting for one's own write, {rounds} rounds of {times}")
    factory = InfrastructureFactory[PeerView].construct(Environment(PeerProjection.name, settings(other)))
    view = factory.tracking_recorder(PeerView)
    append = peer_append(other)
    progress = Progress(mine)

    def theirs() -> Sample:
        took = []
        for number in range(times):
            position = append(purchase(f"W{next(_numbers)}", number))
            began = time.perf_counter()
            view.wait(NAME, int(str(position)), timeout=10)
            took.append((time.perf_counter() - began) * 1000)
        return {"p50": percentile(took, 0.5)}

    pairs = interleaved(lambda: asyncio.run(_waited(mine, progress, times)), theirs, rounds)
    inverse = [({"speed": 1 / a["p50"]}, {"speed": 1 / b["p50"]}) for a, b in pairs]
    emit(figure(BENCH, "waiting for one's own write: p50", pairs, "p50", unit="ms", other_name=LIBRARY))
    emit(
        figure(
            BENCH, "waiting for one's own write: times faster", inverse, "speed",
            unit="1/ms", other_name=LIBRARY, goal=at_least(10),
        )
    )  # fmt: skip
    progress.close()
    factory.close()


async def _waited(dsn: str, progress: Progress, times: int) -> Sample:
    append = ours_append(dsn)
    took = []
    for number in range(times):
        event = purchase(f"W{next(_numbers)}", number)
        appended = await asyncio.to_thread(append, event)
        began = time.perf_counter()
        await progress.wait("validity", appended.position, 10)  # type: ignore[attr-defined]
        took.append((time.perf_counter() - began) * 1000)
    return {"p50": percentile(took, 0.5)}


if __name__ == "__main__":
    main(quick="--quick" in sys.argv[1:])
