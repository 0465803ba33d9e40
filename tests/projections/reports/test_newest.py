"""What is kept of the archive in memory says what its files say, whatever was archived and told when."""

from contextlib import closing
from itertools import batched, cycle, islice, product
from pathlib import Path
from typing import Any

import pytest

from event_store.archive import Archive, writing
from event_store.archive_store import LocalStore
from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from projections.reports import newest
from projections.reports.archivist import Archivist
from projections.reports.asking import Question
from projections.reports.catalogue import FINDINGS
from projections.reports.catalogue import reports as catalogue
from projections.reports.reporting import Reports
from tests.commands.cases import t
from tests.projections.reports.stories import Story
from tests.projections.reports.test_kpis import HASHED, TORONTO, tell, told

STANDING = ("citations", "permit_payments", "sessions", "zones", "corrections")


def stands(reports: Reports, question: Question, *, lasting: bool) -> dict[str, list[str]]:
    """All rows of the views that rest on what is newest, as text, in an order of their own."""
    found: dict[str, list[str]] = {}
    with reports.session(question, lasting=lasting) as (session, _):
        for view in STANDING:
            columns = ", ".join(sorted(f'"{name}"' for name in session.sql(f"from {view}").columns))
            rows = session.execute(f"select {columns} from {view}").fetchall()
            found[view] = sorted(str((columns, row)) for row in rows)
    return found


def test_memory_and_files_say_the_same(dsn: str, tmp_path: Path) -> None:
    with told(dsn, Story(4).told()) as log:
        head = log.head()
        archive = Archive(LocalStore(tmp_path))
        with Reports(dsn, archive, HASHED) as reports:
            for share in (0, 0.3, 0.9, 1):
                write(dsn, archive, int(head * share), head // 8)
                for at in (None, t("2026-03-20"), t("2027-01-01")):
                    question = Question(at=at)
                    kept = stands(reports, question, lasting=False)
                    assert kept == stands(reports, question, lasting=True), (share, at)
            assert all(kept.values())


@pytest.mark.parametrize("seed", range(6, 8))
def test_every_report_says_the_same_from_memory_and_from_files(
    dsn: str, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "MANY", 3)  # so that tables are made anew often
    facts = Story(seed).told()
    periods = [
        (None, None),
        (t("2026-03-03"), t("2026-04-02")),
        (t("2026-03-11 14:20:00"), t("2026-03-12 09:10:00")),
        (t("2026-04-01"), None),
    ]
    narrowed: list[dict[str, Any]] = [
        {},
        {"by": "zone"},
        {"by": "lot"},
        {"by": "day"},
        {"lot": "North"},
        {"zone": "F"},
    ]
    archive = Archive(LocalStore(tmp_path))
    simulate(dsn)
    with closing(PostgresLog(dsn)) as log, Reports(dsn, archive, HASHED) as reports:
        asked = cycle(product(narrowed, periods))
        for turn, some in enumerate(batched(facts, len(facts) // 5 + 1)):
            tell(log, list(some))
            for words, (begin, end) in islice(asked, 3):
                assert differing(reports, Question(begin, end, timezone=TORONTO, **words)) == []
            if turn in {1, 3}:
                write(dsn, archive, log.head() - 5, len(facts) // 7)
                assert differing(reports, Question(*periods[1], timezone=TORONTO)) == []


def differing(reports: Reports, question: Question) -> list[str]:
    """The reports that say something else from memory than from the archive's files and the tail."""
    found = []
    for name, report in catalogue().items():
        if name == FINDINGS or (question.by is not None and question.by not in report.parts):
            continue
        rows = []
        for lasting in (False, True):
            with reports.session(question, lasting=lasting) as (session, _):
                rows.append(session.execute(report.sql).fetchall())
        if rows[0] != rows[1]:
            found.append(f"{name}, {question}: {rows}")
    return found


def test_a_question_is_answered_from_one_state_of_archive_and_tail(dsn: str, tmp_path: Path) -> None:
    with told(dsn, Story(5).told()) as log:
        archive = Archive(LocalStore(tmp_path))
        counted = "select (select count(*) from events), (select count(*) from citations)"
        with Reports(dsn, archive, HASHED) as reports, reports.session(Question()) as (session, _):
            before = session.execute(counted).fetchone()
            write(dsn, archive, log.head(), log.head() // 3)
            assert reports.refresh() == log.head()
            assert session.execute(counted).fetchone() == before
            with reports.session(Question()) as (later, _):
                assert later.execute(counted).fetchone() == before


def write(dsn: str, archive: Archive, upto: int, rows: int) -> int:
    """Archive at least so far, and return how far it went."""
    with writing(dsn):
        return Archivist(dsn, archive, HASHED, rows=rows).catch_up(upto=upto).upto
