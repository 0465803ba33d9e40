"""A story that is kept stays loaded, and its log goes on in real time."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from event_store.postgres import PostgresLog
from events.envelope import Append
from events.zones import ZoneOpened
from operations.serving import database
from operations.settings import Settings
from replay.scenario.databases import Databases
from replay.scenario.running import run_file

STORY = """
scenario: a case
story:
  - {id: r, at: 2026-03-05T09:00:00-05:00, fact: PlateRead, plate: ON CKTR482, zone: F}
expect:
  - count: {event: PlateRead}
    is: 1
"""


def test_a_kept_story_can_be_served(tmp_path: Path, write: Callable[[str], Path]) -> None:
    settings = Settings(data=tmp_path / "office")
    with Databases.kept(settings) as databases:
        report = run_file(write(STORY), databases)
        assert report.kept_in == "scenario_case"
        kept = settings.model_copy(update={"database": report.kept_in})
        with database(kept) as dsn:
            log = PostgresLog(dsn)
            before = log.head()
            begun = datetime.now(UTC)
            opened = ZoneOpened(at=begun, zone="Z", name="Z", timezone="UTC")
            appended = log.append(Append([opened], uuid4()))
            log.close()
    assert before >= 2
    assert appended.recorded >= begun
