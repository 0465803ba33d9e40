"""How far a rebuild has come: told to `views.rebuilds`, for operators, and to whoever started it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import getpid
from platform import node
from time import monotonic
from typing import Any

import psycopg
from psycopg import Connection

from projections.convoy import Traveller
from projections.projection import Projection

EVERY = 0.5
"""Seconds between two notes in the database."""
_BEGIN = (
    "INSERT INTO views.rebuilds (name, version, build, step, upto, host, pid)"
    " VALUES (%s, %s, %s, 'folding', %s, %s, %s) ON CONFLICT (name, version, build) DO UPDATE"
    " SET step = excluded.step, upto = excluded.upto, started = clock_timestamp(), host = excluded.host,"
    " alive_at = clock_timestamp(), pid = excluded.pid"
)
_NOTE = (
    "UPDATE views.rebuilds SET step = %s, folded = %s, alive_at = clock_timestamp()"
    " WHERE (name, version, build) = (%s, %s, %s)"
)
_END = "DELETE FROM views.rebuilds WHERE (name, version, build) = (%s, %s, %s)"


class Watch:
    """Notes what a rebuild is doing; `tell(step, folded, upto)` is called as often as something changes."""

    def __init__(self, tell: Callable[[str, int, int], None] = lambda *_: None) -> None:
        """Watch nothing yet."""
        self._tell = tell
        self._connection: Connection[Any] | None = None
        self._builds: Sequence[Projection] = ()
        self._upto = 0
        self._folded = 0
        self._noted_at = 0.0

    @contextmanager
    def over(self, dsn: str, made: Sequence[tuple[Projection, int]], upto: int) -> Iterator[None]:
        """Note the rebuild of these builds up to a position, until it ends; a kill leaves the last note."""
        self._builds, self._upto = [build for build, _ in made], upto
        with psycopg.connect(dsn, autocommit=True, application_name="parkledger rebuild notes") as connection:
            self._connection = connection
            for build in self._builds:
                connection.execute(_BEGIN, [*build.identity, upto, node(), getpid()])
            yield
            for build in self._builds:
                connection.execute(_END, build.identity)
        self._connection = None

    @contextmanager
    def beside(self, dsn: str, builds: Sequence[Projection]) -> Iterator[None]:
        """Note how far some builds are, of a rebuild that another process watches over."""
        self._builds = builds
        with psycopg.connect(dsn, autocommit=True, application_name="parkledger rebuild notes") as connection:
            self._connection = connection
            yield
        self._connection = None

    def folded(self, position: int) -> None:
        """Note that the log is folded up to a position."""
        self._folded = position
        self._say("folding", self._builds)

    def heard(self, position: int) -> None:
        """Hear from other processes how far the log is folded; they note it themselves."""
        self._folded = position
        self._tell("folding", position, self._upto)

    def step(self, build: Projection, step: str) -> None:
        """Note what is being done with one build."""
        self._noted_at = 0.0
        self._say(step, [build])

    def caught_up(self, travellers: Sequence[Traveller]) -> None:
        """Note where builds are that go on batch by batch."""
        self._folded = max(traveller.position for traveller in travellers)
        self._say("catching up", [traveller.projection for traveller in travellers])

    def _say(self, step: str, of: Sequence[Projection]) -> None:
        self._tell(step, self._folded, max(self._upto, self._folded))
        if self._connection is not None and monotonic() - self._noted_at >= EVERY:
            for build in of:
                self._connection.execute(_NOTE, [step, self._folded, *build.identity])
            self._noted_at = monotonic()
