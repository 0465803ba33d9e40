"""The patrol: goes through all keys of all models, over and over, at low load, and proves that none drifted.

What it found last stands in `views.proofs` and `views.drifted`. A round of a model takes the keys that have
rows, then those that events carry: what should have rows and has none is found as well. It goes on where it
was after a restart, and one patrol alone goes through a database.
"""

import logging
from collections.abc import Sequence
from threading import Event as Flag
from time import monotonic
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from event_store.codec import Codec
from projections.connection import connect
from projections.drifting import Checked, check, keys_of_log, keys_of_table, live, without_rows
from projections.projection import Projection

_LOG = logging.getLogger(__name__)
SIZE = 50
"""Keys that are folded again at a time, some ten milliseconds."""
SHARE = 0.03
"""Of the time that it may work; the rest it sleeps."""
PAUSE = 5.0
"""Seconds between two rounds, and until a lost connection is tried again."""
_TURN = "SELECT pg_try_advisory_lock(hashtextextended('parkledger patrol', 0))"
_GOING = "SELECT phase, after FROM views.proofs WHERE (name, version, build) = (%s, %s, %s)"
_NOTE = """
    INSERT INTO views.proofs AS p (name, version, build, phase, after, keys, found, position)
    VALUES (%(name)s, %(version)s, %(build)s, %(phase)s, %(after)s, %(keys)s, %(found)s, %(position)s)
    ON CONFLICT (name, version, build) DO UPDATE SET phase = excluded.phase, after = excluded.after,
        keys = p.keys + excluded.keys, found = p.found + excluded.found, position = excluded.position,
        checked_at = clock_timestamp()
"""
_ROUND = """
    UPDATE views.proofs SET phase = 'table', after = '', rounds = rounds + 1, round_at = clock_timestamp(),
        round_keys = keys, round_found = found, round_position = position, keys = 0, found = 0
    WHERE (name, version, build) = (%s, %s, %s)
"""
_FORGET = "DELETE FROM views.drifted WHERE (name, version, build) = (%s, %s, %s) AND key = ANY(%s)"
_FOUND = """
    INSERT INTO views.drifted (name, version, build, key, known_from, part, live, wanted, position, type)
    VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s)
    ON CONFLICT (name, version, build, key, known_from, part) DO UPDATE
    SET live = excluded.live, wanted = excluded.wanted, position = excluded.position, type = excluded.type
"""
_ABANDONED = """
    DELETE FROM views.{} d WHERE NOT EXISTS (
        SELECT FROM views.progress p WHERE (p.name, p.version, p.build) = (d.name, d.version, d.build)
        AND p.stage = 'following')
"""


class Patrol:
    """Goes through the models of one database until it is stopped."""

    def __init__(
        self,
        dsn: str,
        projections: Sequence[Projection],
        *,
        codec: Codec | None = None,
        size: int = SIZE,
        share: float = SHARE,
        pause: float = PAUSE,
    ) -> None:
        """Check `size` keys at a time, and work for `share` of the time."""
        self._dsn = dsn
        self._projections = projections
        self._codec = codec
        self._size = size
        self._share = share
        self._pause = pause
        self._stopped = Flag()

    def stop(self) -> None:
        """End `run` after the keys at hand."""
        self._stopped.set()

    def run(self) -> None:
        """Go round until `stop`; whatever goes wrong is tried again, and never troubles the process."""
        while not self._stopped.is_set():
            try:
                with connect(self._dsn, name="parkledger patrol") as connection:
                    row = connection.execute(_TURN).fetchone()
                    while row == (True,) and not self._stopped.is_set():
                        self.round(connection)
                        self._stopped.wait(self._pause)
            except psycopg.Error as failed:
                _LOG.debug("the patrol was interrupted: %s", failed)
            except Exception:  # noqa: BLE001 - whatever it is, it is told, and looked at again
                _LOG.exception("the patrol cannot fold some keys again")
            self._stopped.wait(self._pause)

    def round(self, connection: Connection[Any]) -> int:
        """Go through all keys of all models once; return how many rows differ."""
        for table in ("proofs", "drifted"):
            connection.execute(_ABANDONED.format(table).encode())
        return sum(self._through(connection, build) for build in live(connection, self._projections))

    def _through(self, connection: Connection[Any], build: Projection) -> int:
        """Finish the round of one model, from where it was left."""
        found = 0
        row = connection.execute(_GOING, build.identity).fetchone()
        phase, after = row or ("table", "")
        while not self._stopped.is_set():
            began = monotonic()
            keys = self._keys(connection, build, phase, after)
            if keys:
                asked = keys if phase == "table" else without_rows(connection, build, keys)
                checked = check(connection, build, asked, self._codec) if asked else Checked(0, 0, ())
                after = keys[-1]
                found += len(checked.drifted)
            else:
                asked, checked = [], Checked(0, 0, ())
                phase, after = self._next(build, phase), ""
            self._note(connection, build, phase, after, asked, checked)
            if phase == "done":
                connection.execute(_ROUND, build.identity)
                break
            self._stopped.wait((monotonic() - began) * (1 / self._share - 1))
        return found

    def _keys(self, connection: Connection[Any], build: Projection, phase: str, after: str) -> list[str]:
        if phase == "table":
            return keys_of_table(connection, build, after, self._size)
        return keys_of_log(connection, phase, after, self._size, self._codec)

    def _next(self, build: Projection, phase: str) -> str:
        """Return the kind of keys that comes after a phase."""
        phases = ["table", *sorted(build.rooted), "done"]
        return phases[phases.index(phase) + 1] if phase in phases else "done"

    def _note(
        self,
        connection: Connection[Any],
        build: Projection,
        phase: str,
        after: str,
        keys: Sequence[str],
        checked: Checked,
    ) -> None:
        told = {"phase": phase, "after": after, "keys": checked.keys, "found": len(checked.drifted)}
        with connection.transaction():
            row = connection.execute(
                "SELECT position FROM views.progress WHERE (name, version, build) = (%s, %s, %s)",
                build.identity,
            ).fetchone()
            position = checked.position or (row[0] if row else 0)
            of = {"name": build.name, "version": build.version, "build": build.build, "position": position}
            connection.execute(_NOTE, {**told, **of})
            connection.execute(_FORGET, [*build.identity, list(keys)])
            for one in checked.drifted:
                sides = [msgspec.json.encode(side).decode() for side in (one.live, one.wanted)]
                place = [*build.identity, one.key, one.known_from, one.part]
                connection.execute(_FOUND, [*place, *sides, one.position, one.type])
