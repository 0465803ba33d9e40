"""Whoever keeps the archive resumes where it was killed, and may keep it in an object store."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

from event_store.archive import EVENTS, Archive, writing
from event_store.archive_hash import keyed
from event_store.archive_manifest import Manifest
from event_store.archive_store import LocalStore, store_at
from event_store.archive_verifying import verify
from event_store.bulk import Bulk
from event_store.log import Log
from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from events.citations import CitationIssued, CitationVoided
from events.envelope import Append
from events.payments import PaymentDishonoured, PaymentReceived
from events.reads import PlateRead
from events.vocabulary import Cents, Plate
from projections.reports.archivist import Archivist, keep
from tests import victims

KEY = b"a key of this test"
HASHED = keyed(KEY)
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def reads(count: int, begin: int = 0) -> list[Append]:
    return [
        Append(
            [
                PlateRead(
                    at=NOON + timedelta(seconds=n),
                    read=f"r{n}",
                    plate=Plate(f"ON A{n % 97}"),
                    zone="F",
                    device="H",
                )
            ],
            uuid4(),
        )
        for n in range(begin, begin + count)
    ]


def written(dsn: str, root: Path, rows: int = 250_000) -> Manifest:
    with writing(dsn):
        return Archivist(dsn, Archive(LocalStore(root)), HASHED, rows=rows).catch_up()


def test_a_day_ends_a_segment(dsn: str, tmp_path: Path) -> None:
    simulate(dsn)
    log = PostgresLog(dsn)
    for hours in (10, 11, 12, 13, 40):
        log.set_now(NOON + timedelta(hours=hours))
        log.append(reads(1, hours)[0])
    log.close()
    found = written(dsn, tmp_path)
    assert [(s.first, s.last, s.day) for s in found.segments] == [
        (1, 2, "2026-03-05"),
        (3, 4, "2026-03-06"),
        (5, 5, "2026-03-07"),
    ]


def test_segments_hold_no_more_events_than_they_may(log: Log, dsn: str, tmp_path: Path) -> None:
    for append in reads(23):
        log.append(append)
    found = written(dsn, tmp_path, rows=10)
    assert [(s.first, s.last) for s in found.segments] == [(1, 10), (11, 20), (21, 23)]
    assert all(one.wrong is None for one in verify(Archive(LocalStore(tmp_path)), dsn, HASHED))


def test_an_empty_log_makes_no_archive(log: Log, dsn: str, tmp_path: Path) -> None:
    assert log.head() == 0
    assert written(dsn, tmp_path).segments == ()


def test_what_a_citation_comes_to_is_the_same_however_the_log_is_cut(
    log: Log, dsn: str, tmp_path: Path
) -> None:
    at = NOON
    log.append(Append([PaymentReceived(at=at, payment="P-1", amount=Cents(3000), citation="C-1")], uuid4()))
    for number in range(1, 6):
        issued = CitationIssued(
            at=at, citation=f"C-{number}", plate=Plate("ON A1"), zone="F", code="NP", fine=Cents(6000)
        )
        log.append(Append([issued], uuid4()))
    log.append(Append([PaymentDishonoured(at=at, payment="P-1")], uuid4()))
    log.append(Append([CitationVoided(at=at, citation="C-2", reason="error")], uuid4()))
    whole = written(dsn, tmp_path / "whole")
    for rows in (1, 2, 5):
        root = tmp_path / f"by {rows}"
        with writing(dsn):
            for _ in range(8):  # a new process each time: nothing is remembered
                manifest = Archivist(dsn, Archive(LocalStore(root)), HASHED, rows=rows).catch_up()
        assert rows_of(root, manifest) == rows_of(tmp_path / "whole", whole)


def rows_of(root: Path, manifest: Manifest) -> list[dict[str, object]]:
    rows = [
        row
        for path in manifest.paths("citations")
        for row in pq.read_table(root / path, partitioning=None).to_pylist()
    ]
    return sorted(rows, key=lambda row: (row["position"], row["citation"]))


@pytest.mark.fault
def test_killed_at_any_moment_it_leaves_an_archive_and_goes_on_from_there(
    log: Log, dsn: str, tmp_path: Path
) -> None:
    bulk = Bulk(dsn)
    bulk.append(reads(12_000))
    bulk.close()
    archive, chance = Archive(LocalStore(tmp_path)), random.Random(5)  # noqa: S311 - moments, not secrets
    before = 0
    for _ in range(4):
        process = victims.archivist(dsn, tmp_path, KEY, rows=400)
        time.sleep(chance.uniform(0.01, 0.6))  # the moment of the kill is the point of the test
        process.kill()
        process.join()
        manifest = archive.manifest()
        manifest.check()
        assert manifest.upto >= before
        before = manifest.upto
    finished = written(dsn, tmp_path, rows=400)
    assert finished.upto == log.head()
    known = {f.path for s in finished.segments for f in s.files.values()} | {r.path for r in finished.retired}
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} - {
        "manifest.json"
    }
    assert left == known
    assert all(one.wrong is None for one in verify(archive, dsn, HASHED))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An object store that speaks S3, on this machine, and the address of a place in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield f"s3://history/office?region=us-east-1&scheme=http&endpoint_override={host}:{port}&allow_bucket_creation=true"
    server.stop()


def test_an_object_store_holds_an_archive_as_a_directory_does(
    log: Log, dsn: str, tmp_path: Path, bucket: str
) -> None:
    files, _ = fs.FileSystem.from_uri(bucket)
    files.create_dir("history")
    for append in reads(30):
        log.append(append)
    archive = Archive(store_at(bucket, tmp_path))
    with writing(dsn):
        manifest = Archivist(dsn, archive, HASHED, rows=10).catch_up()
    assert [(s.first, s.last) for s in archive.manifest().segments] == [(1, 10), (11, 20), (21, 30)]
    copies = [archive.store.local(path) for path in manifest.paths(EVENTS)]
    assert sum(pq.read_metadata(copy).num_rows for copy in copies) == 30
    assert all(one.wrong is None for one in verify(archive, dsn, HASHED))
    archive.store.write("events/half.parquet", b"left behind")
    assert archive.tidy() == ["events/half.parquet"]


def test_it_keeps_up_until_it_is_told_to_stop(log: Log, dsn: str, tmp_path: Path) -> None:
    archive, stop = Archive(LocalStore(tmp_path)), Event()
    thread = Thread(target=keep, args=(Archivist(dsn, archive, HASHED), dsn, stop, 0.01))
    thread.start()
    try:
        for number in range(3):
            log.append(reads(1, number)[0])
            while archive.manifest().upto < log.head():
                time.sleep(0.02)
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
