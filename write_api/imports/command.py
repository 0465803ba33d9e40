"""What `parkledger import` does on a database: shows progress, and says how it ended."""

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from event_store.bulk import Bulk
from event_store.postgres import PostgresLog
from write_api.imports.entering import Entering
from write_api.imports.importing import Result, bring
from write_api.imports.rejects import Rejects
from write_api.imports.rows import Options
from write_api.imports.source import UnusableFile

DONE, NOTHING_TAKEN, UNUSABLE = 0, 1, 2


def run(
    dsn: str, kind: str, files: Sequence[Path], options: Options, rejects: Path | None, *, as_json: bool
) -> int:
    """Import files and return the exit status: 0 done, 1 no row could be taken, 2 the file is unusable.

    Raises:
        LogUnavailable: if the log cannot be reached; run the import again.

    """
    where = rejects or Path(f"{files[0].name}.rejects.csv")
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks = {path: bars.add_task(path.name, total=None) for path in files}

    def progress(path: Path, done: int, size: int) -> None:
        bars.update(tasks[path], completed=done, total=size)

    log, bulk = PostgresLog(dsn), Bulk(dsn)
    try:
        with nullcontext() if as_json else bars:
            result = bring(kind, files, Entering(log, bulk.submit), Rejects(where), options, progress)
    except UnusableFile as reason:
        sys.stderr.write(f"parkledger: {reason}\n")
        return UNUSABLE
    finally:
        bulk.close()
        log.close()
    _say(result, where, as_json=as_json)
    return NOTHING_TAKEN if result.rejected and not result.taken + result.known_already else DONE


def _say(result: Result, where: Path, *, as_json: bool) -> None:
    if as_json:
        line = {
            "taken": result.taken,
            "rejected": result.rejected,
            "known_already": result.known_already,
            "seconds": result.seconds,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        return
    known = f", {result.known_already:,} were there already" if result.known_already else ""
    sys.stdout.write(f"{result.taken:,} rows taken{known}, in {result.seconds:.1f} s\n")
    if result.rejected:
        sys.stdout.write(f"{result.rejected:,} rows cannot be taken; {where} says why\n")
