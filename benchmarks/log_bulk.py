"""The import path against raw COPY: the same rows into the same tables, ready-made and without a check.

Ours encodes, seals and digests the reads, looks their command ids up, takes the writer lock, copies, proves
that no position is missing and gives a notice, in batches of ten thousand. The other only copies what was
encoded and sealed before the clock started, in transactions of the same size.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from itertools import batched
from uuid import uuid4

import psycopg

from benchmarks.harness import Sample, at_least, emit, figure, interleaved
from event_store.bulk import SIZE, Bulk
from event_store.codec import Codec
from event_store.copying import COPY_EVENTS, COPY_TAGS, Ready, copy, event_rows, tag_rows
from event_store.identifiers import uuid7
from event_store.migrations import migrate
from event_store.waiting import Answer
from events.envelope import Append, Origin
from events.reads import PlateRead
from events.vocabulary import Plate
from events.zones import ZoneOpened
from operations.embedded import EmbeddedPostgres
from operations.memory import settle_memory

START = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin("import", "import")


def history(size: int) -> list[Append]:
    """Return plate reads of a city's afternoon, each under its own command id."""
    reads = (
        PlateRead(
            at=START + timedelta(seconds=n),
            read=f"file:{n}",
            plate=Plate(f"ZZ {n * 7919 % 65536:016X}"),
            zone=f"B-{n % 400}",
            device=f"V-{n % 12}",
        )
        for n in range(size)
    )
    return [Append([read], uuid7(), origin=ORIGIN, fingerprint=b"f" * 32) for read in reads]


def _zones() -> list[Append]:
    """Return the zones that the reads are of."""
    names = (f"B-{n}" for n in range(400))
    zones = [ZoneOpened(at=START, zone=name, name=name, timezone="America/Los_Angeles") for name in names]
    return [Append([zone], uuid7(), origin=ORIGIN) for zone in zones]


def through_bulk(dsn: str, appends: Sequence[Append]) -> Sample:
    """Return `rate` in events a second of our import path."""
    way_in = Bulk(dsn)
    settle_memory()  # as the command does
    started = time.perf_counter()
    coming: list[Future[list[Answer]]] = [way_in.submit(batch) for batch in batched(appends, SIZE)]
    for answers in coming:
        answers.result()
    seconds = time.perf_counter() - started
    way_in.close()
    return {"rate": len(appends) / seconds}


def through_copy(dsn: str, appends: Sequence[Append]) -> Sample:
    """Return `rate` in events a second of copying ready-made rows."""
    recorded, codec = datetime.now(UTC), Codec.of(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set parkledger.appending = 'on'")
        row = connection.execute("select coalesce(max(position), 0) from log.events").fetchone()
        head = row[0] if row else 0
        ready = [(head + n, Ready(append, codec)) for n, append in enumerate(appends)]
        parts = [
            (b"".join(event_rows(part, recorded)), b"".join(tag_rows(part))) for part in batched(ready, SIZE)
        ]
        started = time.perf_counter()
        for events, tags in parts:
            with connection.transaction():
                copy(connection, COPY_EVENTS, [events])
                copy(connection, COPY_TAGS, [tags])
        return {"rate": len(appends) / (time.perf_counter() - started)}


def measure(server: EmbeddedPostgres, size: int, rounds: int) -> None:
    """Print the rate of the import path against that of raw COPY."""
    ours, raw = (server.create(f"{name}_{uuid4().hex[:8]}") for name in ("bulk", "raw"))
    for dsn in (ours, raw):
        migrate(dsn)
        through_bulk(dsn, _zones())
        through_copy(dsn, history(SIZE))
    pairs = interleaved(
        lambda: through_bulk(ours, history(size)), lambda: through_copy(raw, history(size)), rounds
    )
    name = f"bulk append of plate reads, {size:,} a round: rate"
    emit(
        figure(
            "log",
            name,
            pairs,
            "rate",
            unit="events/s",
            other_name="raw COPY, same tables",
            goal=at_least(0.6),
        )
    )
