"""Keeps the archive up with the log: a segment whenever enough has gathered, or has waited long enough.

One process does it at a time; others stand by. Whatever kills it, the archive stays what its manifest says:
files that were not named yet are removed by whoever begins next, and the same positions are written again.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import psycopg
from psycopg import Connection

from event_store.archive import EVENTS, Archive, Occupied, writing
from event_store.archive_batch import Connection as ArrowConnection
from event_store.archive_batch import arrow_connection, as_columns, column_maker, raw_rows
from event_store.archive_hash import Hash
from event_store.archive_manifest import BrokenArchive, Manifest
from event_store.codec import Codec
from event_store.log import LogUnavailable
from projections.connection import connect
from projections.reports.deriving import Deriving
from projections.reports.sighting import Sighting
from projections.reports.sightings import SIGHTINGS

ROWS = 250_000
"""Events of a segment at most: what archiving holds in memory at once."""
WAIT = 30.0
"""Seconds that events wait at most until they are archived; meanwhile reports read them from the log."""
ENOUGH = 50_000
"""Events that are archived without waiting."""
_PAUSE = 1.0
_STAND_BY = 5.0
_LOG = logging.getLogger(__name__)
_HEAD = "select position, recorded from log.events order by position desc limit 1"
_FIRST = "select encode(digest, 'hex') from log.events where position = 1"
_OLDEST = "select recorded from log.events where position = %s"
_END_OF_DAY = (
    "select position, recorded from log.events where position <= log.position_at(%s) and position <= %s"
    " order by position desc limit 1"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The positions that the next segment holds, all recorded on one day in UTC."""

    first: int
    last: int
    day: str


class Archivist:
    """Writes the archive of one log; only while holding its lock (`event_store.archive.writing`)."""

    def __init__(
        self, dsn: str, archive: Archive, hashed: Hash, *, codec: Codec | None = None, rows: int = ROWS
    ) -> None:
        """Write segments of at most `rows` events."""
        self._dsn = dsn
        self._archive = archive
        self._hashed = hashed
        self._codec = codec or Codec.of(dsn)
        self._rows = rows
        self._deriving: Deriving | None = None
        self._maker = column_maker()
        self._sighting = Sighting(archive, self._codec)

    def catch_up(
        self, done: Callable[[Manifest], None] = lambda _: None, *, upto: int | None = None
    ) -> Manifest:
        """Archive all that the log holds by now, or until position `upto` is in; tell after each segment.

        Raises:
            BrokenArchive: if the archive is of another log, or damaged.
            LogUnavailable: if the log cannot be reached.

        """
        with (
            closing(connect(self._dsn, name="parkledger archive")) as connection,
            arrow_connection(self._dsn) as arrow,
        ):
            manifest = self._begin(connection)
            while (stretch := _next(connection, manifest.upto, self._rows)) is not None:
                manifest = self._write(connection, arrow, manifest, stretch)
                done(manifest)
                if upto is not None and manifest.upto >= upto:
                    return manifest
            while self._archive.compact():
                manifest = self._archive.manifest()
        return manifest

    def _begin(self, connection: Connection[Any]) -> Manifest:
        row = connection.execute(_FIRST).fetchone()
        manifest = self._archive.begin(row[0] if row else "")
        self._archive.tidy()
        return manifest

    def _write(
        self, connection: Connection[Any], arrow: ArrowConnection, manifest: Manifest, stretch: Stretch
    ) -> Manifest:
        if self._deriving is None or self._deriving.after != manifest.upto:
            self._deriving = Deriving(self._hashed, manifest.upto, manifest.parked, self._codec)
        with ThreadPoolExecutor(1, "archive") as beside:  # folding is Python's, columns are not
            derived = beside.submit(self._deriving.derive, connection, stretch.last)
            rows = raw_rows(arrow, stretch.first - 1, stretch.last)
            events = as_columns(rows, self._hashed, self._maker)
            seen = self._sighting.derive(connection, manifest, events, stretch.last)
            tables = {EVENTS: events, **derived.result(), SIGHTINGS: seen}
        row = connection.execute(_FIRST).fetchone()
        log = row[0] if row else ""
        return self._archive.append(
            stretch.first, stretch.last, stretch.day, tables, log=log, parked=self._deriving.parked
        )

    def due(self, now: datetime, wait: float) -> bool:
        """Tell whether enough has gathered, or the oldest event has waited long enough."""
        with closing(connect(self._dsn, name="parkledger archive")) as connection:
            upto = self._archive.manifest().upto
            newest = connection.execute(_HEAD).fetchone()
            if newest is None or newest[0] <= upto:
                return False
            oldest = connection.execute(_OLDEST, [upto + 1]).fetchone()
            waited = now - oldest[0] if oldest else timedelta()
            return newest[0] - upto >= ENOUGH or not timedelta() <= waited < timedelta(seconds=wait)


def keep(archivist: Archivist, dsn: str, stop: Event, wait: float = WAIT) -> None:
    """Archive until told to stop; stands by while another process does, and waits while the log is away."""
    while not stop.is_set():
        try:
            with writing(dsn):
                _keep(archivist, stop, wait)
        except Occupied:
            stop.wait(_STAND_BY)
        except (LogUnavailable, psycopg.Error) as failed:
            _LOG.warning("The archive waits for the log: %s", failed)
            stop.wait(_STAND_BY)
        except BrokenArchive as broken:
            _LOG.error("The archive cannot be written: %s", broken)
            stop.wait(_STAND_BY)


def _keep(archivist: Archivist, stop: Event, wait: float) -> None:
    while not stop.is_set():
        if archivist.due(datetime.now(UTC), wait):
            upto = archivist.catch_up().upto
            _LOG.info("archived up to position %d", upto)
        stop.wait(_PAUSE)


def _next(connection: Connection[Any], upto: int, rows: int) -> Stretch | None:
    """Return the positions after `upto` that were recorded on one day, at most so many."""
    oldest = connection.execute(_OLDEST, [upto + 1]).fetchone()
    if oldest is None:
        return None
    day = oldest[0].astimezone(UTC).date()
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    before = midnight - timedelta(microseconds=1)
    last = connection.execute(_END_OF_DAY, [before, upto + rows]).fetchone()
    return Stretch(upto + 1, last[0], day.isoformat()) if last else None
