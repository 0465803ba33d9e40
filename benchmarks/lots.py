"""What it costs to decide about a lot of bounded places with a long past, beside one with a short past.

Sessions begin in a lot of a hundred places, a minute after one another, as one ends each minute; and permits
of a full garage are asked for by who never had one, and by who had one in each of its terms.

    python -m benchmarks.lots [--quick]
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.harness import Figure, Sample, at_most, emit, figure, interleaved, note, percentile
from commands.decider import Command, Refusal
from commands.registry import COMMANDS
from event_store.bulk import Bulk
from event_store.identifiers import uuid7
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from events.base import Event
from events.envelope import Append, Origin
from events.permits import PermitPurchased, PermitTypeOffered
from events.sessions import SessionStarted
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened
from operations.embedded import EmbeddedPostgres
from write_api.deciding import Deciding

BENCH = "lots"
OPENED = datetime(2026, 1, 1, 13, tzinfo=UTC)
MINUTE, TERM = timedelta(minutes=1), timedelta(days=122)
STAY, PLACES, GARAGE = 95, 100, 1_000
ORIGIN = Origin("clerk", "import")
_numbers = count(1)


def run(*, quick: bool = False) -> list[Figure]:
    """Measure, print a line a figure, and return them."""
    long, short, rounds, each = (5_000, 500, 3, 20) if quick else (100_000, 1_000, 5, 100)
    with (
        tempfile.TemporaryDirectory(prefix="parkledger-bench-") as directory,
        EmbeddedPostgres(Path(directory) / "server") as server,
    ):
        note(f"filling a lot with {long:,} sessions, another with {short:,}, and a garage for three terms")
        old, young = (Lot(server.create(f"lot{sessions}"), parked(sessions)) for sessions in (long, short))
        garage = Lot(server.create("garage"), rented(3))
        sold = interleaved(
            lambda: old.measure(starts(old, each)), lambda: young.measure(starts(young, each)), rounds
        )
        again = interleaved(
            lambda: garage.measure(asked("A", each)), lambda: garage.measure(asked("N", each)), rounds
        )
        for lot in (old, young, garage):
            lot.close()
    return [
        emit(
            figure(
                BENCH, f"a session in a lot with {long:,} behind it: p50", sold, "p50_ms", unit="ms",
                other_name=f"in a lot with {short:,}", goal=None if quick else at_most(3),
            )
        ),
        emit(
            figure(
                BENCH, "a place in a full garage, by who had one in three terms: p50", again, "p50_ms",
                unit="ms", other_name="by who never had one", goal=at_most(2),
            )
        ),
    ]  # fmt: skip


class Lot:
    """A database with a past, and who decides on it."""

    def __init__(self, dsn: str, past: Iterable[Event]) -> None:
        """Tell the past."""
        migrate(dsn)
        events = list(past)
        with closing(Bulk(dsn)) as bulk:
            bulk.append([Append([event], uuid7(), origin=ORIGIN) for event in events])
        self.now = max(event.at for event in events)
        self._log = PostgresLog(dsn)
        self._runner = asyncio.Runner()
        self._deciding = self._runner.run(_made(self._log))

    def measure(self, commands: Iterable[Command]) -> Sample:
        """Return the median milliseconds that a command takes."""
        return self._runner.run(self._decided(list(commands)))

    async def _decided(self, commands: Sequence[Command]) -> Sample:
        took: list[float] = []
        for command in commands:
            began = time.perf_counter()
            with suppress(Refusal):
                await self._deciding.execute(COMMANDS[type(command).__name__], command, uuid7(), ORIGIN)
            took.append(time.perf_counter() - began)
        return {"p50_ms": percentile(took, 0.5) * 1000}

    def close(self) -> None:
        """Let go of the log."""
        self._deciding.close()
        self._runner.close()
        self._log.close()


async def _made(log: PostgresLog) -> Deciding:
    return Deciding(log)


def parked(sessions: int) -> Iterator[Event]:
    """Yield a lot, and a session that began in it in each minute since it was opened."""
    yield ZoneOpened(at=OPENED, zone="L", name="L", timezone="America/Toronto", capacity=PLACES)
    for number in range(sessions):
        at = OPENED + number * MINUTE
        yield SessionStarted(
            at=at, session=f"S{number}", plate=Plate(f"ON L{number % 5000:05}"), zone="L", start=at,
            until=at + STAY * MINUTE, channel="app",
        )  # fmt: skip


def starts(lot: Lot, many: int) -> Iterator[Command]:
    """Yield sessions that are to begin in the minutes that follow."""
    for _ in range(many):
        lot.now += MINUTE
        number = next(_numbers)
        said: dict[str, Any] = {
            "session": f"Q{number}",
            "plate": f"ON Q{number}",
            "zone": "L",
            "minutes": STAY,
        }
        yield COMMANDS["StartSession"].command(at=lot.now, **said)


def rented(terms: int) -> Iterator[Event]:
    """Yield a garage whose places the same accounts had in every term; the last one is under way."""
    yield ZoneOpened(at=OPENED, zone="G", name="G", timezone="America/Toronto")
    yield PermitTypeOffered(
        at=OPENED, permit_type="GARAGE", zones=("G",), price=Cents(100), term_days=TERM.days, capacity=GARAGE
    )
    for term in range(terms):
        for number in range(GARAGE):
            at = OPENED + term * TERM + number * MINUTE
            yield PermitPurchased(
                at=at, permit=f"P{term}-{number}", account=f"A{number}", permit_type="GARAGE",
                plates=(Plate(f"ON A{number:05}"),), zones=("G",), valid_from=at, valid_until=at + TERM,
            )  # fmt: skip


def asked(who: str, many: int) -> Iterator[Command]:
    """Yield what accounts `A…`, who had places, or `N…`, who had none, ask of the garage in the last term."""
    for _ in range(many):
        number = next(_numbers) % GARAGE
        said: dict[str, Any] = {"account": f"{who}{number}", "plates": [f"ON {who}{number:05}"]}
        at = OPENED + 2 * TERM + timedelta(days=10)
        yield COMMANDS["PurchasePermit"].command(
            at=at, permit=f"Q{next(_numbers)}", permit_type="GARAGE", **said
        )


if __name__ == "__main__":
    run(quick="--quick" in sys.argv)
