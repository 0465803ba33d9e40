"""Possible matches among a million permitted plates, beside the exact look-up: what a misread costs.

Both ask the read model's own desk over one connection, a question at a time. The exact ones are of permitted
plates; the others are the same plates with a character lost or taken for its look-alike, which nobody holds.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any
from uuid import uuid4

from psycopg import Connection

from benchmarks.harness import Figure, Sample, at_most, emit, figure, interleaved, note, percentile
from benchmarks.lookups import plate_number
from commands.confusable import GROUPS, filed_under
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from events.envelope import Append
from events.vocabulary import Plate
from events.zones import ZoneOpened
from operations.embedded import EmbeddedPostgres
from projections import schema
from projections.connection import connect
from projections.near_plates import NEAR_PLATES
from projections.table import OPEN
from projections.validity import VALIDITY
from projections.validity_answers import Question, ValidityDesk
from projections.writing import copy_rows

EXACT = "exact look-up of a permitted plate"
ASKED = 2_000
ZONE = "F"
_NOW = datetime(2026, 3, 5, 14, tzinfo=UTC)
_TOGETHER = 20_000


def run(bench: str, *, quick: bool = False) -> list[Figure]:
    """Measure, print a line a figure, and return them."""
    permits, rounds = (50_000, 3) if quick else (1_000_000, 7)
    with (
        tempfile.TemporaryDirectory(prefix="parkledger-bench-") as root,
        EmbeddedPostgres(Path(root) / "postgres") as cluster,
    ):
        dsn = cluster.create("plates")
        _fill(dsn, permits)
        note(f"{permits:,} permitted plates, {rounds} rounds of {ASKED} questions each")
        with connect(dsn) as connection:
            pairs = _measured(connection, permits, rounds)
    return [
        emit(
            figure(
                bench,
                f"possible-match look-up: {what}",
                pairs,
                what,
                unit="ms",
                other_name=EXACT,
                goal=at_most(5) if what == "p99_ms" else None,
            )
        )
        for what in ("p99_ms", "p50_ms")
    ]


def _measured(connection: Connection[Any], permits: int, rounds: int) -> list[tuple[Sample, Sample]]:
    chance, desk = Random(20260305), ValidityDesk()  # noqa: S311 - the same plates in every run
    held = [plate_number(chance.randrange(permits)) for _ in range(ASKED)]
    wrong = [_misread(number, chance) for number in held]
    for numbers in (held, wrong):
        _asked(connection, desk, numbers)
    return interleaved(
        lambda: _asked(connection, desk, wrong), lambda: _asked(connection, desk, held), rounds
    )


def _misread(number: str, chance: Random) -> str:
    """Return a number with a character lost, or one taken for its look-alike."""
    at = chance.randrange(len(number))
    alike = [c for group in GROUPS if number[at] in group for c in group if c != number[at]]
    return number[:at] + (chance.choice(alike) if alike and chance.random() < 0.5 else "") + number[at + 1 :]


def _asked(connection: Connection[Any], desk: ValidityDesk, numbers: Sequence[str]) -> Sample:
    took: list[float] = []
    for number in numbers:
        question = Question(f"ON {number}", ZONE, _NOW)
        began = perf_counter()
        desk.answer(connection, [question])
        took.append((perf_counter() - began) * 1000)
    return {"p99_ms": percentile(took, 0.99), "p50_ms": percentile(took, 0.5)}


def _fill(dsn: str, permits: int) -> None:
    """Fill the two models as folding so many permits would; the log holds one event, which they stand at."""
    migrate(dsn)
    schema.ensure(dsn)
    log = PostgresLog(dsn)
    log.append(Append([ZoneOpened(at=_NOW, zone=ZONE, name=ZONE, timezone="UTC")], uuid4()))
    log.close()
    with connect(dsn) as connection:
        for numbers in batched(range(permits), _TOGETHER):
            plates = [f"ON {plate_number(number)}" for number in numbers]
            copy_rows(connection, VALIDITY, list(_rights(plates)))
            copy_rows(connection, NEAR_PLATES, list(_near(plates)))
        connection.execute("UPDATE views.progress SET position = 1, recorded = clock_timestamp()")
        connection.execute("ANALYZE")


def _rights(plates: Sequence[str]) -> Iterator[Sequence[Any]]:
    since, until = _NOW - timedelta(days=1), _NOW + timedelta(days=30)
    for plate in plates:
        yield f"permit:{plate}", 1, 0, OPEN, "permit", plate, plate, ZONE, since, until, "expiry"


def _near(plates: Sequence[str]) -> Iterator[Sequence[Any]]:
    for plate in plates:
        for part, key in enumerate(sorted(filed_under(Plate(plate)))):
            yield f"plate:{plate}", 1, part, OPEN, key, plate
