"""Every KPI says in DuckDB what recomputing it from the events says, whatever was known when."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from commands.kpis import Ratio
from event_store.archive import Archive, writing
from event_store.archive_hash import keyed
from event_store.archive_store import LocalStore
from event_store.log import Log
from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from events.base import Event
from events.envelope import Append
from projections.reports.archivist import Archivist
from projections.reports.asking import Question
from projections.reports.reporting import Reports
from replay.scenario.ask_kpis import KPIS
from replay.scenario.asking import NoSuchThing
from tests.commands.cases import t
from tests.projections.reports.stories import Story

HASHED = keyed(b"a key of this test")
NAMED_BY_PLAN = {"coverage", "plan_variance"}
TORONTO = "America/Toronto"


@dataclass
class Naive:
    """The question as a scenario file asks it: folded again from all events, without archive or SQL."""

    log: Log
    begin: datetime
    end: datetime
    position: int
    at: datetime

    @property
    def world(self) -> Any:
        return SimpleNamespace(log=self.log, scenario=SimpleNamespace(timezone=TORONTO))

    def given(self, name: str) -> bool:
        return name in {"from", "to"}

    def text(self, name: str) -> str:
        return self.instant(name).isoformat()

    def instant(self, name: str = "at") -> datetime:
        return {"from": self.begin, "to": self.end, "at": self.at}[name]

    def known(self) -> int:
        return self.position

    def answer(self, name: str) -> Any:
        try:
            found = KPIS[name](self)  # type: ignore[arg-type]
        except NoSuchThing:
            return None
        return found.value if isinstance(found, Ratio) else found


@contextmanager
def told(dsn: str, facts: list[Event]) -> Iterator[PostgresLog]:
    """Tell facts to a log whose clock stands a little after each of them."""
    simulate(dsn)
    log = PostgresLog(dsn)
    tell(log, facts)
    yield log
    log.close()


def tell(log: PostgresLog, facts: list[Event]) -> None:
    """Tell further facts, in this order."""
    now = t("2026-01-01")
    for fact in facts:
        now = max(now, fact.at) + timedelta(seconds=1)
        log.set_now(now)
        log.append(Append([fact], uuid4()))


def ours(reports: Reports, name: str, question: Question) -> Any:
    answer = reports.ask(name, question)
    if name == "findings_by_cause":
        return {row["part"]: row["value"] for row in answer.rows}
    if not answer.report.is_ratio:
        return sum(row["value"] for row in answer.rows)
    return answer.rows[0]["value"] if answer.rows else None


@pytest.mark.parametrize("seed", range(2, 4))
def test_a_report_says_what_folding_all_events_again_says(dsn: str, tmp_path: Path, seed: int) -> None:
    facts = Story(seed).told()
    with told(dsn, facts) as log:
        archive = Archive(LocalStore(tmp_path))
        head = log.head()
        with writing(dsn):  # a part is archived in small segments, the rest stays in the live tail
            archivist = Archivist(dsn, archive, HASHED, rows=head // 5)
            archivist.catch_up()
        with Reports(dsn, archive, HASHED) as reports:
            for share in (1.0, 0.75, 0.4):
                position = int(head * share)
                recorded = log.read(after=position - 1, upto=position).entries[0].recorded
                begin, end = t("2026-03-03"), t("2026-04-02")
                naive = Naive(log, begin, end, position, recorded)
                question = Question(begin, end, known=position, timezone=TORONTO)
                slow = set() if share == 0.75 else {"findings_by_cause"}
                for name in sorted(KPIS.keys() - NAMED_BY_PLAN - slow):
                    assert ours(reports, name, question) == naive.answer(name), (name, position)
