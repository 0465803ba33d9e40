"""Is memory flat while a million plate reads come in? Each process against itself, early and late.

The import and the projector beside it are sampled while `parkledger import` takes a file made here. A figure
is the highest resident memory of the last quarter of the run against that of the second quarter: the first
fills caches.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psutil

from benchmarks.harness import alone, at_most, emit, figure, note
from operations.embedded import EmbeddedPostgres
from operations.serving import migrate_all
from operations.settings import Settings

BENCH = "imports"
ROWS, QUICK_ROWS = 1_000_000, 50_000
FLAT = at_most(1.15)
EVERY = 0.25
"""Seconds between two samples."""
MEGABYTE = 1024 * 1024


def write_reads(path: Path, rows: int) -> None:
    """Write a CSV of plate reads: 200,000 plates, nine devices, a read a second."""
    random = Random(1)  # noqa: S311
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["read", "at", "plate", "region", "zone", "device"])
        for number in range(rows):
            at = (begun + timedelta(seconds=number)).isoformat()
            plate = f"K{random.randrange(200_000):06d}"
            writer.writerow([f"R-{number}", at, plate, "ON", f"Z{number % 40}", f"D{number % 9}"])


def sampled(processes: dict[str, psutil.Process], running: subprocess.Popen[bytes]) -> dict[str, list[float]]:
    """Return the resident megabytes of each process, sampled until the run ends."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    while running.poll() is None:
        for name, process in processes.items():
            try:
                found[name].append(process.memory_info().rss / MEGABYTE)
            except psutil.NoSuchProcess:
                break
        time.sleep(EVERY)
    return dict(found)


def measure(root: Path, rows: int) -> tuple[dict[str, list[float]], float]:
    """Import `rows` reads with a projector beside it; return the samples and the seconds it took."""
    source = root / "reads.csv"
    write_reads(source, rows)
    with EmbeddedPostgres(root / "postgres") as server:
        settings = Settings(data=root, dsn=server.ensure("bench"), log_level="error")
        migrate_all(settings.dsn or "")
        environment = os.environ | settings.environment()
        command = [sys.executable, "-P", "-m", "operations"]
        projector = subprocess.Popen([*command, "serve", "projector"], env=environment)
        try:
            begun = time.monotonic()
            taking = subprocess.Popen(
                [*command, "import", "plate-reads", str(source), "--timezone", "America/Toronto"],
                env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            watched = {"import": psutil.Process(taking.pid), "projector": psutil.Process(projector.pid)}
            samples = sampled(watched, taking)
            if taking.returncode:
                raise RuntimeError(f"the import ended with status {taking.returncode}")
            return samples, time.monotonic() - begun
        finally:
            projector.terminate()
            projector.wait()


def main() -> None:
    """Print the figures."""
    rows = QUICK_ROWS if "--quick" in sys.argv else ROWS
    note(f"importing {rows:,} reads")
    with tempfile.TemporaryDirectory(prefix="parkledger-bench-") as directory:
        samples, seconds = measure(Path(directory), rows)
    emit(alone(BENCH, "plate reads taken from CSV", [rows / seconds], unit="rows/s"))
    for name, values in samples.items():
        quarter = max(1, len(values) // 4)
        late, early = max(values[-quarter:]), max(values[quarter : 2 * quarter] or values)
        emit(
            figure(
                BENCH,
                f"memory of the {name}, last quarter against second",
                [({"rss": late}, {"rss": early})],
                "rss",
                unit="MB",
                other_name="itself, earlier",
                goal=FLAT,
            )
        )


if __name__ == "__main__":
    main()
