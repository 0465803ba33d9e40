"""Reports and history on the command line."""

import json
import shutil
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

    def command(*words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, words, input=typed)

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


def test_the_prompt_takes_comments_and_goes_on_after_an_error(run: "object") -> None:
    assert callable(run)
    typed = "select count(*) as n from citations -- all of them\nwhere false;\nselect * from nope;\nviews;\n"
    said = run("sql", typed=typed)
    assert "│     0 │" in said.output
    assert "nope does not exist" in said.output
    listed = [line.split("│")[1].strip() for line in said.output.splitlines() if line.startswith("│")]
    assert listed.count("citations") == listed.count("sessions") == listed.count("zones") == 1


def test_a_file_of_the_archive_that_is_gone_or_damaged_is_named(run: "object", tmp_path: Path) -> None:
    assert callable(run)
    run("archive", "write")
    (file,) = (tmp_path / "archive" / "citations").rglob("*.parquet")
    whole = file.read_bytes()
    for content in (whole[:100], bytes(len(whole)), None):
        file.unlink() if content is None else file.write_bytes(content)
        for words in (("report", "violations"), ("sql", "from citations")):
            said = run(*words)
            assert f"{file.name} is missing or damaged" in str(said.exception), (said.output, content)
        assert run("archive", "verify").exit_code == 1
    shutil.rmtree(tmp_path / "archive")
    run("archive", "write")
    assert run("archive", "verify").exit_code == 0
    assert run("report", "violations", "--csv").output.splitlines()[1].startswith("all,2,")


def test_a_store_of_the_archive_that_cannot_be_reached_is_said_so(
    run: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(run)
    nowhere = "s3://office/archive?endpoint_override=127.0.0.1:1&scheme=http&region=us-east-1"
    monkeypatch.setenv("PARKLEDGER_ARCHIVE", nowhere)
    for words in (("report", "violations"), ("archive", "status")):
        said = run(*words)
        assert "store of the archive cannot be used" in f"{said.output} {said.exception}"
