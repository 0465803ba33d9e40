"""May this vehicle stand here? The question that is asked most, so it is served without FastAPI's machinery.

`serve` answers `/v1/validity` before the app's routes are looked through; the documented route below has
the same parameters, checks and answers, and is what the OpenAPI document is made of. Requests that arrive
together are asked together (`projections.lookups`), and an answer is encoded once, straight to bytes.

A look-up by a person is recorded. One by a device is not: what a device sees is in the log as a plate read,
with the answer that its screen showed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.types import Scope, Send

from events.reads import Answer
from events.vocabulary import parse_plate, plate_of
from operations.doors import Visitor
from operations.identity import Role
from operations.permissions import Access
from read_api import direct
from read_api.answers import AsOf, problems
from read_api.asking import Asked, Known, instant, known, moment, position, unusable
from read_api.door import Door, Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.ownership import demand_plate

PATH = "/v1/validity"
MACHINES = frozenset({Role.DEVICE})
LONGEST_ZONE = 100
_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode

router = APIRouter(tags=["validity"])


class AlertAnswer(BaseModel):
    """A watchlist entry that the plate meets."""

    entry: str = Field(examples=["W-12"])
    reason: str = Field(examples=["stolen, call dispatch"])
    source: str | None
    since: datetime
    until: datetime | None


class Validity(BaseModel):
    """Whether a vehicle may stand in a zone at an instant, and by which right."""

    plate: str = Field(examples=["ON CKTR482"])
    zone: str = Field(examples=["F"])
    at: datetime
    valid: bool = Field(description="A permit or session covers the instant.")
    exempt: bool = Field(description="An exemption covers the instant: not to be cited.")
    answer: Answer = Field(description="The word that an officer's screen shows.")
    right: str | None = Field(
        description="What covers it; in grace, the right that ended at `end`.", examples=["T-1001"]
    )
    kind: Literal["permit", "session", "exemption"] | None
    start: datetime | None
    end: datetime | None = Field(description="Until when, excluded; null with a right that has no end.")
    grace_until: datetime | None = Field(description="Citing at or before this instant is improper.")
    alerts: list[AlertAnswer]
    possible_matches: list[str] = Field(
        description="Plates with a right that this one may be a misread of, best first.",
        examples=[["ON CKTR4B2"]],
    )
    known: int | None = Field(description="The position that `known` came to; null for all that is known.")
    rests_on: int = Field(description="The position that answer and right rest on, to recompute them from.")
    as_of: AsOf


class Wanted(msgspec.Struct, frozen=True):
    """What is asked: which plate, where, when, and from how much knowledge."""

    plate: str
    zone: str
    at: datetime | None = None
    known: Known = None
    at_least: int | None = None


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Return what the parameters ask.

    Raises:
        Problem: 422, naming the parameter that is missing or cannot be used.

    """
    for name in ("plate", "zone"):
        if not query.get(name, "").strip():
            raise unusable(name, "it is missing")
    region, text = query.get("region"), query["plate"]
    zone = query["zone"].strip()
    if len(zone) > LONGEST_ZONE or not zone.isprintable():
        raise unusable("zone", "a zone's name is at most 100 printable characters")
    field = "plate"
    try:
        plate = plate_of(region, text) if region else parse_plate(text)
        field = "at"
        at = instant(query["at"]) if "at" in query else None
        field = "known"
        then = known(query["known"]) if "known" in query else None
        field = "at_least"
        at_least = position(query["at_least"]) if "at_least" in query else None
    except ValueError as error:
        raise unusable(field, str(error)) from None
    return Wanted(plate, zone, at, then, at_least)


async def ask(door: Door, visitor: Visitor, wanted: Wanted, purpose: str | None) -> bytes:
    """Return the answer as JSON, after the look-up was recorded.

    Raises:
        Problem: if the visitor may not ask this, or the zone does not exist.
        NotYet: if the read model is not where it has to be for the answer.
        LogUnavailable, Unavailable: if the log or the read models cannot be reached.

    """
    await demand_plate(door.log, visitor, wanted.plate)
    await door.zones.demand(wanted.zone)
    if visitor.principal.role not in MACHINES:
        query = f"validity of {wanted.plate} in {wanted.zone}"
        await door.register.note(visitor.principal, query, purpose, Subject(plate=wanted.plate))
    answer = await door.lookups.validity(wanted.plate, wanted.zone, wanted.at, wanted.known, wanted.at_least)
    if visitor.access is Access.OWN:  # who parks does not learn who looks for them, nor of others' plates
        answer = msgspec.structs.replace(answer, alerts=(), possible_matches=())
    return _encode(answer)


async def serve(door: Door, scope: Scope, send: Send) -> int:
    """Answer a GET of this path, and return the status."""

    async def answered(visitor: Visitor, purpose: str | None) -> bytes:
        return await ask(door, visitor, wanted_of(direct.query_of(scope)), purpose)

    return await direct.answer(door, PATH, scope, send, answered)


@router.get(
    PATH,
    summary="May this vehicle stand here?",
    response_model=Validity,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def validity(
    request: Request,
    door: Here,
    visit: Visit,
    plate: Annotated[
        str, Query(description="`REGION NUMBER`, or the number with `region`.", examples=["ON CKTR482"])
    ],
    zone: Annotated[str, Query(examples=["F"])],
    _: Annotated[Asked, Depends(moment)],
    region: Annotated[
        str | None, Query(description="Where `plate` is the number alone.", examples=["ON"])
    ] = None,
    purpose: Purpose = None,
) -> Response:
    """Answer whether the vehicle may stand there, by which right, and until when."""
    del plate, zone, region
    wanted = wanted_of(dict(request.query_params))
    return Response(await ask(door, visit, wanted, purpose), media_type="application/json")
