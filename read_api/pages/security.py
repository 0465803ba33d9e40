"""Security's pages: hits as they happen, the watchlist, and incidents with all that they link."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from operations.doors import Visitor
from operations.permissions import Access, access
from operations.problems import Problem
from read_api.asking import Named
from read_api.door import Here
from read_api.incidents import incidents_of
from read_api.looking_up import Subject
from read_api.pages.menu import arrive, may_ask, seen_by
from read_api.pages.rendering import page, wants_part
from read_api.security import hits_of, watchlist_of
from read_api.zones import time_zones

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/incidents"
ONE = "/v1/incidents/{incident}"
CITATION = "/v1/citations/{citation}/timeline"
ONE_LOOK_UP = 900
HITS = 25
INCIDENTS = 50


@router.get("/security")
async def security(request: Request, door: Here, purpose: str | None = None) -> Response:
    """Show hits, the watchlist and incidents; the part that lives is fetched again at every change."""
    visitor = arrive(request, QUESTION)
    await door.register.note(visitor.principal, "security desk", purpose, Subject(), once_in=ONE_LOOK_UP)
    head = await asyncio.to_thread(door.log.head)
    now = datetime.now(UTC)
    watched = await asyncio.to_thread(watchlist_of, door.log, head, now)
    by_name = {one["entry"]: one for one in watched}
    hits = await asyncio.to_thread(hits_of, door.log, head, now, HITS)
    incidents = await asyncio.to_thread(incidents_of, door.log, head)
    view: dict[str, Any] = {
        "hits": [{**hit, "reason": by_name.get(hit["entry"], {}).get("reason", "")} for hit in hits],
        "watched": watched,
        "incidents": [{**one, "href": address_of(one["incident"])} for one in incidents[:INCIDENTS]],
        "zones": await asyncio.to_thread(time_zones, door.log),
        "acts": may_act(visitor),
    }
    if wants_part(request):
        return page(request, "hits.html", view)
    stream = f"/v1/stream?after={head}"
    return page(request, "security.html", {**view, "stream": stream, **seen_by(visitor)})


@router.get("/incidents/{incident}")
async def incident_page(
    request: Request, door: Here, incident: Named, purpose: str | None = None
) -> Response:
    """Show an incident, its log, and what it links."""
    visitor = arrive(request, ONE)
    await door.register.note(
        visitor.principal, f"incident {incident}", purpose, Subject(), once_in=ONE_LOOK_UP
    )
    head = await asyncio.to_thread(door.log.head)
    found = await asyncio.to_thread(incidents_of, door.log, head, incident)
    if not found:
        raise Problem(404, "No such incident", f"There is no incident {incident!r}.")
    view = {
        "incident": found[0],
        "href": address_of(incident),
        "acts": may_act(visitor),
        "opens": may_ask(visitor, CITATION),
    }
    return page(request, "incident.html", {**view, **seen_by(visitor)})


def address_of(incident: str) -> str:
    """Return the address of an incident's page."""
    return f"/incidents/{quote(incident, safe='')}"


def may_act(visitor: Visitor) -> bool:
    """Tell whether the visitor may add to the watchlist and to incidents."""
    return access(visitor.principal.role, "POST", "/v1/watchlist") is not Access.NONE
