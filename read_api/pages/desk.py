"""The dispute desk: open appeals by deadline, the newest citations, and any citation by its number."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from event_store.log import Log
from events.boundary import on
from events.citations import CitationIssued
from read_api.door import Here
from read_api.looking_up import Subject
from read_api.pages.menu import arrive, seen_by
from read_api.pages.rendering import HEADERS, page, wants_part
from read_api.zones import time_zones

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/appeals"
ONE_LOOK_UP = 900
LAST = 25
LONGEST_NAME = 100


@router.get("/desk")
async def desk(request: Request, door: Here, citation: str = "", purpose: str | None = None) -> Response:
    """Show the queue, or open the citation of that number."""
    visitor = arrive(request, QUESTION)
    visitor.owns(None)
    wanted = citation.strip()
    nameable = wanted.isprintable() and 0 < len(wanted) <= LONGEST_NAME
    found = nameable and await asyncio.to_thread(was_written, door.log, wanted)
    if found:
        return RedirectResponse(address_of(wanted), 303, HEADERS)
    await door.register.note(visitor.principal, "dispute desk", purpose, Subject(), once_in=ONE_LOOK_UP)
    appeals = await door.lookups.appeals()
    written = await door.lookups.citations(most=LAST)
    view: dict[str, Any] = {
        "missing": wanted,
        "appeals": [_linked(row) for row in appeals.rows],
        "citations": [_linked(row) for row in written.rows],
        "zone_info": await asyncio.to_thread(time_zones, door.log),
        "as_of": written.as_of,
    }
    if wants_part(request):
        return page(request, "queue.html", view)
    stream = f"/v1/stream?after={written.as_of.position}"
    return page(request, "desk.html", {**view, "stream": stream, **seen_by(visitor)})


def address_of(citation: str) -> str:
    """Return the address of a citation's page."""
    return f"/citations/{quote(citation, safe='')}"


def was_written(log: Log, citation: str) -> bool:
    """Tell whether the log holds the citation."""
    return bool(log.read(on(CitationIssued, citation=citation), limit=1).entries)


def _linked(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "href": address_of(row["citation"])}
