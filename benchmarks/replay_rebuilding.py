"""How fast read models are rebuilt and screens verified, beside the library's runner and reading alone."""

import subprocess
import sys
import time
from itertools import islice
from uuid import uuid4

from benchmarks.harness import Sample, alone, at_least, at_most, emit, figure, interleaved, note
from benchmarks.mixed import Office
from benchmarks.projections_peer import PeerLog, dcb_event, runner, settings
from event_store.migrations import migrate
from operations.embedded import EmbeddedPostgres
from projections.registry import PROJECTIONS
from projections.schema import ensure
from projections.validity import VALIDITY
from replay.verify import verify

BENCH = "replay"
LIBRARY = "eventsourcing ProjectionRunner, same table"
READING = "reading the log alone, keyset pages of raw rows"
PER_APPEND = 1000

_REBUILD = """
import sys
from operations.memory import settle_memory
from projections.registry import PROJECTIONS
from replay.rebuild import Rebuild
settle_memory()
chosen = [model for model in PROJECTIONS if model.name in sys.argv[2:]]
print(max(o.seconds for o in Rebuild(sys.argv[1], chosen, digest=False, processes=None).run()))
"""
_READ = """
import sys, time
from event_store.reading import head, pages
from operations.memory import settle_memory
from projections.connection import connect
settle_memory()
with connect(sys.argv[1]) as connection:
    began = time.perf_counter()
    count = sum(len(page) for page in pages(connection, 0, head(connection), None, 20_000))
print(time.perf_counter() - began)
"""


def timed(script: str, *arguments: str) -> float:
    """Return the seconds that a script in a process of its own prints."""
    command = [sys.executable, "-c", script, *arguments]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def reading(dsn: str) -> float:
    """Return the seconds in which the whole log is read, and nothing done with it."""
    return timed(_READ, dsn)


def rebuilding(server: EmbeddedPostgres, dsn: str, events: int, theirs: int, rounds: int) -> None:
    """Rebuild validity from the whole log."""
    other = server.create(f"peer_{uuid4().hex[:8]}")
    migrate(other)
    ensure(other, (VALIDITY,))
    told = list(Office().events(theirs))
    with PeerLog(settings(other)) as peer:
        rest = iter(told)
        while batch := list(islice(rest, PER_APPEND)):
            peer.recorder.append([dcb_event(event) for event in batch])
    note(f"{rounds} rounds of rebuilding validity")

    def ours() -> Sample:
        return {"rate": events / timed(_REBUILD, dsn, "validity")}

    pairs = interleaved(ours, lambda: _peer(other, theirs), rounds)
    what = f"rebuild of validity from {events:,} mixed events"
    emit(figure(BENCH, what, pairs, "rate", unit="events/s", other_name=LIBRARY, goal=at_least(150)))
    pairs = interleaved(ours, lambda: {"rate": events / reading(dsn)}, rounds)
    emit(figure(BENCH, what, pairs, "rate", unit="events/s", other_name=READING, goal=at_least(0.35)))


def together(dsn: str, events: int, rounds: int) -> None:
    """Rebuild all models in one pass, and the slowest of them alone."""
    names = [model.name for model in PROJECTIONS]
    took = {name: timed(_REBUILD, dsn, name) for name in names}
    slowest = max(took, key=lambda name: took[name])
    note(", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items()))
    pairs = interleaved(
        lambda: {"seconds": timed(_REBUILD, dsn, *names)},
        lambda: {"seconds": timed(_REBUILD, dsn, slowest)},
        rounds,
    )
    alone_ = f"{slowest} alone"
    what = f"all {len(names)} models in one pass, {events:,} events"
    emit(figure(BENCH, what, pairs, "seconds", unit="s", other_name=alone_, goal=at_most(2.5)))


def verifying(dsn: str, rounds: int) -> None:
    """Recompute every answer that a screen showed."""
    found = [verify(dsn) for _ in range(rounds)]
    rates = [one.answers / one.seconds for one in found]
    shares = [1 - len(one.differing) / max(one.answers, 1) for one in found]
    emit(alone(BENCH, f"screen answers verified, of {found[0].answers:,}", rates, unit="1/s"))
    pairs = [({"share": share}, {"share": 1.0}) for share in shares]
    emit(
        figure(
            BENCH, "share of the screen answers that agrees", pairs,
            "share", unit="", other_name="all", goal=at_least(1.0),
        )
    )  # fmt: skip


def _peer(dsn: str, events: int) -> Sample:
    from benchmarks.projections import _empty  # noqa: PLC0415 - it imports this module's neighbours

    _empty(dsn, "DROP TABLE IF EXISTS peerview_tracking, notification_tracking, validity_fold")
    began = time.perf_counter()
    with runner(dsn) as running:
        running.wait(events, timeout=600)
    return {"rate": events / (time.perf_counter() - began)}
