"""How this process and the read models are, for balancers, Prometheus and operators."""

from collections import Counter
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.core import GaugeMetricFamily
from pydantic import BaseModel, Field

from operations.problems import Problem
from projections.gathering import Unavailable
from projections.health import Health
from projections.projection import label
from projections.registry import PROJECTIONS
from read_api.answers import AsOf, json_answer, problems
from read_api.asking import Asked, freshness
from read_api.door import Here, Visit
from read_api.metering import MEDIA_TYPE, Meter

router = APIRouter(tags=["health"])


class Model(BaseModel):
    """One build of a version of a read model."""

    name: str = Field(examples=["validity"])
    version: int
    build: int = Field(description="Counts the tables that this version was built into.")
    stage: str = Field(examples=["following", "building", "built", "retired"])
    live: bool = Field(description="Readers are answered from this build.")
    state: str = Field(examples=["running", "stalled", "silent", "stopped"])
    position: int
    recorded: datetime | None = Field(description="When the event at `position` was recorded.")
    behind: int = Field(description="Positions between it and the head of the log.")
    seconds_behind: float = Field(description="Age of the first event that it does not hold.")
    alive_seconds: float | None = Field(description="Seconds since its runner proved to be alive.")
    stalled: str | None = Field(description="Why the whole model stands still, if it does.")
    parked: int = Field(description="Keys that stand still.")
    proof: "Proof | None" = Field(description="What the patrol proved; null before it looked.")


class Proof(BaseModel):
    """How far the patrol's present round is, and what its last whole one came to."""

    checked_at: datetime
    keys: int = Field(description="Folded again from the log since this round began.")
    found: int = Field(description="Rows among them that differ from what the log leads to.")
    position: int = Field(description="Where the model stood.")
    rounds: int = Field(description="Whole rounds so far.")
    round_at: datetime | None = Field(description="When the last whole round ended.")
    round_keys: int | None
    round_found: int | None
    round_position: int | None


class Drifted(BaseModel):
    """A row that differs from what the log leads to, and the event that it came by."""

    model: str
    version: int
    build: int
    key: str = Field(examples=["permit:T-1001"])
    known_from: int
    part: int
    live: dict[str, Any] | None = Field(description="The row as it stands.")
    wanted: dict[str, Any] | None = Field(description="The row as the log leads to it.")
    position: int
    type: str | None
    found_at: datetime


class Rebuilding(BaseModel):
    """A rebuild on its way."""

    model: str
    version: int
    build: int
    step: str = Field(examples=["folding", "writing", "indexing", "catching up"])
    folded: int
    upto: int
    started: datetime
    alive_seconds: float
    rate: float = Field(description="Events a second.")
    seconds_left: float | None


class Retried(BaseModel):
    """The parked keys that will be tried again, in the order of their events."""

    keys: list[str]


class Parked(BaseModel):
    """A key that stands still at an event that could not be applied."""

    model: str
    version: int
    build: int
    key: str = Field(examples=["permit:T-1001"])
    position: int
    type: str
    error: str
    since: datetime
    waiting: int = Field(description="Further events of this key that wait behind it.")
    attempts: int


class Projections(BaseModel):
    """All read models, parked keys, rows that drifted, and rebuilds; and the head of the log."""

    head: int
    models: list[Model]
    parked: list[Parked]
    drifted: list[Drifted]
    rebuilds: list[Rebuilding]
    as_of: AsOf


class Stream(BaseModel):
    """A program between log and Kafka."""

    service: str = Field(examples=["relay", "router", "ingest"])
    name: str
    waiting: int = Field(description="Events that it has not published, or messages that it has not taken.")
    alive_seconds: float = Field(description="Seconds since it proved to be alive.")
    trouble: str | None = Field(description="What it waits for, if it cannot go on.")


class Readiness(BaseModel):
    """Whether questions are answered from models that keep up."""

    status: str = Field(examples=["ready"])
    head: int
    behind: int = Field(description="Positions that the slowest live model is behind.")
    seconds_behind: float
    alive_seconds: float | None = Field(description="The oldest proof of life among the live models.")
    proved_at: datetime | None = Field(
        description="When keys of the live model that was looked at longest ago were folded again; null if"
        " one was not yet."
    )
    drifted: int = Field(description="Rows of live models that differ from what the log leads to.")
    streams: list[Stream] = Field(
        description="The programs between log and Kafka; none where it is not used."
    )


@router.get("/healthz", summary="Is this process alive?")
async def healthz() -> dict[str, str]:
    """Answer that it is."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    summary="Are questions answered, from models that keep up?",
    response_model=Readiness,
    responses=problems(503),
)
async def readyz(door: Here) -> Response:
    """Answer how far behind the models are, and how long since proof of life; 503 where nobody runs one."""
    try:
        found = await door.lookups.health()
    except Unavailable as error:
        raise Problem(503, "Not ready", str(error), headers=_SOON) from error
    ready = readiness(found)
    absent = [model.name for model in found.models if model.live and model.state in {"stopped", "silent"}]
    if absent or not found.models:
        detail = f"No projector proves to be alive for: {', '.join(absent) or 'any read model'}."
        raise Problem(503, "Not ready", detail, headers=_SOON, **ready)
    return json_answer({"status": "ready", **ready})


@router.get("/metrics", summary="What was counted, for Prometheus", response_class=PlainTextResponse)
async def metrics(request: Request, door: Here) -> Response:
    """Answer the counters of this process, and how the read models are as far as that can be read."""
    meter: Meter = request.app.state.meter
    try:
        gauges = gauges_of(await door.lookups.health())
    except Unavailable:
        gauges = []
    return Response(meter.text(gauges), media_type=MEDIA_TYPE)


@router.get(
    "/v1/projections",
    summary="How far the read models are, and what is parked",
    response_model=Projections,
    responses=problems(401, 403, 422, 503),
)
async def projections(door: Here, _: Visit, asked: Annotated[Asked, Depends(freshness)]) -> Response:
    """Answer lag, proof of life, parked keys, proofs against drift, and rebuilds."""
    for model in PROJECTIONS:
        await door.lookups.reach(model.name, asked.at_least)
    found = await door.lookups.health()
    slowest = min((m for m in found.models if m.live), key=lambda m: m.position, default=None)
    as_of = {
        "position": slowest.position if slowest else 0,
        "recorded": slowest.recorded if slowest else None,
        "age_ms": slowest.seconds_behind * 1000 if slowest else 0.0,
    }
    models = [{"state": model.state, **msgspec.structs.asdict(model)} for model in found.models]
    shown = {"parked": found.parked, "drifted": found.drifted, "rebuilds": found.rebuilds}
    return json_answer({"head": found.head, "models": models, **shown, "as_of": as_of})


@router.post(
    "/v1/projections/{model}/retry",
    summary="Try parked keys of a read model again",
    status_code=202,
    response_model=Retried,
    responses=problems(401, 403, 404, 422, 503),
)
async def retry(
    door: Here,
    _: Visit,
    model: Annotated[str, Path(examples=["validity"])],
    key: Annotated[str | None, Query(description="One of them; else all.", examples=["permit:T-1"])] = None,
) -> Response:
    """Ask the projector to fold parked keys again from the log, in order; the answer names them."""
    keys = await door.lookups.retry(model, key)
    if not keys:
        known = [one.name for one in PROJECTIONS]
        near = get_close_matches(model, known, n=1)
        hint = f" Did you mean {near[0]}?" if model not in known and near else ""
        raise Problem(404, "Nothing to try again", f"No such key of {model!r} is parked.{hint}")
    answer = json_answer({"keys": keys})
    answer.status_code = 202
    return answer


_SOON = {"Retry-After": "1"}


def readiness(found: Health) -> dict[str, Any]:
    """Return how far behind the slowest live model is, and the oldest proof of life."""
    live = [model for model in found.models if model.live]
    alive = [model.alive_seconds for model in live]
    proved = [model.proof.checked_at if model.proof else None for model in live]
    labels = {model.label for model in live}
    return {
        "head": found.head,
        "behind": max((model.behind for model in live), default=0),
        "seconds_behind": max((model.seconds_behind for model in live), default=0.0),
        "alive_seconds": None if None in alive else max((a for a in alive if a is not None), default=None),
        "proved_at": None if None in proved else min((at for at in proved if at is not None), default=None),
        "drifted": sum(label(row.model, row.version, row.build) in labels for row in found.drifted),
        "streams": [
            {
                "service": one.service,
                "name": one.name,
                "waiting": one.waiting,
                "alive_seconds": one.alive_seconds,
                "trouble": one.trouble,
            }
            for one in found.streams
        ],
    }


def gauges_of(found: Health) -> list[GaugeMetricFamily]:
    """Return how the read models are, as Prometheus takes it."""
    head = GaugeMetricFamily("parkledger_log_position", "Position of the newest event.", value=found.head)
    behind = GaugeMetricFamily("parkledger_model_behind", "Positions behind the log.", labels=_LABELS)
    seconds = GaugeMetricFamily(
        "parkledger_model_behind_seconds", "Age of the first event not held.", labels=_LABELS
    )
    alive = GaugeMetricFamily(
        "parkledger_model_alive_seconds", "Seconds since proof of life.", labels=_LABELS
    )
    parked = GaugeMetricFamily("parkledger_model_parked", "Keys that stand still.", labels=_LABELS)
    drifted = GaugeMetricFamily(
        "parkledger_model_drifted", "Rows that differ from what the log leads to.", labels=_LABELS
    )
    rows = Counter((row.model, row.version, row.build) for row in found.drifted)
    for model in found.models:
        labels = (model.name, model.label.partition("/")[2])
        behind.add_metric(labels, model.behind)
        seconds.add_metric(labels, model.seconds_behind)
        parked.add_metric(labels, model.parked)
        drifted.add_metric(labels, rows[model.name, model.version, model.build])
        if model.alive_seconds is not None:
            alive.add_metric(labels, model.alive_seconds)
    return [head, behind, seconds, alive, parked, drifted, *_of_streams(found)]


_LABELS = ("model", "version")


def _of_streams(found: Health) -> list[GaugeMetricFamily]:
    labels = ("service", "name")
    waiting = GaugeMetricFamily(
        "parkledger_stream_waiting", "Events or messages that a program between log and Kafka has not taken.",
        labels=labels,
    )  # fmt: skip
    alive = GaugeMetricFamily(
        "parkledger_stream_alive_seconds", "Seconds since such a program proved alive.", labels=labels
    )
    for one in found.streams:
        waiting.add_metric((one.service, one.name), one.waiting)
        alive.add_metric((one.service, one.name), one.alive_seconds)
    return [waiting, alive]
