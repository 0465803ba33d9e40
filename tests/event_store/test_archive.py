"""The archive: whole or not at all, in order, as the log says, and without anybody's plate."""

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from event_store import archive as archives
from event_store.archive import EVENTS, Archive, Occupied, writing
from event_store.archive_batch import arrow_connection, as_columns, raw_rows
from event_store.archive_columns import all_columns
from event_store.archive_hash import key_of, keyed
from event_store.archive_manifest import BrokenArchive
from event_store.archive_store import LocalStore
from event_store.archive_verifying import verify
from event_store.codec import Codec
from event_store.log import Log
from events.base import event_named
from events.envelope import Append

HASHED = keyed(b"a key of this test")
GOLDEN = Path(__file__).parents[1] / "golden"


def golden_events() -> list[object]:
    """Return every event of the catalogue, from the files that fix their wire format."""
    found = []
    for name in sorted(GOLDEN.glob("*.json")):
        told = json.loads(name.read_text())
        event = event_named(told["type"])
        if told["version"] == event.version:
            found.append(event.model_validate(told["payload"] | {"at": told["at"]}))
    return found


@pytest.fixture
def told(log: Log) -> Log:
    """A log that holds one event of every type."""
    log.append(Append(golden_events(), uuid4()))  # type: ignore[arg-type]
    return log


def columns(dsn: str, after: int, upto: int) -> pa.Table:
    with arrow_connection(dsn) as connection:
        return as_columns(raw_rows(connection, after, upto), HASHED)


def stretch(first: int, last: int) -> dict[str, pa.Table]:
    return {EVENTS: pa.table({"position": pa.array(range(first, last + 1), pa.int64())})}


def test_every_field_of_every_event_has_a_column_or_is_personal(told: Log, dsn: str) -> None:
    table = columns(dsn, 0, told.head())
    rows = {row["type"]: row for row in table.to_pylist()}
    for entry in told.read().entries:
        row, event = rows[type(entry.event).__name__], entry.event
        assert (row["position"], row["at"], row["recorded"]) == (entry.position, event.at, entry.recorded)
        for field, value in event.payload().items():
            column = f"payload_{field}" if field == "channel" else field
            if field in event.personal or (row["type"], field) == ("RecordAccessed", "query"):
                continue
            kept = row[column]
            if isinstance(kept, datetime):
                value = datetime.fromisoformat(value)  # noqa: PLW2901
            if all_columns()[column] == "JSON":
                kept = json.loads(kept)
            if all_columns()[column] == "VARCHAR":
                value = str(value)  # noqa: PLW2901 - `corrects` is a position or a plate
            assert kept == value, (row["type"], field)


def test_nobodys_plate_name_or_place_is_in_the_files(told: Log, dsn: str, tmp_path: Path) -> None:
    pq.write_table(columns(dsn, 0, told.head()), tmp_path / "all.parquet", compression="none")
    content = (tmp_path / "all.parquet").read_bytes()
    events = [entry.event for entry in told.read().entries]
    shown = {str(v) for e in events for f, v in e.payload().items() if f not in e.personal}
    for event in events:
        for field, value in event.payload().items():
            if field in event.personal and isinstance(value, str) and value not in shown:
                assert value.encode() not in content, (type(event).__name__, field)


def test_the_same_plate_has_the_same_hash_everywhere_and_another_under_another_key(
    told: Log, dsn: str
) -> None:
    rows = columns(dsn, 0, told.head()).to_pylist()
    read = next(row for row in rows if row["type"] == "PlateRead")
    cited = next(row for row in rows if row["type"] == "CitationIssued")
    tag = Codec.of(dsn).tag("plate:ON CKTR482")
    assert read["plate"] == cited["plate"] == HASHED(tag)
    assert keyed(b"another key")(tag) != read["plate"]


def test_a_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    assert key_of(tmp_path) == key_of(tmp_path)
    assert oct((tmp_path / "archive.key").stat().st_mode & 0o777) == "0o600"
    assert key_of(tmp_path, "stated") != key_of(tmp_path)


def test_a_segment_follows_the_last_one_or_is_refused(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    archive.append(1, 3, "2026-03-05", stretch(1, 3))
    for first, last in ((3, 5), (5, 6), (1, 3)):
        with pytest.raises(BrokenArchive, match="does not follow position 3"):
            archive.append(first, last, "2026-03-05", stretch(first, last))
    with pytest.raises(BrokenArchive):
        archive.append(4, 9, "2026-03-05", stretch(4, 5))
    assert archive.append(4, 9, "2026-03-06", stretch(4, 9)).upto == 9


def test_an_archive_of_an_older_format_counts_as_empty_and_makes_room(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    archive.append(1, 3, "2026-03-05", stretch(1, 3))
    manifest = json.loads((tmp_path / archives.MANIFEST).read_text())
    (tmp_path / archives.MANIFEST).write_text(json.dumps(manifest | {"format": 1}))
    assert archive.begin("another log").upto == 0
    assert archive.tidy() == ["events/day=2026-03-05/000000000000001-000000000000003.parquet"]
    assert archive.append(1, 2, "2026-03-05", stretch(1, 2)).upto == 2


def test_what_the_manifest_does_not_name_is_not_in_the_archive(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    archive.append(1, 3, "2026-03-05", stretch(1, 3))
    orphan = tmp_path / "events" / "day=2026-03-05" / "half.parquet.tmp"
    orphan.write_bytes(b"PAR1 and no more")
    assert archive.manifest().upto == 3
    assert archive.tidy() == ["events/day=2026-03-05/half.parquet.tmp"]
    assert not orphan.exists()
    assert archive.table(archive.manifest().segments[0].files[EVENTS]).num_rows == 3


def test_small_segments_of_a_day_are_merged_and_the_old_files_stay_for_who_reads_them(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    for first in range(1, 40, 2):
        archive.append(first, first + 1, "2026-03-05", stretch(first, first + 1))
    archive.append(41, 42, "2026-03-06", stretch(41, 42))
    before = archive.manifest().paths(EVENTS)
    now = datetime.now(UTC)
    while archive.compact(now):
        pass
    merged = archive.manifest()
    assert [(s.first, s.last, s.day) for s in merged.segments] == [
        (1, 40, "2026-03-05"),
        (41, 42, "2026-03-06"),
    ]
    assert archive.table(merged.segments[0].files[EVENTS])["position"].to_pylist() == list(range(1, 41))
    assert all((tmp_path / path).exists() for path in before)
    archive.compact(now + archives.GRACE)
    assert not any((tmp_path / path).exists() for path in before[:20])
    assert not archive.manifest().retired


def test_files_of_an_older_shape_are_read_together_with_newer_ones(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    archive.append(1, 2, "2026-03-05", stretch(1, 2))
    newer = stretch(3, 4)[EVENTS].append_column("garage", pa.array(["A", "B"]))
    paths = archive.append(3, 4, "2026-03-05", {EVENTS: newer}).paths(EVENTS)
    files = [str(archive.store.local(path)) for path in paths]
    with duckdb.connect() as connection:
        found = connection.execute(
            "select position, garage from read_parquet(?, union_by_name = true) order by all", [files]
        ).fetchall()
    assert found == [(1, None), (2, None), (3, "A"), (4, "B")]


def test_a_file_that_was_altered_is_found(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    file = archive.append(1, 3, "2026-03-05", stretch(1, 3)).segments[0].files[EVENTS]
    content = (tmp_path / file.path).read_bytes()
    (tmp_path / file.path).write_bytes(content[:-9] + b"x" + content[-8:])
    with pytest.raises(BrokenArchive, match="was altered"):
        archive.table(file)
    (tmp_path / file.path).unlink()
    with pytest.raises(BrokenArchive, match="is missing"):
        archive.table(file)


def test_verifying_finds_what_the_log_does_not_say(told: Log, dsn: str, tmp_path: Path) -> None:
    archive, head = Archive(LocalStore(tmp_path)), told.head()
    archive.append(1, 10, "2026-03-05", {EVENTS: columns(dsn, 0, 10)})
    forged = columns(dsn, 10, head).to_pylist()
    forged[0]["actor"] = "somebody else"
    schema = columns(dsn, 10, head).schema
    archive.append(11, head, "2026-03-05", {EVENTS: pa.Table.from_pylist(forged, schema)})
    first, second = verify(archive, dsn, HASHED)
    assert first.wrong is None
    assert f"differ at position {forged[0]['position']} (1 in all)" in (second.wrong or "")


def test_the_archive_of_another_log_is_refused(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    archive.append(1, 3, "2026-03-05", stretch(1, 3), log="aa")
    archive.begin("aa")
    with pytest.raises(BrokenArchive, match="of another log"):
        archive.begin("bb")


def test_a_manifest_that_cannot_be_trusted_is_refused(tmp_path: Path) -> None:
    archive = Archive(LocalStore(tmp_path))
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes(b'{"segments": [')
    with pytest.raises(BrokenArchive, match="cannot be read"):
        archive.manifest()
    manifest.write_bytes(b'{"segments": [{"first": 2, "last": 3, "day": "2026-03-05", "files": {}}]}')
    with pytest.raises(BrokenArchive, match="lacks position 1"):
        archive.manifest()
    manifest.write_bytes(b'{"format": 99}')
    with pytest.raises(BrokenArchive, match="format 99"):
        archive.manifest()


def test_one_process_writes_at_a_time(dsn: str) -> None:
    with writing(dsn), pytest.raises(Occupied), writing(dsn):
        pass
    with writing(dsn):
        pass


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    store.write("manifest.json", b"before")

    def dies(_: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", dies)
    with pytest.raises(OSError, match="full"):
        store.write("manifest.json", b"after, but cut off")
    assert store.read("manifest.json") == b"before"


def test_parquet_is_compressed_and_keeps_its_types() -> None:
    at = datetime(2026, 3, 5, tzinfo=UTC)
    table = pa.table({"at": pa.array([at, at + timedelta(days=1)], pa.timestamp("us", "UTC"))})
    file = pq.ParquetFile(io.BytesIO(archives.parquet(table)))
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert file.read().schema == table.schema


def test_the_columns_are_named_once(told: Log) -> None:
    assert len(all_columns()) == len(set(all_columns()))
    assert {"position", "recorded", "plate", "citation", "payload_channel"} <= set(all_columns())
    assert told.head() > 0
