"""Connections to the read models: how values arrive from PostgreSQL, and the settings of the session."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INT8 = Struct(">q").unpack
_SETTINGS = (
    "SET timezone TO 'UTC'; SET jit TO off; SET plan_cache_mode TO force_generic_plan;"
    " SET enable_seqscan TO off; SET enable_hashjoin TO off; SET enable_mergejoin TO off;"
    " SET join_collapse_limit TO 1;"
    " SET idle_in_transaction_session_timeout TO '30s'"
)
_WITHOUT_DELAY = 5


class RawJson(Loader):
    """Gives jsonb as the bytes of its text, for the decoder that knows its type."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        """Return the text behind the version byte."""
        return bytes(data)[1:]


class Instants(Loader):
    """Gives instants in UTC, three times faster than by way of a time zone."""

    format = Format.BINARY

    def load(self, data: Buffer) -> datetime:
        """Return the instant: microseconds since 2000-01-01 UTC."""
        return _EPOCH + timedelta(0, 0, _INT8(data)[0])


def connect(
    dsn: str,
    *,
    name: str = "parkledger views",
    then: Callable[[Connection[Any]], None] | None = None,
) -> Connection[Any]:
    """Return a connection in autocommit mode that answers in binary and plans once.

    Plans never read whole tables, and join in the order that is written: the statistics of a young table must
    not decide how an old one is read.

    Raises:
        psycopg.OperationalError: if the database cannot be reached.

    """
    connection: Connection[Any] = psycopg.connect(
        dsn, autocommit=True, prepare_threshold=0, connect_timeout=_WITHOUT_DELAY, application_name=name
    )
    connection.execute(_SETTINGS, prepare=False)
    connection.adapters.register_loader("jsonb", RawJson)
    connection.adapters.register_loader("timestamptz", Instants)
    if then:
        then(connection)
    return connection
