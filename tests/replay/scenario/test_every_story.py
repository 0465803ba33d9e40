"""Every scenario file of the project holds, each played on a real log with real read models."""

import threading
from pathlib import Path

import pytest

from replay.scenario.databases import Databases
from replay.scenario.running import files_of, run_file

ROOT = Path(__file__).parents[3]
OWN = files_of([ROOT / "tests" / "scenarios"])
SHARED = ROOT.parent / "shared" / "scenarios"


def hold(file: Path, databases: Databases) -> None:
    report = run_file(file, databases)
    assert report.unusable is None
    assert [f"line {v.line}: {v.question}: {v.sentence}" for v in report.verdicts if not v.holds] == []
    assert report.verdicts


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_a_story_holds(file: Path, databases: Databases) -> None:
    hold(file, databases)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared scenarios are not beside this checkout")
@pytest.mark.parametrize("file", files_of([SHARED]) if SHARED.is_dir() else [], ids=lambda file: file.stem)
def test_a_shared_story_holds(file: Path, databases: Databases) -> None:
    hold(file, databases)


def test_a_story_that_was_played_leaves_nobody_who_knocks_at_a_database_that_is_gone(
    databases: Databases,
) -> None:
    before = set(threading.enumerate())
    hold(OWN[0], databases)
    assert set(threading.enumerate()) <= before


def test_there_are_stories_of_every_area() -> None:
    assert len(OWN) >= 40
