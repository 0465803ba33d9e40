"""Names are the storage format: what a golden file says, some log holds, and must be read for ever."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from event_store.codec import Codec, digest
from events.base import event_named
from events.catalogue import CATALOGUE
from tests.golden.writing import FOLDER, golden, missing

FILES = sorted(FOLDER.glob("*.json"))
HOW = "run tests/golden/writing.py, and look at what it wrote"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_the_log_holds_can_be_read(path: Path) -> None:
    kept = json.loads(path.read_text())
    at = datetime.fromisoformat(kept["at"])
    payload = json.dumps(kept["payload"]).encode()
    row = (
        1,
        kept["type"],
        kept["version"],
        at,
        datetime.now(UTC),
        payload,
        "a",
        "b",
        UUID(int=1),
        None,
        None,
    )
    event = Codec().revive(row).event
    assert type(event) is event_named(kept["type"])
    assert type(event).model_validate_json(Codec().encode(event).payload[:-1] + _and_at(kept)) == event


def _and_at(kept: dict[str, str]) -> bytes:
    return b'%s"at":"%s"}' % (b"," if kept["payload"] else b"", kept["at"].encode())


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_an_event_is_written_as_its_golden_file_says(name: str) -> None:
    event = CATALOGUE[name]
    path = FOLDER / f"{name}.v{event.version}.json"
    assert path.exists(), f"{path.name} is missing; {HOW}"
    kept = json.loads(path.read_text())
    revived = event.model_validate_json(json.dumps({**kept["payload"], "at": kept["at"]}))
    assert golden(revived) == kept


def test_no_event_and_no_field_lacks_an_example() -> None:
    assert [path.name for path, _ in missing()] == [], HOW


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_earlier_version_keeps_its_file(name: str) -> None:
    event = CATALOGUE[name]
    versions = {int(path.stem.rpartition(".v")[2]) for path in FOLDER.glob(f"{name}.v*.json")}
    assert versions == set(range(1, event.version + 1))


def test_no_wire_name_was_taken_away() -> None:
    assert {path.stem.partition(".v")[0] for path in FILES} <= set(CATALOGUE)


def test_digests_are_of_the_canonical_bytes() -> None:
    kept = json.loads((FOLDER / "PermitPurchased.v1.json").read_text())
    canonical = json.dumps(
        kept["payload"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()
    assert digest(canonical).hex() == kept["digest"]
