"""The dispute desk: open appeals by deadline, the newest citations, and any citation by its number."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from event_store.log import Log
from events.boundary import on
from events.citations import CitationIssued
from projections.cases import finding_of
from projections.listings import MOST
from read_api.door import Here
from read_api.looking_up import Subject
from read_api.pages.finding_words import REASONS
from read_api.pages.menu import arrive, seen_by
from read_api.pages.rendering import HEADERS, page, wants_part
from read_api.pages.verdict import ACTS
from read_api.zones import time_zones

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/appeals"
ONE_LOOK_UP = 900
LAST = 25
LISTED = 50
"""Appeals that the page lists; who has decided these sees the next ones."""
ADVISED = 10
"""Appeals at the head of the queue that are shown with what the evidence says."""
NO_ADVICE = {"act": "", "why": ""}
LONGEST_NAME = 100


@router.get("/desk")
async def desk(request: Request, door: Here, citation: str = "", purpose: str | None = None) -> Response:
    """Show the queue, or open the citation of that number."""
    visitor = arrive(request, QUESTION)
    visitor.owns(None)
    wanted = citation.strip()
    found = nameable(wanted) and await asyncio.to_thread(was_written, door.log, wanted)
    if found:
        return RedirectResponse(address_of(wanted), 303, HEADERS)
    await door.register.note(visitor.principal, "dispute desk", purpose, Subject(), once_in=ONE_LOOK_UP)
    appeals = await door.lookups.appeals()
    written = await door.lookups.citations(most=LAST)
    view: dict[str, Any] = {
        "missing": wanted,
        "appeals": await asyncio.to_thread(advised, door.log, appeals.rows[:LISTED]),
        "open": len(appeals.rows),
        "at_least": len(appeals.rows) >= MOST,
        "further": len(appeals.rows) - LISTED,
        "citations": [_linked(row) for row in written.rows],
        "zone_info": await asyncio.to_thread(time_zones, door.log),
        "as_of": written.as_of,
    }
    if wants_part(request):
        return page(request, "queue.html", view)
    stream = f"/v1/stream?after={written.as_of.position}"
    return page(request, "desk.html", {**view, "stream": stream, **seen_by(visitor)})


def nameable(citation: str) -> bool:
    """Tell whether a citation may have that number."""
    return citation.isprintable() and 0 < len(citation) <= LONGEST_NAME


def address_of(citation: str) -> str:
    """Return the address of a citation's page."""
    return f"/citations/{quote(citation, safe='')}"


def was_written(log: Log, citation: str) -> bool:
    """Tell whether the log holds the citation."""
    return bool(log.read(on(CitationIssued, citation=citation), limit=1).entries)


def advised(log: Log, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the queue; what is due first with what the evidence says should be done."""
    head = log.head()
    return [
        {**_linked(row), **(_advice(log, row["citation"], head) if number < ADVISED else NO_ADVICE)}
        for number, row in enumerate(rows)
    ]


def _advice(log: Log, citation: str, head: int) -> dict[str, str]:
    found = finding_of(log, citation, head)
    if found is None:
        return NO_ADVICE
    return {"act": ACTS[found.disposition], "why": REASONS.get(found.reason, found.reason)}


def _linked(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "href": address_of(row["citation"])}
