"""What every answer has: the moment of the log that it rests on, JSON, and the problems it may turn into."""

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from event_store.log import Log, LogUnavailable
from events.base import Event
from events.boundary import Boundary
from operations.problems import MEDIA_TYPE, Problem, surprise, unavailable
from projections.gathering import Unavailable
from projections.lookups import NotYet

JSON = "application/json"


class AsOf(BaseModel):
    """The position of the log that an answer rests on, when it was recorded, and how old that is."""

    position: int = Field(examples=[1042])
    recorded: datetime | None = Field(description="Null in an empty log.", examples=["2026-03-05T14:31:04Z"])
    age_ms: float = Field(
        description="Milliseconds since the read model was last known to hold everything.", examples=[3.2]
    )


class ProblemDetails(BaseModel):
    """RFC 9457 problem details: `rule` names what refused, `errors` the fields that cannot be used."""

    type: str = Field(examples=["urn:parkledger:problem:unusable-input"])
    title: str
    status: int
    detail: str
    rule: str | None = None
    behind: int | None = Field(None, description="Positions that the read model is behind `at_least`.")
    errors: list[dict[str, str]] | None = None
    incident: str | None = Field(None, description="What the server's log explains a surprise under.")


_SAID = {
    401: "No usable token came with the request.",
    403: "The token's role may not ask this, or it belongs to somebody else.",
    404: "There is no such thing in the log as far as it was known.",
    422: "A parameter cannot be used; `errors` names it.",
    428: "The policy demands the header `Purpose`.",
    500: "Something failed that nobody foresaw; the server's log explains it under `incident`.",
    503: "The log cannot be reached, or the read model did not reach `at_least` in time.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the documentation of the problems that a route answers with."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {"description": _SAID[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def problem_of(error: BaseException, method: str, path: str) -> Problem:
    """Return what a failure is to whoever asked; one that nobody foresaw is logged."""
    match error:
        case Problem():
            return error
        case NotYet():
            return not_yet(error)
        case LogUnavailable() | Unavailable():
            return unavailable(str(error) or str(type(error).__doc__))
        case _:
            return surprise(method, path, error)


def not_yet(error: NotYet) -> Problem:
    """Return the problem that a read model is not where it would have to be."""
    return Problem(
        503,
        "Not yet",
        f"{error}."[:1].upper() + f"{error}."[1:],
        headers={"Retry-After": "1"},
        behind=error.behind,
    )


def install_models(app: FastAPI) -> None:
    """Make the failures of the read models problems, beside those of `operations.problems`."""
    for kind in (NotYet, Unavailable):
        app.add_exception_handler(kind, _answer_problem)


def _answer_problem(request: Request, error: Exception) -> Response:
    return problem_of(error, request.method, request.url.path).response()


def json_answer(value: object, headers: dict[str, str] | None = None) -> Response:
    """Return an answer as JSON; instants are written in UTC with `Z`."""
    return Response(msgspec.json.encode(value), media_type=JSON, headers=headers)


async def as_of_log(log: Log, position: int) -> dict[str, Any]:
    """Return what an answer from the log itself rests on, in the shape of `AsOf`; it is never old."""
    everything: Boundary[Event] | None = None
    part = await asyncio.to_thread(log.read, everything, after=max(position - 1, 0), upto=position, limit=1)
    recorded = part.entries[0].recorded if part.entries else None
    return {"position": position, "recorded": recorded, "age_ms": 0.0}
