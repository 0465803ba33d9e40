"""The services of an installation, each in a process of its own, and how each is put together from its parts.

Nothing is imported before it is needed: `parkledger --help` stays quick, and a projector never loads FastAPI.
"""

import logging
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Event, Thread
from typing import TYPE_CHECKING

import uvicorn

from operations.draining import DrainingServer
from operations.memory import settle_memory
from operations.settings import BadSetting, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from event_store.brokers import Access

type Service = Callable[[str, Settings, Sequence[socket.socket]], None]
_LOG = logging.getLogger(__name__)


def write_api(dsn: str, settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Take commands and plate reads."""
    from event_store.postgres import PostgresLog
    from operations.keys import authenticator
    from projections.lookups import Lookups
    from write_api.app import create_app

    with closing(PostgresLog(dsn)) as log, Lookups(dsn) as lookups:
        app = create_app(log, lookups, authenticator(settings), settings.with_dsn(dsn))
        _serve(app, settings, sockets)


def read_api(dsn: str, settings: Settings, sockets: Sequence[socket.socket]) -> None:
    """Answer questions and show the pages."""
    from event_store.postgres import PostgresLog
    from operations.archiving import reports_of
    from operations.keys import authenticator
    from projections.lookups import Lookups
    from read_api.app import create_app

    with (
        closing(PostgresLog(dsn)) as log,
        Lookups(dsn, patience=settings.wait_seconds) as lookups,
        reports_of(dsn, settings) as reporting,
    ):
        app = create_app(log, lookups, authenticator(settings), settings, reporting)
        _serve(app, settings, sockets)


def projector(dsn: str, settings: Settings, _: Sequence[socket.socket]) -> None:
    """Keep the read models up to date with the log, and prove all the while that none drifts from it."""
    from projections.from_kafka import FromKafka
    from projections.patrol import Patrol
    from projections.registry import PROJECTIONS
    from projections.runner import Runner

    runner: Runner | FromKafka = (
        Runner(dsn, PROJECTIONS)
        if settings.projector_source == "postgresql"
        else FromKafka(dsn, kafka_of(settings), settings.topics, PROJECTIONS)
    )
    patrol = Patrol(dsn, PROJECTIONS)

    def stop() -> None:
        patrol.stop()
        runner.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
    settle_memory()
    walking = Thread(target=patrol.run, name="parkledger-patrol", daemon=True)
    walking.start()
    runner.run()


def automation(dsn: str, _: Settings, __: Sequence[socket.socket]) -> None:
    """Do what falls due: late fees, lapsing offers, reviews of citations whose evidence changed."""
    from event_store.postgres import PostgresLog
    from operations.automation import Automation
    from operations.checkpoint import Checkpoint

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with closing(PostgresLog(dsn)) as log, closing(Checkpoint(dsn)) as checkpoint:
        settle_memory()
        Automation(log, checkpoint).run(stop)


def sealer(dsn: str, settings: Settings, __: Sequence[socket.socket]) -> None:
    """Grow the Merkle tree over the log and sign its heads; the only process that reads the signing key."""
    from event_store.seal import keep_sealing
    from operations.sealing_key import signer

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    keep_sealing(dsn, signer(settings), settings.seal_seconds, stop.wait)


def archive(dsn: str, settings: Settings, __: Sequence[socket.socket]) -> None:
    """Write the log's history as columns, for reports and analysts."""
    from operations.archiving import archivist
    from projections.reports.archivist import keep

    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    writer = archivist(dsn, settings)
    settle_memory()
    keep(writer, dsn, stop, settings.archive_seconds)


def relay(dsn: str, settings: Settings, _: Sequence[socket.socket]) -> None:
    """Publish the log to Kafka."""
    from event_store.relay import Relay

    running = Relay(dsn, kafka_of(settings), settings.topics)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop())
    settle_memory()
    running.run()


def ingest(dsn: str, settings: Settings, _: Sequence[socket.socket]) -> None:
    """Take plate reads that cameras publish to Kafka."""
    from event_store.postgres import PostgresLog
    from operations.keys import authenticator
    from projections.lookups import Lookups
    from write_api.ingest import Ingest

    access, here = kafka_of(settings), settings.with_dsn(dsn)
    with closing(PostgresLog(dsn)) as log, Lookups(dsn) as lookups:
        running = Ingest(log, lookups, authenticator(settings), here, access, settings.topics)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: running.stop())
        settle_memory()
        running.run()


def kafka_of(settings: Settings) -> "Access":
    """Return how Kafka is reached.

    Raises:
        BadSetting: where it is not configured.

    """
    if settings.kafka is None:
        raise BadSetting("This service needs Kafka: set PARKLEDGER_KAFKA_BOOTSTRAP to its brokers.")
    return settings.kafka


def town(_: str, settings: Settings, __: Sequence[socket.socket]) -> None:
    """Let the simulated town live its day, over HTTP like everybody else."""
    from operations.identity import Role
    from operations.keys import mint
    from replay.town import run_town

    def token_for(role: str, subject: str | None = None, account: str | None = None) -> str:
        return mint(settings, Role(role), subject, account)

    run_town(settings.ways_in, settings.pages, token_for)


SERVICES: dict[str, Service] = {
    "write-api": write_api,
    "read-api": read_api,
    "projector": projector,
    "automation": automation,
    "sealer": sealer,
    "archive": archive,
    "relay": relay,
    "ingest": ingest,
}
"""Every service by the name that `parkledger serve` knows it by, in the order of their start."""

OF_KAFKA = frozenset({"relay", "ingest"})
"""What runs only where Kafka is configured."""

PLAY: dict[str, Service] = {"town": town}
"""What only the demo runs."""


def of(settings: Settings) -> list[str]:
    """Return the names of the services of an installation that is configured so."""
    return [name for name in SERVICES if settings.kafka is not None or name not in OF_KAFKA]


def _serve(app: "FastAPI", settings: Settings, sockets: Sequence[socket.socket]) -> None:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(settings.drain_seconds),
        timeout_keep_alive=75,
    )
    settle_memory()
    for one in sockets:
        _LOG.info("listening on http://%s:%d", *one.getsockname()[:2])
    DrainingServer(config).run(sockets=list(sockets))
