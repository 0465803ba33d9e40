"""Zones: which there are, where they are in time, and which rules are in force."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from commands.zones import Zone, evolve_zone, rules_at, rules_in_force
from event_store.log import Log
from events.boundary import Boundary, on
from events.zones import ZoneClosed, ZoneOpened, ZoneRule, ZoneRulesSet
from operations.problems import Problem
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, Named, moment
from read_api.door import Here, Visit
from read_api.standing import stand

router = APIRouter(tags=["zones"])

type ZoneEvent = ZoneOpened | ZoneRulesSet | ZoneClosed


class ZoneState(BaseModel):
    """A zone as it stood at an instant, by what was known."""

    zone: str = Field(examples=["F"])
    name: str
    timezone: str = Field(examples=["America/Toronto"])
    lot: str | None
    capacity: int | None = Field(description="Rights in force at once; null where it is not bounded.")
    spaces: int | None
    open: bool
    at: datetime
    rules: list[ZoneRule] = Field(description="Its rules, whatever the hour.")
    in_force: list[str] = Field(description="Codes of the rules that hold at that instant.")


class ZoneAnswer(ZoneState):
    """One zone."""

    as_of: AsOf


class ZonesAnswer(BaseModel):
    """All zones, by name."""

    zones: list[ZoneState]
    as_of: AsOf


def zones_of(log: Log, upto: int, zone: str | None = None) -> dict[str, Zone]:
    """Return the zones (or one of them) that were known at a position, by name."""
    tags = {} if zone is None else {"zone": zone}
    boundary: Boundary[ZoneEvent] = on(ZoneOpened, ZoneRulesSet, ZoneClosed, **tags)
    found: dict[str, Zone] = defaultdict(Zone)
    for entry in log.read(boundary, upto=upto).entries:
        found[entry.event.zone] = evolve_zone(found[entry.event.zone], entry)
    return {name: found[name] for name in sorted(found) if found[name].opened is not None}


def time_zones(log: Log) -> dict[str, ZoneInfo]:
    """Return the time zone of each zone that is known now, in which its instants are shown."""
    return {name: ZoneInfo(zone.timezone) for name, zone in zones_of(log, log.head()).items()}


def state_of(zone: Zone, at: datetime) -> dict[str, Any]:
    """Return a zone at an instant, in the shape of `ZoneState`."""
    opened = zone.opened
    return {
        "zone": zone.zone,
        "name": opened.name if opened else zone.zone,
        "timezone": zone.timezone,
        "lot": opened.lot if opened else None,
        "capacity": zone.capacity,
        "spaces": opened.spaces if opened else None,
        "open": zone.is_open(at),
        "at": at,
        "rules": rules_at(zone, at),
        "in_force": [rule.code for rule in rules_in_force(zone, at)],
    }


@router.get(
    "/v1/zones",
    summary="All zones and their rules",
    response_model=ZonesAnswer,
    responses=problems(401, 403, 422, 503),
)
async def all_zones(door: Here, _: Visit, asked: Annotated[Asked, Depends(moment)]) -> Response:
    """Answer every zone that was ever opened."""
    upto = await stand(door, asked)
    found = await asyncio.to_thread(zones_of, door.log, upto)
    at = asked.at or datetime.now(UTC)
    zones = [state_of(zone, at) for zone in found.values()]
    return json_answer({"zones": zones, "as_of": await as_of_log(door.log, upto)})


class OccupancyAnswer(BaseModel):
    """How full a zone is at an instant: rights in force, and vehicles that stand there."""

    zone: str = Field(examples=["F"])
    at: datetime
    capacity: int | None = Field(description="Rights in force at once; null where it is not bounded.")
    spaces: int | None
    permits: int = Field(description="Permits in force.")
    sessions: int = Field(description="Sessions in force.")
    vehicles: int = Field(description="Vehicles last read here within a day, or in a session.")
    occupancy: float | None = Field(description="Vehicles over spaces, four decimals; null without spaces.")
    known: int
    as_of: AsOf


@router.get(
    "/v1/zones/{zone}/occupancy",
    summary="How full a zone is",
    response_model=OccupancyAnswer,
    responses=problems(401, 403, 404, 422, 503),
)
async def zone_occupancy(
    zone: Named, door: Here, _: Visit, asked: Annotated[Asked, Depends(moment)]
) -> Response:
    """Answer the rights in force and the vehicles that stand in the zone at the instant."""
    upto = await stand(door, asked)
    found = (await asyncio.to_thread(zones_of, door.log, upto, zone)).get(zone)
    if found is None:
        raise Problem(404, "No such zone", f"There is no zone {zone[:100]!r}.", rule="NoSuchZone")
    at = asked.at or datetime.now(UTC)
    full = await door.lookups.occupancy(zone, at, asked.known, asked.at_least)
    spaces = found.opened.spaces if found.opened else None
    return json_answer(
        {
            "zone": zone,
            "at": at,
            "capacity": found.capacity,
            "spaces": spaces,
            "permits": full.permits,
            "sessions": full.sessions,
            "vehicles": full.vehicles,
            "occupancy": round(full.vehicles / spaces, 4) if spaces else None,
            "known": full.known,
            "as_of": full.as_of,
        }
    )


@router.get(
    "/v1/zones/{zone}",
    summary="A zone and its rules",
    response_model=ZoneAnswer,
    responses=problems(401, 403, 404, 422, 503),
)
async def one_zone(zone: Named, door: Here, _: Visit, asked: Annotated[Asked, Depends(moment)]) -> Response:
    """Answer the zone, its rules, and which of them are in force at the instant."""
    upto = await stand(door, asked)
    found = (await asyncio.to_thread(zones_of, door.log, upto, zone)).get(zone)
    if found is None:
        raise Problem(404, "No such zone", f"There is no zone {zone[:100]!r}.", rule="NoSuchZone")
    state = state_of(found, asked.at or datetime.now(UTC))
    return json_answer({**state, "as_of": await as_of_log(door.log, upto)})
