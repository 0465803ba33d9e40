"""Reads that come by a topic beside the same reads as a stream of lines over HTTP, until they are in the log.

Both begin with an empty log and end when the last read is durable; the first read starts the clock.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from uuid import uuid4

import psycopg
from kafka import KafkaProducer

from benchmarks.harness import Sample
from event_store.brokers import Access, using
from event_store.postgres import PostgresLog
from event_store.topics import READS_IN, REJECTED
from events.envelope import Append
from events.zones import ZoneOpened
from operations.embedded import EmbeddedPostgres
from operations.identity import Role
from operations.keys import mint
from operations.serving import migrate_all
from operations.settings import Settings

_numbers = count(1)
_HEAD = "SELECT coalesce(max(position), 0) FROM log.events"


def by_topic(server: EmbeddedPostgres, access: Access, directory: Path, reads: int) -> Sample:
    """Publish the reads first, then let one member of the group take them."""
    settings = _office(server, access, directory)
    settings.topics.ensure(access, (READS_IN, REJECTED))
    topic = settings.topics.name(READS_IN)
    with using(KafkaProducer, access, batch_size=65_536) as producer:
        for line in _lines(reads):
            producer.send(topic, line, b"H%d" % (len(line) % 7))
        producer.flush(60)
    with _serving("ingest", settings):
        return {"rate": _rate(settings, reads)}


def by_http(server: EmbeddedPostgres, access: Access, directory: Path, reads: int) -> Sample:
    """Send the reads as one stream, and read the answers as they come."""
    settings = _office(server, access, directory)
    with _serving("write-api", settings):
        while not _listens(settings.write_port):
            time.sleep(0.02)
        sending = Thread(target=_send, args=(settings, reads))
        sending.start()
        rate = _rate(settings, reads)
        sending.join()
        return {"rate": rate}


def _lines(reads: int) -> Iterator[bytes]:
    at = "2026-03-05T14:00:00Z"
    for number in range(reads):
        read = {"read": f"r{number}", "plate": f"ON A{number % 5000}", "zone": "F", "device": "H1", "at": at}
        yield json.dumps(read).encode()


def _office(server: EmbeddedPostgres, access: Access, directory: Path) -> Settings:
    """Return the settings of an office of its own, with one zone."""
    dsn = server.create(f"ingest_{next(_numbers)}")
    migrate_all(dsn)
    with closing(PostgresLog(dsn)) as log:
        zone = ZoneOpened.model_validate(
            {"at": "2026-01-01T00:00:00Z", "zone": "F", "name": "F", "timezone": "UTC"}
        )
        log.append(Append([zone], uuid4()))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(
        data=directory, dsn=dsn, write_port=port, log_level="error", kafka_bootstrap=access.bootstrap,
        kafka_prefix=f"ingest-{uuid4().hex[:8]}", kafka_partitions=3,
    )  # fmt: skip


@contextmanager
def _serving(service: str, settings: Settings) -> Iterator[None]:
    command = [sys.executable, "-P", "-m", "operations", "serve", service]
    process = subprocess.Popen(command, env=os.environ | settings.environment())
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _rate(settings: Settings, reads: int) -> float:
    """Return how many reads a second became durable, from the first on."""
    assert settings.dsn is not None  # noqa: S101 - it was made above
    with psycopg.connect(settings.dsn, autocommit=True) as connection:

        def there() -> int:
            row = connection.execute(_HEAD).fetchone()
            return int(row[0]) - 1 if row else 0

        while not (first := there()):
            time.sleep(0.002)
        began = time.perf_counter()
        while there() < reads:
            time.sleep(0.005)
        return (reads - first) / (time.perf_counter() - began)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _send(settings: Settings, reads: int) -> None:
    token = mint(settings, Role.DEVICE, "H1", None)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    connection = http.client.HTTPConnection("127.0.0.1", settings.write_port, timeout=300)
    body = b"\n".join(_lines(reads)) + b"\n"
    connection.request("POST", "/v1/plate-reads", body, headers)
    connection.getresponse().read()
    connection.close()
