"""The runner: keeps read models up with the log, whatever dies, each effect exactly once.

All that it remembers can be lost at any moment: positions and rows are committed together, and everything
else follows from the log. On any trouble with its connection it starts again from what was committed.

A projection is run by one runner at a time. A second one stands by, and takes over within a second when the
first is gone. Commits do not wait for the disk: after a crash of the database the models stand a little
earlier than they did, positions and rows alike, and fold again what the log never loses.
"""

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from threading import Event as Flag
from time import monotonic
from typing import Any, Self
from uuid import uuid4

import psycopg
from psycopg import Connection

from projections.connection import connect
from projections.convoy import Convoy, Traveller
from projections.listening import Ear
from projections.locking import lock, unlock
from projections.parking import requested, retry
from projections.projection import Projection
from projections.schema import ensure, following
from projections.shares import level
from projections.taking_over import take_over

LOG_CHANNEL = "parkledger_log"
POLL = 1.0
"""Seconds after which the log is looked at even if no notice came, and the proof of life is renewed."""
PAGE_SIZE = 4_000
STALLED_FOR = 5.0
"""Seconds until a projection that could not go on as a whole is tried again."""
_BACK_OFF = (0.05, 0.1, 0.2, 0.5, 1.0)

ALIVE = (
    "INSERT INTO views.runners (runner, models, host, pid) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (runner) DO UPDATE SET models = excluded.models, alive_at = clock_timestamp()"
)
GONE = "DELETE FROM views.runners WHERE runner = %s"
_FORGOTTEN = "DELETE FROM views.runners WHERE alive_at < clock_timestamp() - interval '1 hour'"
STALL = "UPDATE views.progress SET stalled = %s WHERE (name, version, build) = (%s, %s, %s)"


class Runner:
    """Runs projections until it is stopped."""

    def __init__(self, dsn: str, projections: Sequence[Projection], *, page_size: int = PAGE_SIZE) -> None:
        """Run these projections on the database of `dsn`, `page_size` positions of the log at a time."""
        self._dsn = dsn
        self._projections = projections
        self._page_size = page_size
        self._stopped = Flag()
        self._ear: Ear | None = None
        self.identity = uuid4()

    def stop(self) -> None:
        """Finish the batch at hand and end `run`."""
        self._stopped.set()
        if self._ear is not None:
            self._ear.ring()

    def run(self) -> None:
        """Follow the log until `stop`; reconnects for as long as it takes."""
        failures = 0
        with Ear() as self._ear:
            while not self._stopped.is_set():
                try:
                    ensure(self._dsn, self._projections)
                    with self._session() as session:
                        failures = 0
                        self._follow(session, self._ear)
                except psycopg.Error:
                    self._stopped.wait(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
                    failures += 1

    def _follow(self, session: "_Session", ear: Ear) -> None:
        while not self._stopped.is_set():
            if not session.advance():
                session.wait(ear, POLL)

    def catch_up(self) -> int:
        """Run until all projections stand at the head of the log, and return its position.

        Raises:
            RuntimeError: if another runner has one of the projections.
            psycopg.Error: if the database fails.

        """
        ensure(self._dsn, self._projections)
        with self._session() as session:
            if session.standing_by:
                raise RuntimeError("another runner has these read models")
            while session.advance():
                pass
            return session.position

    def _session(self) -> "_Session":
        return _Session(self._dsn, self._projections, self._page_size, self.identity)


class _Session:
    """What a runner does over one connection, which also holds the lock of each of its projections."""

    def __init__(self, dsn: str, projections: Sequence[Projection], page_size: int, identity: Any) -> None:
        self._projections = projections
        self.standing_by: list[Projection] = []
        self._travellers: list[Traveller] = []
        self._stalled: dict[str, float] = {}
        self._identity = identity
        self._connection = connect(dsn, name="parkledger projector", then=_listen)
        self._convoy = Convoy(self._connection, page_size)
        self._alive_at = 0.0
        self._look_after()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(psycopg.Error):
            self._connection.execute(GONE, [self._identity])
        self._connection.close()

    @property
    def position(self) -> int:
        """The position that all projections have come to."""
        return min((traveller.position for traveller in self._travellers), default=0)

    def advance(self) -> bool:
        """Move the projections by a page each, those in front first; tell whether there may be more.

        Those behind go no further than those in front, so that they meet and travel on together.
        """
        if monotonic() - self._alive_at >= POLL:
            self._look_after()
        going = self._going()
        if not going:
            return False
        front = max(traveller.position for traveller in going)
        more = self._step([t for t in going if t.position == front])
        front = max(traveller.position for traveller in going)
        for position in sorted({t.position for t in going if t.position < front}, reverse=True):
            together = [t for t in going if t.position == position]
            self._step(together, front - position)
            more = more or any(t.position < front for t in self._going())
        return more

    def wait(self, ear: Ear, seconds: float) -> None:
        """Wait for a notice that the log grew, or for so long; an empty one asks to be looked after now."""
        if any(not notice.payload for notice in ear.wait(self._connection, seconds)):
            self._look_after()

    def _step(self, together: Sequence[Traveller], size: int | None = None) -> bool:
        more, stalled = self._convoy.step(together, size)
        for one in stalled:
            projection = one.traveller.projection
            self._stalled[projection.label] = monotonic() + STALLED_FOR
            self._connection.execute(STALL, [one.error[:2000], *projection.identity])
        return more

    def _going(self) -> Sequence[Traveller]:
        now = monotonic()
        return [t for t in self._travellers if self._stalled.get(t.projection.label, 0.0) <= now]

    def _look_after(self) -> None:
        """Take the builds that nobody runs, let go of those that were retired, and prove to be alive."""
        self._sort_out([b for p in self._projections for b in following(self._connection, p)])
        for projection in [p for p in self.standing_by if lock(self._connection, p)]:
            self.standing_by.remove(projection)
            level(self._connection, projection)
            self._travellers.append(Traveller.found(self._connection, projection))
        models = [traveller.projection.label for traveller in self._travellers]
        self._connection.execute(ALIVE, [self._identity, models, platform.node(), os.getpid()])
        if not self._alive_at:
            self._connection.execute(_FORGOTTEN)
        self._alive_at = monotonic()
        self._take_over()
        self._try_again()

    def _sort_out(self, builds: Sequence[Projection]) -> None:
        """Keep to the builds that follow the log now: a switch changes which they are."""
        labels = {build.label for build in builds}
        for gone in [t for t in self._travellers if t.projection.label not in labels]:
            self._travellers.remove(gone)
            unlock(self._connection, gone.projection)
        running = {traveller.projection.label for traveller in self._travellers}
        self.standing_by = [build for build in builds if build.label not in running]

    def _take_over(self) -> None:
        """Let readers over from versions that only an older release knows, and that nobody keeps any more."""
        for one in self._travellers:
            take_over(self._connection, one.projection)

    def _try_again(self) -> None:
        """Try the parked keys again that somebody asked for."""
        for *identity, key in requested(self._connection):
            for one in self._travellers:
                if one.projection.identity == tuple(identity):
                    retry(self._connection, one.projection, one.fold, one.position, key)


def _listen(connection: Connection[Any]) -> None:
    connection.execute(f"LISTEN {LOG_CHANNEL}".encode())
    connection.execute("SET synchronous_commit TO off")
