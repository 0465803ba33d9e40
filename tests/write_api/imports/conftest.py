"""Imports under test: small made-up files, into a log in memory or on PostgreSQL."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from event_store.memory import MemoryLog
from events.base import Event
from write_api.imports.entering import Entering
from write_api.imports.importing import Result, bring
from write_api.imports.rejects import Rejects
from write_api.imports.rows import Options

type Import = Callable[..., "Done"]


@dataclass(frozen=True)
class Done:
    """What an import came to, and what stands in the log after it."""

    result: Result
    events: list[Event]
    reasons: list[tuple[int, str]]

    def only(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def memory() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def import_(memory: MemoryLog, tmp_path: Path) -> Import:
    """Import a file of this content: `import_("permits", "permit,…\\n", timezone="America/Toronto")`."""

    def imported(kind: str, content: str | bytes, name: str = "file.csv", **options: object) -> Done:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        rejects = Rejects(tmp_path / "rejects.csv")
        result = bring(kind, [file], Entering(memory), rejects, Options(**options))
        return Done(result, [entry.event for entry in memory.read().entries], _reasons(rejects.path))

    return imported


def _reasons(path: Path) -> list[tuple[int, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]
