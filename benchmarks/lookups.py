"""Validity look-ups over HTTP: the real read API, rules and tokens and all, beside plain FastAPI.

Both are served by uvicorn from one process on one database of 50,000 permits; the same clients ask the same
questions of one and then the other.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from benchmarks.harness import Figure, Sample, at_least, at_most, emit, figure, interleaved, note
from benchmarks.http import served
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from events.base import Event
from events.envelope import Append
from events.permits import PermitPurchased
from events.vocabulary import Plate
from events.zones import ZoneOpened
from operations.embedded import EmbeddedPostgres
from operations.identity import Role
from operations.keys import mint
from operations.settings import Settings
from projections.registry import PROJECTIONS
from projections.runner import Runner

BENCH = "lookups"
CLIENTS = 16
ZONES = 20
PER_APPEND = 200
ASKED = "validity over HTTP, 16 clients"
PEER = "FastAPI, response model, psycopg pool"
FIGURES = (("rate", "1/s", at_least(1.5)), ("p99_ms", "ms", at_most(0.25)), ("p50_ms", "ms", None))


def run(*, quick: bool = False) -> list[Figure]:
    """Measure, print a line a figure, and return them."""
    rounds, seconds, permits = (3, 3.0, 10_000) if quick else (7, 6.0, 50_000)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parkledger-bench-")))
        cluster = stack.enter_context(EmbeddedPostgres(root / "postgres"))
        settings = Settings(data=root, dsn=cluster.ensure("town"))
        note(f"{permits} permits")
        _settle(str(settings.dsn), permits)
        ours = stack.enter_context(served(ours_command, settings, root / "ours.log"))
        peer = stack.enter_context(served(peer_command, settings, root / "peer.log"))
        requests = root / "requests.txt"
        requests.write_text("\n".join(map(json.dumps, questions(settings, permits))))
        note(f"{rounds} rounds of {seconds:g} s each")
        pairs = interleaved(
            lambda: _asked(ours, seconds, requests), lambda: _asked(peer, seconds, requests), rounds
        )
    return [
        emit(figure(BENCH, f"{ASKED}: {what}", pairs, what, unit=unit, other_name=PEER, goal=goal))
        for what, unit, goal in FIGURES
    ]


def ours_command(number: int, _: Settings) -> Sequence[str]:
    """Return the command that serves the read API, as the supervisor runs it."""
    return [sys.executable, "-m", "operations", "serve", "read-api", f"--socket={number}"]


def peer_command(number: int, settings: Settings) -> Sequence[str]:
    """Return the command that serves the peer."""
    return [sys.executable, "-m", "benchmarks.lookups_peer", str(number), str(settings.dsn)]


def questions(settings: Settings, permits: int) -> list[str]:
    """Return the header that all requests carry, and 5,000 questions, a fifth about unknown plates."""
    header = f"authorization: Bearer {mint(settings, Role.DEVICE)}"
    asked = (number * 7919 % (permits * 5 // 4) for number in range(5000))
    return [header, *(f"/v1/validity?plate=ON+{plate_number(n)}&zone=Z{n % ZONES}" for n in asked)]


def plate_number(number: int) -> str:
    """Return a plate's number of four letters and three digits, the same for the same number."""
    mixed = number * 1_000_003 % (26**4 * 1000)
    letters, digits = divmod(mixed, 1000)
    word = "".join(chr(ord("A") + letters // 26**place % 26) for place in range(4))
    return f"{word}{digits:03}"


def _settle(dsn: str, permits: int) -> None:
    """Fill the log with permits that hold now, and bring the read models up to it."""
    migrate(dsn)
    now = datetime.now(UTC)
    zones = [
        ZoneOpened(at=now, zone=f"Z{n}", name=f"Zone {n}", timezone="America/Toronto") for n in range(ZONES)
    ]
    bought = [_permit(number, now) for number in range(permits)]
    log = PostgresLog(dsn)
    try:
        events: list[Event] = [*zones, *bought]
        pending = [
            log.submit(Append(events[at : at + PER_APPEND], uuid4()))
            for at in range(0, len(events), PER_APPEND)
        ]
        for one in pending:
            one.result()
    finally:
        log.close()
    Runner(dsn, PROJECTIONS).catch_up()


def _permit(number: int, now: datetime) -> PermitPurchased:
    return PermitPurchased(
        at=now,
        permit=f"T-{number}",
        zones=(f"Z{number % ZONES}",),
        plates=(Plate(f"ON {plate_number(number)}"),),
        valid_from=now,
        valid_until=now + timedelta(days=30),
    )


def _asked(port: int, seconds: float, requests: Path) -> Sample:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.asking", str(port), str(CLIENTS), str(seconds), str(requests)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.stderr:
        note(done.stderr)
    done.check_returncode()
    found: dict[str, float] = json.loads(done.stdout)
    if found["refused"]:
        raise RuntimeError(f"{found['refused']:g} look-ups were refused")
    return found


if __name__ == "__main__":
    run(quick="--quick" in sys.argv[1:])
