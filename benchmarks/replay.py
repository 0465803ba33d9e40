"""The log again: rebuilding, reading meanwhile, asking as of any moment, and verifying what screens showed.

Logs are filled with the same mixed events (`benchmarks.mixed`). Rates of the library's runner are of fewer
events: it takes each in a transaction of its own, and its rate is even.

    python -m benchmarks.replay [--quick] [--events N] [--large N]
"""

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import replay_reading, replay_rebuilding
from benchmarks.harness import note
from benchmarks.mixed import tell
from benchmarks.projections import catch_up
from operations.embedded import EmbeddedPostgres
from operations.serving import migrate_all

BENCH = "replay"
EVENTS, LARGE, SMALL = 1_000_000, 5_000_000, 100_000
QUICK = (20_000, 40_000, 10_000)


def main() -> None:
    """Measure; `--quick` is a smoke test."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--events", type=int, help="Events that are rebuilt from.")
    parser.add_argument("--large", type=int, help="Events of the log that is asked as of a moment.")
    asked = parser.parse_args()
    events, large, small = QUICK if asked.quick else (EVENTS, LARGE, SMALL)
    events, large = asked.events or events, asked.large or large
    options = {"max_wal_size": "16GB", "checkpoint_timeout": "1h", "shared_buffers": "512MB"}
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="parkledger-bench-"))
        server = stack.enter_context(EmbeddedPostgres(Path(directory) / "server", options=options))
        rounds, theirs = 1 if asked.quick else 3, max(2_000, events // 100)
        catch_up(server, events // 4, theirs, rounds, bench=BENCH, goal=50)
        office = filled(server, "office", events)
        replay_rebuilding.rebuilding(server, office, events, theirs, rounds)
        replay_rebuilding.together(office, events, rounds)
        replay_rebuilding.verifying(office, rounds)
        seconds = 2.0 if asked.quick else 6.0
        replay_reading.meanwhile(Path(directory), office, seconds, rounds)
        lots, few = filled(server, "large", large), filled(server, "small", small)
        replay_reading.as_of(Path(directory), lots, few, large, small, seconds, rounds)


def filled(server: EmbeddedPostgres, name: str, events: int) -> str:
    """Return a database whose log holds so many mixed events."""
    note(f"telling {events:,} mixed events")
    dsn = server.create(name)
    migrate_all(dsn)
    tell(dsn, events)
    return dsn


if __name__ == "__main__":
    main()
