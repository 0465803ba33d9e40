"""Incidents: the dispatch log, and the vehicles, people, places and cases that an incident links."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from commands.incidents import IncidentEvent, plates_linked
from event_store.log import Log
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.security import IncidentAmended, IncidentClosed, IncidentLinked, IncidentNoted, IncidentOpened
from operations.problems import Problem
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, Named, moment
from read_api.asking import plate as plate_in
from read_api.door import Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.standing import stand

router = APIRouter(tags=["security"])


class IncidentEntry(BaseModel):
    """One entry of an incident's log."""

    type: str = Field(examples=["IncidentNoted"])
    position: int
    at: datetime
    recorded: datetime
    actor: str
    summary: str | None
    plate: str | None
    account: str | None
    place: str | None
    links: list[str]


class IncidentState(BaseModel):
    """An incident with all that it links, and its entries in the order in which they were recorded."""

    incident: str = Field(examples=["I-1"])
    open: bool = Field(description="The report is not locked yet.")
    opened: datetime
    closed: datetime | None
    summary: str | None
    plates: list[str]
    accounts: list[str]
    places: list[str]
    links: list[str] = Field(examples=[["citation:PV-50001"]])
    entries: list[IncidentEntry]


class Incidents(BaseModel):
    """Incidents, the one opened last at the head."""

    incidents: list[IncidentState]
    as_of: AsOf


class OneIncident(IncidentState):
    """One incident."""

    as_of: AsOf


def incidents_of(
    log: Log, upto: int, incident: str | None = None, at: datetime | None = None
) -> list[dict[str, Any]]:
    """Return the incidents (or one of them) that were known at a position, the newest first.

    With `at`, only what had occurred by then is told of them.
    """
    tags = {} if incident is None else {"incident": incident}
    boundary: Boundary[IncidentEvent] = on(
        IncidentOpened, IncidentNoted, IncidentLinked, IncidentAmended, IncidentClosed, **tags
    )
    grouped: dict[str, list[Recorded[IncidentEvent]]] = {}
    for entry in log.read(boundary, upto=upto).entries:
        if at is not None and entry.event.at > at:
            continue
        grouped.setdefault(entry.event.incident, []).append(entry)
    states = [_state(name, entries) for name, entries in grouped.items()]
    return sorted(states, key=lambda state: (state["opened"], state["incident"]), reverse=True)


def _state(name: str, entries: Sequence[Recorded[IncidentEvent]]) -> dict[str, Any]:
    events = [entry.event for entry in entries]
    closed = min((event.at for event in events if isinstance(event, IncidentClosed)), default=None)
    return {
        "incident": name,
        "open": closed is None,
        "opened": min(event.at for event in events),
        "closed": closed,
        "summary": next((event.summary for event in events if event.summary), None),
        "plates": _each(plate for event in events for plate in plates_linked(event)),
        "accounts": _each(event.account for event in events),
        "places": _each(event.place for event in events),
        "links": _each(link for event in events for link in event.links or ()),
        "entries": [_entry(entry) for entry in entries],
    }


def _each(values: Any) -> list[str]:
    return list(dict.fromkeys(value for value in values if value is not None))


def _entry(entry: Recorded[IncidentEvent]) -> dict[str, Any]:
    event = entry.event
    return {
        "type": type(event).__name__,
        "position": entry.position,
        "at": event.at,
        "recorded": entry.recorded,
        "actor": entry.actor,
        "summary": event.summary,
        "plate": event.plate,
        "account": event.account,
        "place": event.place,
        "links": list(event.links or ()),
    }


@router.get(
    "/v1/incidents",
    summary="Incidents, now or as of",
    response_model=Incidents,
    responses=problems(401, 403, 422, 428, 503),
)
async def incidents(
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    plate: Annotated[str | None, Query(description="Those that link this plate.", max_length=40)] = None,
    *,
    closed: Annotated[bool, Query(description="With those whose report is locked.")] = True,
    purpose: Purpose = None,
) -> Response:
    """Answer what security keeps a record of, and what it links."""
    wanted = plate_in(plate) if plate is not None else None
    upto = await stand(door, asked)
    await door.register.note(visit.principal, "incidents", purpose, Subject(plate=wanted))
    found = await asyncio.to_thread(incidents_of, door.log, upto, None, asked.at)
    listed = [one for one in found if (closed or one["open"]) and (wanted is None or wanted in one["plates"])]
    return json_answer({"incidents": listed, "as_of": await as_of_log(door.log, upto)})


@router.get(
    "/v1/incidents/{incident}",
    summary="An incident and its log, now or as of",
    response_model=OneIncident,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def one(
    incident: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    purpose: Purpose = None,
) -> Response:
    """Answer the incident with every entry."""
    upto = await stand(door, asked)
    await door.register.note(visit.principal, f"incident {incident}", purpose, Subject())
    found = await asyncio.to_thread(incidents_of, door.log, upto, incident, asked.at)
    if not found:
        raise Problem(
            404, "No such incident", f"There is no incident {incident[:100]!r}.", rule="NoSuchIncident"
        )
    return json_answer({**found[0], "as_of": await as_of_log(door.log, upto)})
