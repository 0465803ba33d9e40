"""Rebuilding read models from the log, beside the live ones, with one pass over the log for all of them.

Everything is folded in memory and written with COPY into a table without indexes, which then gets them:
several times as fast as batch by batch. When memory runs short, what there is is written, and the rest goes
batch by batch as the runner does it. Only tables and positions are written; nothing is decided, published or
appended, whatever is folded again.

Killed at any moment, a rebuild leaves a build that nobody reads; the next one takes it up where it was
committed, or begins it anew where nothing was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
from psycopg import Connection

from event_store.codec import Codec
from projections import builds
from projections.connection import connect
from projections.convoy import Convoy, Traveller
from projections.locking import lock, lock_rebuild
from projections.projection import Projection
from replay.pages import PAGE, head_of
from replay.sharing import Share, fold_into, in_processes, shared, worthwhile
from replay.watching import Watch

BATCH = 4_000
"""Positions of a batch, where not everything fits into memory."""
_HALF = 2
_KIB = 1024


class AlreadyRebuilding(RuntimeError):
    """Somebody else is rebuilding this read model; look at it in /v1/projections, or wait until it ends."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A finished build: how many positions of the log it came from, its rows, and how it was made."""

    build: Projection
    position: int
    rows: int
    digest: str
    events: int
    seconds: float
    whole: bool
    parked: int


def available_memory() -> int:
    """Return half of the memory that is free now, in bytes."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * _KIB // _HALF
    return 2**31


class Rebuild:
    """One rebuild of some read models. Not for several threads at once."""

    def __init__(
        self,
        dsn: str,
        projections: Sequence[Projection],
        *,
        page: int = PAGE,
        memory: int | None = None,
        watch: Watch | None = None,
        codec: Codec | None = None,
        digest: bool = True,
        processes: int | None = 1,
    ) -> None:
        """Rebuild these, keeping to `memory` bytes (half of what is free); `digest` the rows at the end.

        Several processes share the models among them, those of the registry only; with `None` as many as
        are worth their start.
        """
        self._digest = digest
        self._processes = processes
        self._dsn = dsn
        self._projections = projections
        self._page = page
        self._memory = available_memory() if memory is None else memory
        self._watch = watch or Watch()
        self._codec = codec

    def run(self) -> list[Rebuilt]:
        """Build all, and return what came of each; they wait to be switched in.

        Raises:
            AlreadyRebuilding: if somebody else has one of them.

        """
        with self.held() as found:
            return found

    @contextmanager
    def held(self) -> Iterator[list[Rebuilt]]:
        """Build all, and yield what came of each; nobody drops the builds as long as this lasts.

        Raises:
            AlreadyRebuilding: if somebody else has one of them.

        """
        with connect(self._dsn, name="parkledger rebuild") as connection:
            connection.execute("SET synchronous_commit TO off")
            yield self._built(connection)

    def _built(self, connection: Connection[Any]) -> list[Rebuilt]:
        began = monotonic()
        made = [_taken(connection, projection) for projection in self._projections]
        upto = head_of(connection)
        with self._watch.over(self._dsn, made, upto):
            fresh = [build for build, position in made if position == 0]
            whole = self._fold(connection, fresh, upto) if fresh else set[str]()
            for build, _ in made:
                self._watch.step(build, "indexing")
                builds.index(connection, build)
            catch_up(connection, [build for build, _ in made], self._watch)
            return [
                self._finished(connection, build, monotonic() - began, whole=build.label in whole)
                for build, _ in made
            ]

    def _fold(self, connection: Connection[Any], fresh: Sequence[Projection], upto: int) -> set[str]:
        """Fold the log into new builds, and write them; return those that fitted into memory as a whole."""
        processes = worthwhile(upto) if self._processes is None else self._processes
        groups = shared(connection, fresh, processes)
        if len(groups) > 1:
            asked = Share(self._dsn, upto, self._page, self._memory // len(groups))
            return in_processes(connection, asked, groups, self._watch)
        asked = Share(self._dsn, upto, self._page, self._memory, self._codec)
        return fold_into(connection, asked, fresh, self._watch)

    def _finished(
        self, connection: Connection[Any], build: Projection, seconds: float, *, whole: bool
    ) -> Rebuilt:
        builds.set_stage(connection, build, "built")
        position = Traveller.found(connection, build).position
        rows, digest = builds.digest(connection, build) if self._digest else (0, "")
        parked = connection.execute(
            "SELECT count(*) FROM views.parked WHERE (name, version, build) = (%s, %s, %s)", build.identity
        ).fetchone()
        return Rebuilt(build, position, rows, digest, position, seconds, whole, parked[0] if parked else 0)


def catch_up(
    connection: Connection[Any], made: Sequence[Projection], watch: Watch | None = None, page: int = BATCH
) -> None:
    """Bring builds to the head of the log, those at the same position together.

    Raises:
        RuntimeError: if a build cannot go on as a whole.

    """
    travellers = [Traveller.found(connection, build) for build in made]
    convoy = Convoy(connection, page)
    while True:
        behind = min(traveller.position for traveller in travellers)
        together = [traveller for traveller in travellers if traveller.position == behind]
        others = [traveller.position for traveller in travellers if traveller.position > behind]
        more, stalled = convoy.step(together, min(others) - behind if others else None)
        if stalled:
            raise RuntimeError(f"{stalled[0].traveller.projection.label} cannot go on: {stalled[0].error}")
        if watch is not None:
            watch.caught_up(together)
        if not more and not others:
            return


def _taken(connection: Connection[Any], projection: Projection) -> tuple[Projection, int]:
    """Take a read model to be rebuilt; return its new build and where that stands.

    A build that was begun and left is taken up; others that nobody reads make room.
    """
    if not lock_rebuild(connection, projection.name):
        raise AlreadyRebuilding(f"{projection.name}: {AlreadyRebuilding.__doc__}")
    begun: tuple[Projection, int] | None = None
    for build in builds.builds_of(connection, projection):
        one = replace(projection, build=build.number)
        if build.stage == "building" and build.position > 0 and lock(connection, one):
            begun = (one, build.position)
        elif not build.live and (build.stage != "following" or lock(connection, one)):
            builds.drop(connection, one)
    if begun is None:
        begun = (builds.begin(connection, projection), 0)
        lock(connection, begun[0])
    return begun


def bring_in(dsn: str, build: Projection) -> None:
    """Bring a finished build to the head of the log, and let readers be answered from it in one statement.

    While the last few events are folded, the live build does not move: whoever waits for a position waits for
    some milliseconds longer.

    Raises:
        LookupError: if there is no such build, or it is not finished.

    """
    with connect(dsn, name="parkledger switch") as connection:
        catch_up(connection, [build])
        with connection.transaction():
            connection.execute(
                "SELECT FROM views.progress WHERE name = %s ORDER BY version, build FOR UPDATE", [build.name]
            )
            catch_up(connection, [build])
            try:
                builds.switch(connection, build)
            except psycopg.errors.ObjectNotInPrerequisiteState as refused:
                raise LookupError(str(refused.diag.message_primary)) from refused
