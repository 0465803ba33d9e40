"""`serve`: all services under one supervisor, or one of them alone, on whatever PostgreSQL there is."""

import logging
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import psycopg

from operations.embedded import EmbeddedPostgres
from operations.parent import end_with_parent
from operations.settings import BadSetting, Settings
from operations.supervisor import Program, Supervisor, listen

_LOG = logging.getLogger(__name__)


@contextmanager
def database(settings: Settings, name: str | None = None) -> Iterator[str]:
    """Yield the connection string of a database with all its tables; the embedded PostgreSQL runs meanwhile.

    Raises:
        NoPostgres: if the embedded PostgreSQL cannot be started.
        BadSetting: if the database cannot be reached, goes away, or cannot be used by this release.

    """
    with ExitStack() as stack, _in_words():
        dsn = settings.dsn
        if dsn is None:
            server = stack.enter_context(EmbeddedPostgres(settings.data / "postgres"))
            dsn = server.ensure(name or settings.database)
        migrate_all(dsn)
        yield dsn


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in one sentence that the database went away under what uses it."""
    try:
        yield
    except psycopg.OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        raise BadSetting(
            f"The database cannot be used ({reason}). Start it, or correct PARKLEDGER_DSN."
        ) from error


def migrate_all(dsn: str) -> None:
    """Bring the tables of the log and of the read models up to date; several processes may do so at once.

    Raises:
        BadSetting: if the database cannot be reached, or cannot be used by this release.

    """
    from event_store.migrations import NewerSchema, OpenPlates, RoleMissing, VaultMissing, migrate
    from projections import schema

    try:
        migrate(dsn)
        schema.ensure(dsn)
    except (NewerSchema, OpenPlates, RoleMissing, VaultMissing) as error:
        raise BadSetting(str(error)) from error
    except psycopg.Error as error:
        reason = str(error).strip().partition("\n")[0]
        raise BadSetting(
            f"The database cannot be used ({reason}). Start it, or correct PARKLEDGER_DSN."
        ) from error


def sockets_of(settings: Settings, names: Sequence[str]) -> dict[str, list[socket.socket]]:
    """Return the listening sockets of each named service, none where it has no port.

    Raises:
        PortTaken: with a sentence that says what to do.

    """
    ports = {"write-api": settings.write_port, "read-api": settings.read_port}
    return {
        name: [listen(settings.host, ports[name], f"PARKLEDGER_{name.replace('-api', '').upper()}_PORT")]
        if name in ports
        else []
        for name in names
    }


def supervise(
    settings: Settings, dsn: str, names: Sequence[str], sockets: Mapping[str, Sequence[socket.socket]]
) -> Supervisor:
    """Return a supervisor of the named services, each as often as the settings say."""
    workers = {"write-api": settings.write_workers, "read-api": settings.read_workers}
    environment = settings.with_dsn(dsn).environment()
    programs = [
        Program(name, command(name, sockets[name]), sockets[name], environment)
        for name in names
        for _ in range(workers.get(name, 1))
    ]
    return Supervisor(programs, settings.drain_seconds)


def command(name: str, sockets: Sequence[socket.socket]) -> list[str]:
    """Return the command that runs one service as a child of this process."""
    handed = [f"--socket={one.fileno()}" for one in sockets]
    parent = f"--supervised-by={os.getpid()}"
    return [sys.executable, "-P", "-m", "operations", "serve", name, parent, *handed]


def serve_all(settings: Settings, names: Sequence[str]) -> None:
    """Run the named services until SIGTERM or Ctrl-C.

    Raises:
        BadSetting: if there is no such service, or it needs what is not configured.
        PortTaken: if a port is not free.
        NoPostgres: if the embedded PostgreSQL cannot be started.

    """
    _check(settings, names)
    sockets = sockets_of(settings, names)
    with database(settings) as dsn:
        supervisor = supervise(settings, dsn, names, sockets)
        _LOG.info("pages and read API: %s, write API: %s", settings.pages, settings.ways_in)
        supervisor.run()


def _check(settings: Settings, names: Sequence[str]) -> None:
    """Refuse what would only end and be started again, over and over."""
    from operations.processes import OF_KAFKA, PLAY, SERVICES, kafka_of

    for name in names:
        if name not in SERVICES | PLAY:
            raise BadSetting(f"There is no service {name!r}; there are {', '.join(SERVICES)}.")
        if name in OF_KAFKA:
            kafka_of(settings)


def serve_one(
    settings: Settings, name: str, *, supervised_by: int | None = None, handed: Sequence[int] = ()
) -> None:
    """Run one service in this process.

    Args:
        settings: how.
        name: which.
        supervised_by: process id of the supervisor, with which this process ends.
        handed: file descriptors of listening sockets that the supervisor made.

    Raises:
        BadSetting: if there is no such service.
        PortTaken: if its port is not free.

    """
    from event_store.tracing import switch_on
    from operations.processes import PLAY, SERVICES

    if supervised_by is not None:
        end_with_parent(supervised_by)
    _check(settings, [name])
    service = (SERVICES | PLAY)[name]
    sockets = [socket.socket(fileno=one) for one in handed] or sockets_of(settings, [name])[name]
    switch_on(name)
    with database(settings) as dsn:
        service(dsn, settings.with_dsn(dsn), sockets)
