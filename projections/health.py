"""How the read models are: how far behind, how long since their runner proved alive, what is parked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from psycopg import Connection

from event_store.streams import Program, programs
from projections.projection import label

ALIVE_WITHIN = 5.0
"""Seconds without proof of life after which a runner counts as silent; it proves itself every second."""


class Proof(msgspec.Struct, frozen=True):
    """What the patrol has proved: how far its present round is, and what the last whole one came to.

    `keys` were folded again from the log since the round began, `found` rows differ; `position` is where the
    model stood. The same of the last whole round, `None` before there was one.
    """

    checked_at: datetime
    keys: int
    found: int
    position: int
    rounds: int
    round_at: datetime | None
    round_keys: int | None
    round_found: int | None
    round_position: int | None


class DriftedRow(msgspec.Struct, frozen=True):
    """A row that differs from what the log leads to; `position` and `type` are of the event it came by."""

    model: str
    version: int
    build: int
    key: str
    known_from: int
    part: int
    live: msgspec.Raw
    wanted: msgspec.Raw
    position: int
    type: str | None
    found_at: datetime


class RebuildHealth(msgspec.Struct, frozen=True):
    """A rebuild on its way: the step it is at, how far the log is folded, at which rate, and what remains.

    `seconds_left` counts to the end of the folding; `None` where that cannot be told. One that has not
    proved to be alive for a while was killed, and waits to be taken up.
    """

    model: str
    version: int
    build: int
    step: str
    folded: int
    upto: int
    started: datetime
    alive_seconds: float
    rate: float
    seconds_left: float | None


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
    proof: Proof | None = None

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
    drifted: tuple[DriftedRow, ...] = ()
    rebuilds: tuple[RebuildHealth, ...] = ()
    streams: tuple[Program, ...] = ()
    """Relay, router and members of ingest, where Kafka is used."""


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
    coalesce((SELECT position FROM head), 0), (SELECT recorded FROM head), clock_timestamp(),
    f.checked_at, f.keys, f.found, f.position, f.rounds, f.round_at, f.round_keys, f.round_found,
    f.round_position
FROM views.progress p LEFT JOIN views.proofs f USING (name, version, build)
ORDER BY p.name, p.live DESC, p.version, p.build
"""
_PARKED = """
SELECT name, version, build, key, position, type, error, since, waiting, attempts
FROM views.parked ORDER BY since, name, key LIMIT 1000
"""
_DRIFTED = """
SELECT name, version, build, key, known_from, part, live, wanted, position, type, found_at
FROM views.drifted ORDER BY found_at, name, key, known_from, part LIMIT 1000
"""
_REBUILDS = """
SELECT r.name, r.version, r.build, r.step, r.folded, r.upto, r.started,
    greatest(0, extract(epoch FROM clock_timestamp() - r.alive_at))::float8,
    (r.folded / greatest(extract(epoch FROM r.alive_at - r.started), 0.001))::float8,
    ((r.upto - r.folded) * extract(epoch FROM r.alive_at - r.started) / nullif(r.folded, 0))::float8
FROM views.rebuilds r ORDER BY r.name, r.version, r.build
"""


def health(connection: Connection[Any]) -> Health:
    """Return how the read models are now."""
    rows = connection.execute(_MODELS).fetchall()
    parked = tuple(ParkedKey(*row) for row in connection.execute(_PARKED).fetchall())
    head, recorded, now = rows[0][12:15] if rows else (0, None, datetime.now().astimezone())
    models = tuple(replace(ModelHealth(*row[:12]), proof=_proof(row[15:])) for row in rows)
    drifted = connection.execute(_DRIFTED, binary=True).fetchall()
    rebuilds = tuple(RebuildHealth(*row) for row in connection.execute(_REBUILDS).fetchall())
    return Health(
        head,
        recorded,
        now,
        models,
        parked,
        tuple(_drifted(row) for row in drifted),
        rebuilds,
        tuple(programs(connection)),
    )


def _proof(columns: Sequence[Any]) -> Proof | None:
    return Proof(*columns) if columns[0] is not None else None


def _drifted(row: Sequence[Any]) -> DriftedRow:
    sides = [msgspec.Raw(side or b"null") for side in row[6:8]]
    return DriftedRow(*row[:6], *sides, *row[8:])


def healths(connection: Connection[Any], asked: Sequence[None]) -> Sequence[Health]:
    """Return one answer for everybody who asked in the same tick."""
    return [health(connection)] * len(asked)
