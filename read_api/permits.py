"""Permits: who holds one, which plates it carries, and when it was and will be valid, now or as of."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from commands.right_boundaries import permit_boundary, right_boundary
from commands.right_collection import KnownRights, RightsEvent
from commands.rights import Fact, Right, plates_at
from event_store.log import Log
from event_store.widening import settled
from events.boundary import Boundary, on
from events.permits import PermitPurchased, PermitTransferred
from events.policies import PolicyAdopted
from operations.problems import Problem
from projections.permits import TABLE, rows
from projections.table import FOREVER
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, Named, moment
from read_api.door import Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.ownership import demand_permit
from read_api.standing import stand

router = APIRouter(tags=["permits"])


class ValidTime(BaseModel):
    """A time in which the permit lets a plate stand in a zone."""

    plate: str = Field(examples=["ON CKTR482"])
    zone: str | None = Field(description="Null for every zone.", examples=["F"])
    start: datetime
    end: datetime | None = Field(description="Excluded; null where it is open.")
    ended_by: str = Field(description="How it ended or will end.", examples=["expiry", "revocation"])


class PermitState(BaseModel):
    """A permit as it stood at an instant, by what was known."""

    permit: str = Field(examples=["T-1001"])
    account: str | None
    permit_type: str | None
    zones: list[str]
    at: datetime
    valid: bool = Field(description="Some plate may stand by it at that instant.")
    plates: list[str] = Field(description="The plates that it carries at that instant.")
    active: list[str] = Field(description="Those of them that are active.")
    price: int | None = Field(description="Minor units.")
    payments: list[str] = Field(description="The payments that its validity rests on.")
    valid_times: list[ValidTime]
    as_of: AsOf


class PermitOfAccount(BaseModel):
    """One of an account's permits."""

    permit: str
    permit_type: str | None
    zones: list[str]
    plates: list[str]
    valid_from: datetime | None
    valid_until: datetime | None
    price: int | None
    state: str


class AccountState(BaseModel):
    """What an account holds, the permit that runs longest first."""

    account: str = Field(examples=["A-17"])
    at: datetime | None = Field(
        description="The instant that is asked about: what was held and had come about by then. "
        "Null where none is: how each permit last stood."
    )
    permits: list[PermitOfAccount]
    known: int
    as_of: AsOf


_NOTHING = KnownRights()
STOPS = frozenset({"suspended", "revoked", "cancelled", "reinstated"})
"""Facts that act from their own effective time."""


def known_permit(log: Log, permit: str, upto: int) -> tuple[KnownRights, Right | None]:
    """Return a permit with what its validity rests on, as known at a position; None if it was not known."""

    def boundary(known: KnownRights) -> Boundary[RightsEvent]:
        wanted: Boundary[RightsEvent] = permit_boundary(permit) | on(PolicyAdopted)
        right = known.right("permit", permit)
        return wanted if right is None else wanted | right_boundary(right)

    known = settled(log, boundary, _NOTHING.grown, upto)
    return known, known.right("permit", permit)


def state_of(known: KnownRights, right: Right, at: datetime) -> dict[str, Any]:
    """Return a permit at an instant, in the shape of `PermitState`."""
    times = known.intervals(right)
    carried, active = plates_at(right, at, known.max_active(right))
    return {
        "permit": right.right,
        "account": right.holder(at),
        "permit_type": right.permit_type,
        "zones": right.zones,
        "at": at,
        "valid": any(t.start <= at and (t.end is None or at < t.end) for t in times),
        "plates": carried,
        "active": active,
        "price": right.price,
        "payments": sorted(right.payments),
        "valid_times": [
            {"plate": t.plate, "zone": t.zone, "start": t.start, "end": t.end, "ended_by": t.ended_by}
            for t in times
        ],
    }


def held_at(log: Log, account: str, at: datetime, upto: int) -> list[dict[str, Any]]:
    """Return the permits that an account held at an instant, as known at a position."""
    came: Boundary[PermitPurchased | PermitTransferred] = on(PermitPurchased, account=account) | on(
        PermitTransferred, account=account
    )
    named = {entry.event.permit for entry in log.read(came, upto=upto).entries}
    held: list[dict[str, Any]] = []
    for permit in named:
        _, right = known_permit(log, permit, upto)
        if right is not None and right.holder(at) == account:
            then = msgspec.structs.replace(right, facts=tuple(f for f in right.facts if _by_then(f, at)))
            held += [dict(zip(TABLE.columns, row, strict=True)) for row in rows(permit, then, {})]
    held.sort(key=lambda row: (FOREVER - row["valid_until"], row["permit"]))
    for row in held:
        row["valid_until"] = None if row["valid_until"] == FOREVER else row["valid_until"]
    return [{name: row[name] for name in PermitOfAccount.model_fields} for row in held]


def _by_then(fact: Fact, at: datetime) -> bool:
    """Tell whether a fact had been reported by an instant, and had acted where it stops the permit."""
    return fact.at <= at and (fact.since <= at or fact.what not in STOPS)


@router.get(
    "/v1/permits/{permit}",
    summary="A permit as it stands, now or as of",
    response_model=PermitState,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def permit_state(
    permit: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    purpose: Purpose = None,
) -> Response:
    """Answer who holds it, the plates it carries, and the times in which it is valid."""
    await demand_permit(door.log, visit, permit)
    upto = await stand(door, asked)
    known, right = await asyncio.to_thread(known_permit, door.log, permit, upto)
    if right is None:
        raise Problem(404, "No such permit", f"There is no permit {permit[:100]!r}.", rule="NoSuchPermit")
    at = asked.at or datetime.now(UTC)
    await door.register.note(visit.principal, f"permit {permit}", purpose, Subject(account=right.holder(at)))
    return json_answer({**state_of(known, right, at), "as_of": await as_of_log(door.log, upto)})


@router.get(
    "/v1/accounts/{account}",
    summary="What an account holds, now or as of",
    response_model=AccountState,
    responses=problems(401, 403, 422, 428, 503),
)
async def account_state(
    account: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    purpose: Purpose = None,
) -> Response:
    """Answer the account's permits; an account that never held one has none."""
    visit.owns(account)
    await door.register.note(visit.principal, f"account {account}", purpose, Subject(account=account))
    if asked.at is not None:
        upto = await stand(door, asked)
        held = await asyncio.to_thread(held_at, door.log, account, asked.at, upto)
        as_of = await as_of_log(door.log, upto)
        return json_answer(
            {"account": account, "at": asked.at, "permits": held, "known": upto, "as_of": as_of}
        )
    found = await door.lookups.permits_of(account, asked.known, asked.at_least)
    permits = [{name: row[name] for name in PermitOfAccount.model_fields} for row in found.rows]
    return json_answer(
        {"account": account, "at": None, "permits": permits, "known": found.known, "as_of": found.as_of}
    )
