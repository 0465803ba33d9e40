"""Reports and history on the command line."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from event_store.log import Log
from events.envelope import Append
from operations.cli import app
from tests.commands.cases import ZONE, cents, cited


@pytest.fixture
def run(log: Log, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("PARKLEDGER_DSN", dsn)
    monkeypatch.setenv("PARKLEDGER_DATA", str(tmp_path))
    log.append(Append([ZONE, cited(fine=cents(6000)), cited("2026-03-06", "C-2", fine=cents(6000))], uuid4()))

    def command(*words: str) -> Result:
        return CliRunner().invoke(app, words)

    return command


def test_a_report_is_a_table_csv_or_json(run: "object") -> None:
    assert callable(run)
    shown = run("report", "violations", "--from", "2026-03-01", "--to", "2026-04-01")
    assert shown.exit_code == 0
    assert "formula      citations issued that were not voided" in shown.output
    lines = run("report", "violations", "--by", "zone", "--csv").output.splitlines()
    assert lines[1].startswith("F,2,,2,citations")
    assert json.loads(run("report", "violations", "--known", "2", "--json").output)["rows"][0]["value"] == 1
    assert "collection_by_value" in run("report").output


def test_history_is_queried_and_the_archive_written_and_verified(run: "object", tmp_path: Path) -> None:
    assert callable(run)
    assert "position 3" in run("archive", "write").output
    assert run("archive", "verify").exit_code == 0
    assert run("sql", "select citation from citations order by all", "--csv").output == "citation\nC-1\nC-2\n"
    assert "citations" in run("sql", "views").output
    assert run("sql", "select 1 as one", "--parquet", str(tmp_path / "one.parquet")).exit_code == 0
    assert (tmp_path / "one.parquet").read_bytes().startswith(b"PAR1")
