"""Proofs over HTTP: what an auditor keeps, asks for, and checks without this server."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from event_store.verifier import check, check_consistency, check_entry, read_note
from read_api import evidence_pdf
from tests.read_api.late_payment import CITATION, PLATE
from tests.read_api.office import Office

EVIDENCE = f"/v1/citations/{CITATION}/evidence"


@pytest.fixture
def sealed(late_payment: Office) -> Office:
    late_payment.seal()
    return late_payment


def test_every_entry_of_the_log_is_proved_to_be_in_it(sealed: Office) -> None:
    for position in (1, 5, 9):
        answer = sealed.get(f"/v1/events/{position}/proof").json()
        head = answer["checkpoint"]
        size, root = read_note(head["note"], head["key"])
        assert (size, root.hex()) == (head["size"], head["root"])
        check_entry(answer, size, root)
    assert sealed.get("/v1/events/99999/proof").json()["rule"] == "NoSuchEntry"


def test_a_head_that_was_kept_is_shown_to_be_continued(sealed: Office) -> None:
    kept = sealed.get("/v1/checkpoints", "parker").json()["checkpoints"][0]
    sealed.get(f"/v1/citations/{CITATION}", "dispute")
    sealed.seal()
    answer = sealed.get("/v1/checkpoints", "parker", first=kept["size"]).json()
    newest, told = answer["checkpoints"][0], answer["consistency"]
    assert (told["first"], told["second"]) == (kept["size"], newest["size"])
    roots = (bytes.fromhex(kept["root"]), bytes.fromhex(newest["root"]))
    check_consistency(told["first"], told["second"], roots, [bytes.fromhex(one) for one in told["proof"]])
    assert sealed.get("/v1/checkpoints", first=99).status_code == 422
    assert sealed.get("/v1/checkpoints", second=1).status_code == 422
    assert sealed.get("/v1/checkpoints", first=1, second=999).status_code == 404
    assert [
        c["size"] for c in sealed.get("/v1/checkpoints", before=newest["size"]).json()["checkpoints"]
    ] == [kept["size"]]


def test_what_is_not_sealed_yet_is_503_and_says_how_far_behind(late_payment: Office) -> None:
    answer = late_payment.get("/v1/events/1/proof")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["behind"] == 1


def test_the_pack_begins_with_what_to_do_and_holds_offline(sealed: Office) -> None:
    pack = sealed.get(EVIDENCE, "dispute").json()
    assert pack["about"]["first_line"] == (
        "DISMISS: permit T-1001 was paid at 9:02:11 and posted at 9:31:04; the"
        " officer\u2019s screen at 9:05:40 showed \u201cNo right\u201d and was right by what was known."
    )
    assert check(pack)[1] == "9 entries are in the log exactly as they stand in the pack"
    assert pack["about"]["finding"]["cause"] == {"kind": "POSTING_LAG", "seconds": 1733.0}


def test_the_pack_of_an_earlier_moment_says_what_was_known_then(sealed: Office) -> None:
    pack = sealed.get(EVIDENCE, "dispute", known="2026-03-05T14:31:03Z").json()
    assert pack["about"]["first_line"].startswith("UPHOLD: no right covered the plate when it was read")
    assert max(entry["position"] for entry in pack["entries"]) == 5


def test_the_archive_checks_itself_with_python_alone(sealed: Office, tmp_path: Path) -> None:
    answer = sealed.get(EVIDENCE, "auditor", format="zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"pack.json", "verify.py", "evidence.pdf"}
    run = [sys.executable, "-I", "-S", "verify.py", "pack.json"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    pack = json.loads((tmp_path / "pack.json").read_text())
    pack["entries"][3]["payload"] = pack["entries"][3]["payload"].replace("e4", "e5")
    (tmp_path / "pack.json").write_text(json.dumps(pack))
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_the_pdf_carries_the_pack_and_the_verifier(sealed: Office) -> None:
    answer = sealed.get(EVIDENCE, "dispute", headers={"accept": "application/pdf"})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.count(b"/Type /EmbeddedFile") == 2


def test_what_no_font_shows_does_not_spoil_the_pdf(sealed: Office) -> None:
    pack = sealed.get(EVIDENCE, "dispute").json()
    pack["about"]["first_line"] = "DISMISS: \u4e2d\u6587 \U0001f600"
    assert evidence_pdf.pdf_of(pack, {}).startswith(b"%PDF-")


def test_a_parker_gets_the_pack_of_their_own_without_the_finding(sealed: Office) -> None:
    assert sealed.get(EVIDENCE, "parker", account="A-other").status_code == 403
    assert sealed.get(f"/v1/plates/{PLATE}", "parker", account="A-other").status_code == 403


def test_looking_at_evidence_is_recorded(sealed: Office) -> None:
    sealed.get(EVIDENCE, "dispute", headers={"purpose": "dispute AP-1"})
    told = sealed.get("/v1/events", type="RecordAccessed").json()["events"][-1]["data"]
    assert told["query"] == f"evidence on citation {CITATION}"
    assert told["purpose"] == "dispute AP-1"
