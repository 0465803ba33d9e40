"""Stories under test: on databases of the test run's own cluster."""

from collections.abc import Callable
from pathlib import Path

import pytest

from operations.embedded import EmbeddedPostgres
from replay.scenario.databases import Databases
from replay.scenario.running import Report, run_file

type Write = Callable[[str], Path]
type Play = Callable[[str], Report]


@pytest.fixture(scope="session")
def databases(cluster: EmbeddedPostgres) -> Databases:
    return Databases.on(cluster)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a scenario file, in a folder of this test alone."""

    def written(text: str) -> Path:
        file = tmp_path / "case.yaml"
        file.write_text(text)
        return file

    return written


@pytest.fixture
def play(write: Write, databases: Databases) -> Play:
    """Play a scenario that is written in the test."""
    return lambda text: run_file(write(text), databases)
