"""An answer is remembered for as long as asking again would say the same, and no longer."""

import os
import shutil
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from event_store.archive import Archive, writing
from event_store.archive_manifest import BrokenArchive
from event_store.archive_store import LocalStore
from event_store.log import Log
from event_store.postgres import PostgresLog
from events.appeals import AppealDecided, AppealFiled
from events.citations import CitationVoided
from events.envelope import Append
from projections.reports.archivist import Archivist
from projections.reports.asking import Question
from projections.reports.calm import NICENESS, Calm
from projections.reports.reporting import Reports
from tests.commands.cases import cents, cited, seen, t
from tests.projections.reports.test_kpis import HASHED

MARCH = Question(t("2026-03-01"), t("2026-04-01"))
FINE = {"fine": cents(6000)}


def reports_over(dsn: str, root: Path) -> Reports:
    return Reports(dsn, Archive(LocalStore(root)), HASHED)


def archived(dsn: str, root: Path) -> None:
    with writing(dsn):
        Archivist(dsn, Archive(LocalStore(root)), HASHED, rows=2).catch_up()


def test_the_same_question_has_the_same_answer_until_something_happens(
    log: Log, dsn: str, tmp_path: Path
) -> None:
    log.append(Append([cited("2026-03-05", "C-1", **FINE)], uuid4()))
    with reports_over(dsn, tmp_path) as reports:
        first = reports.ask("violations", MARCH)
        assert reports.ask("violations", MARCH) is first
        archived(dsn, tmp_path)
        assert reports.ask("violations", MARCH) is first
        log.append(Append([cited("2026-03-06", "C-2", **FINE)], uuid4()))
        assert [row["value"] for row in reports.ask("violations", MARCH).rows] == [2]
        log.append(Append([CitationVoided(at=t("2026-03-07"), citation="C-2", reason="error")], uuid4()))
        assert [row["value"] for row in reports.ask("violations", MARCH).rows] == [1]


def test_what_is_dated_ahead_is_told_when_its_time_comes(log: Log, dsn: str, tmp_path: Path) -> None:
    log.append(
        Append(
            [
                cited("2026-03-05", "C-1", **FINE),
                AppealFiled(at=t("2026-03-08"), appeal="A-1", citation="C-1"),
                AppealDecided(at=t("2100-01-01"), appeal="A-1", citation="C-1", outcome="dismissed"),
            ],
            uuid4(),
        )
    )
    later = Question(MARCH.begin, MARCH.end, at=t("2100-01-02"))
    with reports_over(dsn, tmp_path) as reports:
        assert reports.ask("overturn_rate", MARCH).rows[0]["value"] is None
        assert reports.ask("overturn_rate", later).rows[0]["value"] == 1
        assert reports.ask("overturn_rate", MARCH).rows[0]["value"] is None


def test_many_questions_are_answered_on_one_state(log: Log, dsn: str, tmp_path: Path) -> None:
    log.append(Append([cited("2026-03-05", "C-1", **FINE), cited("2026-03-06", "C-2", zone="G")], uuid4()))
    by_zone = Question(MARCH.begin, MARCH.end, by="zone")
    with reports_over(dsn, tmp_path) as reports:
        one = reports.ask("violations", by_zone)
        both = reports.ask_all([("violations", MARCH), ("violations", by_zone), ("appeal_rate", MARCH)])
        assert [[row["part"] for row in answer.rows] for answer in both] == [["all"], ["F", "G"], ["all"]]
        assert both[1] is one
        assert {answer.position for answer in both} == {log.head()}


def test_an_archive_that_was_removed_is_done_without_until_it_is_written_again(
    dsn: str, tmp_path: Path
) -> None:
    log, root = PostgresLog(dsn), tmp_path / "archive"
    for number in range(5):
        log.append(Append([cited("2026-03-05", f"C-{number}", **FINE)], uuid4()))
    archived(dsn, root)
    with reports_over(dsn, root) as reports:
        counted = "select (select count(*) from events), (select count(*) from citations)"
        before = list(reports.table(counted, MARCH).to_pylist()[0].values())
        shutil.rmtree(root)
        assert list(reports.table(counted, MARCH).to_pylist()[0].values()) == before == [5, 5]
        root.mkdir()
        archived(dsn, root)
        assert list(reports.table(counted, MARCH).to_pylist()[0].values()) == before
    log.close()


def test_what_failed_half_way_is_done_again_whole(log: Log, dsn: str, tmp_path: Path) -> None:
    said = (
        "select (select count(*) from events), (select count(*) from citations), (select count(*) from reads)"
    )
    log.append(Append([seen("2026-03-05 09:00:00", "r1"), cited("2026-03-05", "C-1", **FINE)], uuid4()))
    archived(dsn, tmp_path)
    [file] = tmp_path.glob("sightings/*/*.parquet")
    with reports_over(dsn, tmp_path) as reports:
        assert list(reports.table(said, MARCH).to_pylist()[0].values()) == [2, 1, 1]
        log.append(Append([seen("2026-03-05 09:30:00", "r2"), cited("2026-03-06", "C-2", **FINE)], uuid4()))
        file.rename(tmp_path / "away")
        with pytest.raises(BrokenArchive, match="is missing or damaged"):
            reports.ask("occupancy", MARCH)
        (tmp_path / "away").rename(file)
        assert list(reports.table(said, MARCH).to_pylist()[0].values()) == [4, 2, 2]
        assert [row["value"] for row in reports.ask("violations", MARCH).rows] == [2]
        assert [row["value"] for row in reports.ask("compliance", MARCH).rows] == [0]


def test_reports_give_way_to_whoever_else_wants_a_core() -> None:
    calm, usual = Calm(2), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    nice = lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())  # noqa: E731
    assert calm.run(nice) == min(19, usual + NICENESS) or calm.run(nice) == NICENESS
    assert calm.run(lambda: calm.run(nice)) == calm.run(nice)
    assert nice() == usual
    calm.close()
