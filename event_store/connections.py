"""Connections of the log: their settings, and how the failure of one is told from a refused statement.

The application works under a role that may read the log and append to it through the log's own function,
and nothing else. Plans are made once and never by reading whole tables: statistics of a young table must
not decide how an old one is read.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from event_store.log import LogUnavailable
from event_store.migrations import NewerSchema, NotMigrated, check
from event_store.packing import accept_packed

APPEND_ROLE = "parkledger_app"
IMPORT_ROLE = "parkledger_import"
_CONNECT_TIMEOUT = 5
_SILENCE = 20_000
"""Milliseconds after which a network connection that acknowledges nothing counts as lost."""
_ITS_OWN_FAULT = {"21", "22", "23", "54"}
"""Classes of SQLSTATE that speak of the data: something that was sent cannot be kept."""
_BROKEN = {"08", "40", "53", "55", "57", "58", "XX"}
"""Classes of SQLSTATE that speak of the server's condition, not of what it was asked."""
_SETTINGS = """
    set timezone to 'UTC'; set jit to off; set synchronous_commit to on;
    set plan_cache_mode to force_generic_plan;
    set enable_seqscan to off; set enable_hashjoin to off; set enable_mergejoin to off;
    set idle_in_transaction_session_timeout to '30s'; set statement_timeout to '60s'
"""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INT8 = Struct(">q")


class _Json(Loader):
    """Gives JSON as bytes: the codec reads it into the event that it belongs to."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)[1:]


class _Instant(Loader):
    """Gives instants in UTC, three times faster than by way of a time zone."""

    format = Format.BINARY

    def load(self, data: Buffer) -> datetime:
        return _EPOCH + timedelta(microseconds=_INT8.unpack(data)[0])


def connect(
    dsn: str, role: str = APPEND_ROLE, *, before: Callable[[Connection[Any]], None] | None = None
) -> Connection[Any]:
    """Return a connection of the log in autocommit mode, working under `role`.

    `before` runs under the user of the connection string.

    Raises:
        LogUnavailable: if the database cannot be reached or is not a log that this program knows.

    """
    try:
        connection: Connection[Any] = psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=0,
            connect_timeout=_CONNECT_TIMEOUT,
            tcp_user_timeout=_SILENCE,
            application_name="parkledger log",
        )
    except psycopg.Error as failed:
        raise LogUnavailable(f"{LogUnavailable.__doc__} ({str(failed).strip()})") from failed
    try:
        check(connection)
        if before:
            before(connection)
        connection.execute(_SETTINGS, prepare=False)
        connection.execute(f"set role {role}".encode())
    except (psycopg.Error, NewerSchema, NotMigrated) as failed:
        connection.close()
        raise LogUnavailable(str(failed).strip()) from failed
    connection.adapters.register_loader("jsonb", _Json)
    connection.adapters.register_loader("timestamptz", _Instant)
    accept_packed(connection)
    return connection


def session_of(connection: Connection[Any]) -> tuple[int, datetime]:
    """Return the server's process for this connection, and since when it runs."""
    asked = "select pid, backend_start from pg_stat_activity where pid = pg_backend_pid()"
    row = connection.execute(asked).fetchone()
    if row is None:
        raise LogUnavailable("the server does not tell which session this is")
    return row[0], row[1]


def end_session(connection: Connection[Any], process: int, since: datetime) -> None:
    """End another session of the same user, if it still runs, and wait until it has ended."""
    connection.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid = %s and backend_start = %s",
        [process, since],
    )


def is_broken(connection: Connection[Any], failure: psycopg.Error) -> bool:
    """Tell whether a statement failed for the server's condition rather than for what it was asked."""
    return connection.broken or connection.closed or (failure.sqlstate or "08")[:2] in _BROKEN


def is_its_own_fault(failure: psycopg.Error) -> bool:
    """Tell whether a statement failed for the data that it brought."""
    return (failure.sqlstate or "")[:2] in _ITS_OWN_FAULT


class Succession:
    """Makes one connection after another for one writer.

    Whoever lost a connection cannot know whether the server knows it too, so the session before is ended,
    and with it whatever it was about to commit, before the next one begins.
    """

    def __init__(self, dsn: str, role: str, prepare: Callable[[Connection[Any]], None] | None = None) -> None:
        """Connect when first asked; `prepare` sees every new connection."""
        self._dsn = dsn
        self._role = role
        self._prepare = prepare
        self._current: Connection[Any] | None = None
        self._session: tuple[int, datetime] | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone that was last handed out."""
        return self._current is None or self._current.closed

    def connection(self) -> Connection[Any]:
        """Return the connection, a new one where it was lost.

        Raises:
            LogUnavailable: if the database cannot be reached.

        """
        if self._current is None or self._current.closed:
            self.close()
            connection = connect(self._dsn, self._role, before=self._succeed)
            if self._prepare:
                self._prepare(connection)
            self._current = connection
        return self._current

    def _succeed(self, connection: Connection[Any]) -> None:
        if self._session:
            end_session(connection, *self._session)
        self._session = session_of(connection)

    def close(self) -> None:
        """Let go of the connection."""
        if self._current:
            self._current.close()
            self._current = None


class Pool:
    """Keeps a few connections for reading, the last used at hand; makes more as they are needed."""

    def __init__(self, open_one: Callable[[], Connection[Any]], keep: int) -> None:
        """Keep at most `keep` connections open while nobody uses them."""
        self._open = open_one
        self._keep = keep
        self._idle: deque[Connection[Any]] = deque()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """Lend a connection.

        Raises:
            LogUnavailable: if there is none to be had, or it broke while it was lent.

        """
        if self._closed:
            raise LogUnavailable("the log was closed")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._open()
        try:
            yield connection
        except psycopg.Error as failed:
            broken = is_broken(connection, failed)
            if broken:
                self.clear()
                raise LogUnavailable(f"{LogUnavailable.__doc__} ({str(failed).strip()})") from failed
            raise
        finally:
            self._take_back(connection)

    def run[T](self, ask: Callable[[Connection[Any]], T]) -> T:
        """Return what `ask` reads, asked again on a new connection if a kept one had gone stale."""
        with contextlib.suppress(LogUnavailable), self.connection() as connection:
            return ask(connection)
        with self.connection() as connection:
            return ask(connection)

    def _take_back(self, connection: Connection[Any]) -> None:
        if connection.closed or self._closed or len(self._idle) >= self._keep:
            connection.close()
        else:
            self._idle.append(connection)

    def clear(self) -> None:
        """Close what is kept: where one connection broke, its neighbours probably did."""
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()

    def close(self) -> None:
        """Close what is kept, and what comes back."""
        self._closed = True
        self.clear()
