"""The keys of sealed personal data, kept outside the log, and forgotten for good when they are destroyed.

One key for each bucket: a local date, or a subject. A process remembers keys for a few seconds at most before
it looks for what changed, so that a key destroyed elsewhere is gone here as well. Looking costs what changed
and not what there is, as subjects are many.
"""

from collections.abc import Callable, Sequence
from os import urandom
from threading import Lock
from time import monotonic
from typing import Any, Self

import psycopg
from psycopg import Connection

from event_store.unavailable import LogUnavailable

KEY_BYTES = 32
_CONNECT_TIMEOUT = 5
FRESH_FOR = 5.0
"""Seconds for which remembered keys are used without looking again."""

OVERLAP = 60.0
"""Seconds by which a look reaches back behind the last one: further than clocks step and commits take."""

_KEYS = "SELECT bucket, key FROM vault.keys"
_CHANGED = f"{_KEYS} WHERE greatest(made, destroyed) > clock_timestamp() - make_interval(secs => %s)"
_MAKE = """
    INSERT INTO vault.keys (bucket, key) VALUES (%s, %s) ON CONFLICT (bucket) DO NOTHING RETURNING key
"""
_DESTROY = """
    INSERT INTO vault.keys (bucket, key, destroyed) VALUES (%s, NULL, clock_timestamp())
    ON CONFLICT (bucket) DO UPDATE SET key = NULL, destroyed = clock_timestamp()
    WHERE vault.keys.key IS NOT NULL
"""
_SECRET = "SELECT value FROM vault.secret"  # noqa: S105 - a statement

type Ask = Callable[[str, Sequence[object]], list[Any]]
"""Runs a statement with its parameters and returns its rows, none where it returns none."""


class Vault:
    """The keys of one database."""

    def __init__(self, ask: Ask) -> None:
        """Ask for keys by `ask`, when they are first needed."""
        self._ask = ask
        self._lock = Lock()
        self._keys: dict[str, bytes | None] = {}
        self._forgotten: set[str] = set()
        self._looked_at = float("-inf")
        self._secret: bytes | None = None

    @classmethod
    def of(cls, dsn: str) -> Self:
        """Return the vault of a database, reached by a connection of its own whenever it is asked."""

        def ask(statement: str, parameters: Sequence[object]) -> list[Any]:
            try:
                with psycopg.connect(dsn, autocommit=True, connect_timeout=_CONNECT_TIMEOUT) as connection:
                    return _rows(connection, statement, parameters)
            except psycopg.OperationalError as failed:
                raise LogUnavailable(f"{LogUnavailable.__doc__} ({str(failed).strip()})") from failed

        return cls(ask)

    @classmethod
    def over(cls, connection: Connection[Any]) -> Self:
        """Return the vault of a database, reached over a connection that belongs to somebody else."""
        return cls(lambda statement, parameters: _rows(connection, statement, parameters))

    @property
    def secret(self) -> bytes:
        """What the tags of personal values are hashed with."""
        if self._secret is None:
            self._secret = bytes(self._ask(_SECRET, ())[0][0])
        return self._secret

    def key(self, bucket: str) -> bytes | None:
        """Return the key of a bucket; `None` where there is none, or none any more."""
        with self._lock:
            if bucket not in self._keys or monotonic() - self._looked_at > FRESH_FOR:
                self._look()
            return None if bucket in self._forgotten else self._keys.get(bucket)

    def key_to_seal(self, bucket: str) -> bytes | None:
        """Return the key of a bucket, made now where it never had one; `None` where it was destroyed."""
        with self._lock:
            if monotonic() - self._looked_at > FRESH_FOR:
                self._look()
            if bucket in self._forgotten:
                return None
            if bucket not in self._keys:
                made = self._ask(_MAKE, (bucket, urandom(KEY_BYTES)))
                if made:
                    self._keys[bucket] = bytes(made[0][0])
                else:
                    self._look()
            return self._keys[bucket]

    def destroy(self, bucket: str) -> None:
        """Destroy the key of a bucket for good; one that was never made is never made then."""
        self._ask(_DESTROY, (bucket,))
        self.forget(bucket)

    def forget(self, bucket: str) -> None:
        """Use the key of a bucket no longer: the log says that it was destroyed."""
        with self._lock:
            self._forgotten.add(bucket)

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """Return what the log itself says of what is to be sealed: a zone's time zone, a read's bucket."""
        return self._ask(statement, parameters)

    def _look(self) -> None:
        began = monotonic()
        first = self._looked_at == float("-inf")
        found = self._ask(_KEYS, ()) if first else self._ask(_CHANGED, (began - self._looked_at + OVERLAP,))
        self._keys.update((bucket, bytes(key) if key is not None else None) for bucket, key in found)
        self._looked_at = began


def _rows(connection: Connection[Any], statement: str, parameters: Sequence[object]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.encode(), parameters)
        return cursor.fetchall() if cursor.description else []
