"""Planned figures come from a file of the office; what is wrong in it is named by its line."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from event_store.archive import Archive
from event_store.archive_hash import keyed
from event_store.archive_store import LocalStore
from event_store.log import Log
from events.envelope import Append
from events.payments import PaymentReceived
from events.permits import PermitPurchased
from projections.reports.asking import Question
from projections.reports.plan import BadPlan, lines_of
from projections.reports.reporting import Reports
from tests.commands.cases import ZONE, cents, seen, t

HEADING = "measure,month,permit_type,zone,target\n"
MARCH = Question(t("2026-03-01"), t("2026-04-01"), timezone="America/Toronto")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("month,target\n2026-03,1\n", "lacks the column measure"),
        (HEADING + "revenu,2026-03,,,1\n", "line 2: measure is revenue or zone_passes"),
        (HEADING + "revenue,2026-03,,,1\nrevenue,March,,,1\n", "line 3: month is written 2026-09"),
        (HEADING + "revenue,2026-03,,,1.5\n", "line 2: target is a whole number"),
        (HEADING + "revenue,2026-03,,,1,250,000\n", "line 2: there are more values than columns"),
        (HEADING + "revenue,2026-03,,,-5\n", "line 2: target is a whole number"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "plan.csv"
    file.write_text(content)
    with pytest.raises(BadPlan, match=says):
        lines_of(file)


def test_a_plan_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_bytes(HEADING.encode("utf-16"))
    with pytest.raises(BadPlan, match="not UTF-8"):
        lines_of(file)
    with pytest.raises(BadPlan, match="cannot be read: Is a directory"):
        lines_of(tmp_path)


def test_a_plan_is_parted_and_narrowed_as_what_is_held_against_it(log: Log, dsn: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(
        HEADING + "zone_passes,2026-03,,F,1\nzone_passes,2026-03,,G,4\n"
        "revenue,2026-03,,,9000\nrevenue,2026-03,commuter,,8000\n"
    )
    north = ZONE.model_copy(update={"lot": "North"})
    opened = ZONE.model_copy(update={"zone": "G"})
    log.append(Append([north, opened, seen("2026-03-03 09:00:00", "r1", session="morning")], uuid4()))
    with Reports(dsn, Archive(LocalStore(tmp_path / "archive")), keyed(b"k"), plan=plan) as reports:
        assert reports.ask("coverage", MARCH).rows[0]["value"] == 0.2
        assert reports.ask("coverage", replace(MARCH, lot="North")).rows[0]["value"] == 1
        by_type = reports.ask("plan_variance", replace(MARCH, by="type")).rows
        assert [(row["part"], row["planned"]) for row in by_type] == [("commuter", 8000)]


def test_revenue_and_passes_are_held_against_the_plan(log: Log, dsn: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(HEADING + "revenue,2026-03,commuter,,8000\nzone_passes,2026-03,,F,4\n")
    begin, until = t("2026-03-02"), t("2026-04-01")
    log.append(
        Append(
            [
                ZONE,
                PermitPurchased(
                    at=begin, permit="T-1", permit_type="commuter", zones=("F",), valid_from=begin,
                    valid_until=until, payment="P-1",
                ),
                PaymentReceived(at=begin, payment="P-1", amount=cents(5000), permit="T-1"),
                seen("2026-03-03 09:00:00", "r1", session="morning"),
                seen("2026-03-03 09:30:00", "r2", session="morning"),
                seen("2026-03-04 09:00:00", "r3", session="evening"),
            ],
            uuid4(),
        )
    )  # fmt: skip
    with Reports(dsn, Archive(LocalStore(tmp_path / "archive")), keyed(b"k"), plan=plan) as reports:
        variance = reports.ask("plan_variance", MARCH).rows[0]
        assert (variance["revenue"], variance["planned"], variance["value"]) == (5000, 8000, -3000)
        covered = reports.ask("coverage", MARCH).rows[0]
        assert (covered["numerator"], covered["denominator"], covered["value"]) == (2, 4, 0.5)
        assert reports.ask("citations_per_patrol_hour", MARCH).rows[0]["denominator"] == 0.5
        plan.write_text(HEADING + "revenue,2026-03,commuter,,15000\n")
        assert reports.ask("plan_variance", MARCH).rows[0]["value"] == -10000
        assert reports.ask("coverage", MARCH).empty
        plan.unlink()
        with pytest.raises(BadPlan, match="is missing"):
            reports.ask("violations", MARCH)
