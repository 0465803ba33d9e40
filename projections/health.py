"""How the read models are: how far behind, how long since their runner proved alive, what is parked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Connection

from projections.projection import label

ALIVE_WITHIN = 5.0
"""Seconds without proof of life after which a runner counts as silent; it proves itself every second."""


class ModelHealth(msgspec.Struct, frozen=True):
    """One build of a version of a read model; `live` is the one that readers are answered from.

    `stage` is `building` (a rebuild fills it), `built` (it waits to be switched in), `following` (the log) or
    `retired` (it was live once, and can be switched back to).

    `behind` counts positions, `seconds_behind` is the age of the first event that it does not hold.
    `alive_seconds` is how long ago the runner that has it proved to be alive, `None` where none has it.
    """

    name: str
    version: int
    build: int
    stage: str
    live: bool
    position: int
    recorded: datetime | None
    behind: int
    seconds_behind: float
    alive_seconds: float | None
    stalled: str | None
    parked: int

    @property
    def label(self) -> str:
        """What the build is called."""
        return label(self.name, self.version, self.build)

    @property
    def state(self) -> str:
        """`running`, `stalled`, `silent` (without proof of life), `stopped` (nobody runs it) or its stage."""
        if self.stage != "following":
            return self.stage
        if self.alive_seconds is None:
            return "stopped"
        if self.alive_seconds > ALIVE_WITHIN:
            return "silent"
        return "stalled" if self.stalled else "running"


class ParkedKey(msgspec.Struct, frozen=True):
    """A key that stands still at an event, and how many further events of it wait."""

    model: str
    version: int
    build: int
    key: str
    position: int
    type: str
    error: str
    since: datetime
    waiting: int
    attempts: int


class Health(msgspec.Struct, frozen=True):
    """All models and parked keys, and the head of the log, as of one statement."""

    head: int
    recorded: datetime | None
    now: datetime
    models: tuple[ModelHealth, ...]
    parked: tuple[ParkedKey, ...]


_MODELS = """
WITH head AS (SELECT position, recorded FROM log.events ORDER BY position DESC LIMIT 1)
SELECT p.name, p.version, p.build, p.stage, p.live, p.position, p.recorded,
    greatest(0, coalesce((SELECT position FROM head), 0) - p.position),
    coalesce(greatest(0, extract(epoch FROM clock_timestamp() - (
        SELECT e.recorded FROM log.events e WHERE e.position = p.position + 1))), 0)::float8,
    (SELECT greatest(0, extract(epoch FROM clock_timestamp() - max(r.alive_at)))::float8
     FROM views.runners r WHERE views.label(p.name, p.version, p.build) = ANY (r.models)),
    p.stalled,
    (SELECT count(*) FROM views.parked k WHERE (k.name, k.version, k.build) = (p.name, p.version, p.build)),
    coalesce((SELECT position FROM head), 0), (SELECT recorded FROM head), clock_timestamp()
FROM views.progress p ORDER BY p.name, p.live DESC, p.version, p.build
"""
_PARKED = """
SELECT name, version, build, key, position, type, error, since, waiting, attempts
FROM views.parked ORDER BY since, name, key LIMIT 1000
"""


def health(connection: Connection[Any]) -> Health:
    """Return how the read models are now."""
    rows = connection.execute(_MODELS).fetchall()
    parked = tuple(ParkedKey(*row) for row in connection.execute(_PARKED).fetchall())
    head, recorded, now = rows[0][12:] if rows else (0, None, datetime.now().astimezone())
    return Health(head, recorded, now, tuple(ModelHealth(*row[:12]) for row in rows), parked)


def healths(connection: Connection[Any], asked: Sequence[None]) -> Sequence[Health]:
    """Return one answer for everybody who asked in the same tick."""
    return [health(connection)] * len(asked)
