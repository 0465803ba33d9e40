"""What is kept of the archive in memory says what its files say, whatever was archived and told when."""

from pathlib import Path

from event_store.archive import Archive, writing
from event_store.archive_store import LocalStore
from projections.reports.archivist import Archivist
from projections.reports.asking import Question
from projections.reports.reporting import Reports
from tests.commands.cases import t
from tests.projections.reports.stories import Story
from tests.projections.reports.test_kpis import HASHED, told

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
                archived = write(dsn, archive, int(head * share), head // 8)
                for known in (head, (head + archived) // 2, archived, archived // 2):
                    for at in (None, t("2026-03-20")):
                        question = Question(known=known, at=at)
                        kept = stands(reports, question, lasting=False)
                        assert kept == stands(reports, question, lasting=True), (share, known, at)
            assert all(kept.values())


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
