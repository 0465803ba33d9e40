"""A simulated year of a town through the product at full speed, and whether what must be true of it is.

The size is a share of the whole (40,000 permits, 3 million reads, 60,000 citations, 9,000 appeals); the whole
takes the better part of an hour on two cores:

    TOWN_SCALE=1 parkledger bench town

Commands go through the real deciders, screens are answered by the real read models, automation acts every
night. There is no peer for that; what has a goal is that no check finds anything wrong.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Figure, alone, emit, note
from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from operations.embedded import EmbeddedPostgres
from operations.serving import migrate_all
from replay.town.checking import checks
from replay.town.simulated import Lived, Year
from replay.town.year import DAYS, Size, Town

BENCH = "town"
USUAL, QUICK = 0.1, 0.004
MOST = 500
"""Cases of a kind that are folded again at the end."""


def live(dsn: str, size: Size) -> tuple[Lived, float, int]:
    """Live the year; return what it came to, the seconds it took, and the events in the log."""
    begun = time.perf_counter()

    def told(day: int) -> None:
        if day % 30 == 29:
            note(f"day {day + 1}: {time.perf_counter() - begun:.0f} s")

    with Year(dsn, Town(size)) as year:
        lived = asyncio.run(year.live(told))
        return lived, time.perf_counter() - begun, year.log.head()


def figures(lived: Lived, seconds: float, events: int) -> None:
    """Print how fast the year went, and where the time went."""
    emit(
        alone(
            BENCH, "events of a year, deciding, answering and projecting", [events / seconds], unit="events/s"
        )
    )
    emit(alone(BENCH, "events", [events], unit="events"))
    for name in ("PurchasePermit", "camera reads", "IssueCitation", "FileAppeal", "AuthorisePayment"):
        emit(alone(BENCH, name, [lived.done[name]], unit="done"))
    for name, spent in lived.seconds.items():
        emit(alone(BENCH, f"seconds for {name}", [spent], unit="s"))
    emit(alone(BENCH, "refused by the rules", [lived.refused.total()], unit="commands"))


def checked(dsn: str) -> int:
    """Print what was checked; return how much is wrong."""
    log = PostgresLog(dsn)
    wrong = 0
    for check in checks(dsn, log, MOST):
        count = len(check.wrong)
        name = f"{check.name}: wrong of {check.looked_at:,}"
        emit(Figure(BENCH, name, count, None, None, "wrong", None, "<= 0", check.holds, 1))
        for one in check.wrong:
            note(one)
        wrong += count
    log.close()
    return wrong


def main() -> None:
    """Live the year and print its figures; exit status 1 if anything is wrong with what it left."""
    scale = float(os.environ.get("TOWN_SCALE", USUAL))
    days = int(os.environ.get("TOWN_DAYS", DAYS))
    size = Size(QUICK, 60) if "--quick" in sys.argv else Size(scale, days)
    note(f"{size.days} days at {size.scale:g} of the whole")
    with (
        tempfile.TemporaryDirectory(prefix="parkledger-town-") as directory,
        EmbeddedPostgres(Path(directory) / "postgres") as server,
    ):
        dsn = server.ensure("town")
        migrate_all(dsn)
        simulate(dsn)
        figures(*live(dsn, size))
        sys.exit(1 if checked(dsn) else 0)


if __name__ == "__main__":
    main()
