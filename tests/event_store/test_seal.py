"""The seal over a real log: tiles, signed heads, proofs, and what an alteration does to them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from event_store import seal as sealing
from event_store import verifier as verifier_module
from event_store.pack import pack_of, verifier
from event_store.postgres import PostgresLog
from event_store.proving import NoSuchCheckpoint, NotSealed, Proofs, verify_seals
from event_store.seal import seal
from event_store.signing import BadNote, Head, Signer, read_note, signing_key
from event_store.verifier import Wrong, check
from events.envelope import Append
from tests.contracts.facts import read

SIGNER = Signer("test", Ed25519PrivateKey.generate())


def fill(log: PostgresLog, count: int) -> None:
    for first in range(0, count, 50):
        events = tuple(read(f"Z{first + n}-{log.head()}") for n in range(min(50, count - first)))
        log.append(Append(events, uuid4()))


@pytest.fixture
def proofs(dsn: str) -> Iterator[Proofs]:
    with closing(Proofs(dsn)) as proofs:
        yield proofs


def test_a_sealed_log_proves_each_of_its_entries(log: PostgresLog, dsn: str, proofs: Proofs) -> None:
    fill(log, 600)
    head = seal(dsn, SIGNER)
    assert head is not None
    assert head.size == 600
    assert read_note(head.note, SIGNER.public).root == head.root == proofs.root(600)
    pack = pack_of(proofs, head, [1, 256, 257, 512, 600], {})
    assert "5 entries are in the log" in check(pack, SIGNER.public)[1]


def test_a_log_sealed_in_steps_has_the_tree_of_one_sealed_at_once(
    log: PostgresLog, dsn: str, proofs: Proofs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PAGE", 100)
    sizes = []
    for count in (1, 254, 1, 1, 300):
        fill(log, count)
        head = seal(dsn, SIGNER)
        assert head is not None
        sizes.append(head.size)
    assert sizes == [1, 255, 256, 257, 557]
    assert seal(dsn, SIGNER) is None
    verdict = verify_seals(dsn)
    assert verdict.holds
    assert verdict.checked == 5
    for first in sizes:
        pack = pack_of(proofs, head, [557], {}, sizes)
        old = next(one for one in proofs.checkpoints(None, 10) if one.size == first)
        assert f"continues what was signed over {first} entries" in check(pack, None, old.note)[-1]


def test_an_altered_envelope_is_found(log: PostgresLog, dsn: str, proofs: Proofs) -> None:
    fill(log, 20)
    head = seal(dsn, SIGNER)
    assert head is not None
    pack = pack_of(proofs, head, [7], {})
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table log.events disable trigger refuse_change")
        connection.execute("update log.events set actor = 'nobody' where position = 7")
    verdict = verify_seals(dsn)
    assert (verdict.holds, verdict.size) == (False, 20)
    assert "entry 7 is the first" in str(verdict.reason)
    forged = pack_of(proofs, head, [7], {})
    with pytest.raises(Wrong, match="does not lead to the signed root"):
        check(forged)
    check(pack)


def test_a_hash_of_the_tree_that_was_altered_is_named(log: PostgresLog, dsn: str) -> None:
    fill(log, 300)
    seal(dsn, SIGNER)
    with psycopg.connect(dsn) as connection:
        altered = "set hashes = overlay(hashes placing sha256('x') from 65) where (level, number) = (0, 1)"
        connection.execute(f"update seal.tiles {altered}".encode())
    assert verify_seals(dsn).reason == "the tree holds another hash for entry 259 than the log"


def test_entries_that_were_cut_off_are_found(log: PostgresLog, dsn: str) -> None:
    fill(log, 10)
    seal(dsn, SIGNER)
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table log.events disable trigger refuse_change")
        connection.execute("delete from log.events where position > 8")
    verdict = verify_seals(dsn)
    assert verdict.reason == "the log ends at 8: entries were cut off"


@pytest.mark.parametrize("field", ["leaf", "payload", "proof", "position"])
def test_a_pack_that_was_changed_does_not_hold(
    log: PostgresLog, dsn: str, proofs: Proofs, field: str
) -> None:
    fill(log, 9)
    head = seal(dsn, SIGNER)
    assert head is not None
    pack = pack_of(proofs, head, [3], {})
    entry = pack["entries"][0]
    entry[field] = {
        "leaf": entry["leaf"].replace('"actor":"', '"actor":"x'),
        "payload": entry["payload"].replace("Z", "Y"),
        "proof": entry["proof"][:-1],
        "position": 4,
    }[field]
    with pytest.raises(Wrong):
        check(pack)


def test_the_verifier_runs_alone(log: PostgresLog, dsn: str, proofs: Proofs, tmp_path: Path) -> None:
    fill(log, 5)
    head = seal(dsn, SIGNER)
    assert head is not None
    (tmp_path / "verify.py").write_text(verifier())
    pack = tmp_path / "pack.json"
    pack.write_text(json.dumps(pack_of(proofs, head, [2, 3], {})))
    run = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), str(pack)]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 entries are in the log exactly" in done.stdout
    other = [*run, "--key", Signer("test", Ed25519PrivateKey.generate()).public]
    assert subprocess.run(other, capture_output=True, check=False, cwd=tmp_path).returncode == 1
    pack.write_text("{")
    assert subprocess.run(run, capture_output=True, check=False, cwd=tmp_path).returncode == 2


def test_a_head_is_final(log: PostgresLog, dsn: str) -> None:
    fill(log, 1)
    seal(dsn, SIGNER)
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update seal.checkpoints set size = 2")


def test_what_is_not_sealed_yet_is_said_to_be(log: PostgresLog, dsn: str, proofs: Proofs) -> None:
    fill(log, 3)
    with pytest.raises(NotSealed) as missing:
        proofs.covering(3, 0)
    assert missing.value.behind == 3
    seal(dsn, SIGNER)
    assert proofs.covering(3, 0).size == 3
    with pytest.raises(NoSuchCheckpoint):
        proofs.continues(3, 4)


def test_a_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "seal.pem"
    first = Signer("office", signing_key(file)).public
    assert Signer("office", signing_key(file)).public == first
    assert file.stat().st_mode & 0o077 == 0


def test_a_note_of_another_key_is_refused(log: PostgresLog, dsn: str) -> None:
    fill(log, 1)
    head = seal(dsn, SIGNER)
    assert head is not None
    with pytest.raises(BadNote):
        read_note(head.note, Signer("test", Ed25519PrivateKey.generate()).public)
    with pytest.raises(BadNote):
        read_note(head.note.replace("\n1\n", "\n2\n"), SIGNER.public)


def test_a_key_whose_text_holds_a_plus_is_read() -> None:
    head = Head("test", 1, b"r" * 32)
    for _ in range(60):
        signer = Signer("test", Ed25519PrivateKey.generate())
        assert read_note(signer.sign(head), signer.public) == head
        assert verifier_module.read_note(signer.sign(head), signer.public) == (1, head.root)
