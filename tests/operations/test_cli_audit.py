"""`parkledger audit`: verify, prove, export and check, on a log in a database of its own."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from event_store.postgres import PostgresLog
from events.envelope import Append
from operations.cli import app
from tests.contracts.facts import permit, read


@pytest.fixture
def office(log: PostgresLog, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PostgresLog:
    monkeypatch.setenv("PARKLEDGER_DSN", dsn)
    monkeypatch.setenv("PARKLEDGER_DATA", str(tmp_path / "data"))
    for event in (permit("T-1"), read("r1"), read("r2", "ON A1"), read("r3")):
        log.append(Append((event,), uuid4()))
    return log


def audit(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_a_proof_of_one_entry_can_be_checked(office: PostgresLog, tmp_path: Path) -> None:
    del office
    file = tmp_path / "proof.json"
    assert audit("proof", 3, "--out", file).exit_code == 0
    assert "1 entries are in the log" in audit("check", file).output
    assert audit("check", file, "--key", "parkledger+00000000+AAAA").exit_code == 1


def test_an_export_proves_that_nothing_was_left_out(office: PostgresLog, tmp_path: Path) -> None:
    del office
    archive = tmp_path / "pack.zip"
    done = audit("export", "--tag", "plate:ON CKTR482", "--whole", "--out", archive)
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path)
    run = [sys.executable, "-I", "-S", "verify.py", "pack.json"]
    checked = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0
    assert "Nothing was left out: 3 entries of the log carry plate:" in checked.stdout
    pack = json.loads((tmp_path / "pack.json").read_text())
    del pack["entries"][1]
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    assert "leaves out the entries [2]" in audit("check", tmp_path / "pack.json").output


def test_a_log_that_was_altered_does_not_verify(office: PostgresLog, dsn: str, tmp_path: Path) -> None:
    assert audit("export", "--out", tmp_path / "all.zip").exit_code == 0
    fine = json.loads(audit("verify", "--json").stdout.splitlines()[-1])
    assert (fine["holds"], fine["entries"], fine["heads"]) == (True, office.head(), 1)
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table log.events disable trigger refuse_change")
        connection.execute("update log.events set at = at - interval '1 hour' where position = 2")
    wrong = audit("verify", "--json")
    assert wrong.exit_code == 1
    reason = json.loads(wrong.stdout.splitlines()[-1])["head_reason"]
    assert reason == "the log has another root there: entry 2 is the first that is not as it was sealed"


def test_a_head_that_was_kept_outside_finds_what_the_database_forgot(
    office: PostgresLog, dsn: str, tmp_path: Path
) -> None:
    audit("proof", 1, "--out", tmp_path / "proof.json")
    kept = tmp_path / "kept.txt"
    kept.write_text(json.loads((tmp_path / "proof.json").read_text())["checkpoint"], encoding="utf-8")
    assert audit("verify", "--checkpoint", kept).exit_code == 0
    with psycopg.connect(dsn) as connection:
        for table in ("log.events", "log.tags", "seal.checkpoints"):
            connection.execute(f"alter table {table} disable trigger refuse_change")
        last = office.head()
        for table in ("log.events", "log.tags"):
            connection.execute(f"delete from {table} where position = {last}")
        connection.execute("delete from seal.checkpoints")
    assert audit("verify").exit_code == 0
    wrong = audit("verify", "--checkpoint", kept)
    assert wrong.exit_code == 1
    assert "entries were cut off" in wrong.output
    kept.write_text("no note")
    assert isinstance(audit("verify", "--checkpoint", kept).exception, ValueError)
