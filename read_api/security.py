"""The watchlist: whose plate alerts whoever reads it, by both clocks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from event_store.log import Log, Reading
from events.boundary import on
from events.reads import PlateRead
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled, WatchlistHit
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, moment
from read_api.door import Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.standing import stand

router = APIRouter(tags=["security"])

WEEK = timedelta(days=7)


class WatchlistEntry(BaseModel):
    """A plate that somebody looks for."""

    entry: str = Field(examples=["W-12"])
    plate: str = Field(examples=["ON CKTR482"])
    reason: str
    source: str | None
    since: datetime
    until: datetime | None = Field(description="When it expires or was cancelled; null where it stays.")
    cancelled: bool


class Hit(BaseModel):
    """A read that met an entry."""

    entry: str
    read: str
    plate: str
    at: datetime
    recorded: datetime
    position: int
    stale: bool = Field(description="The entry was cancelled by then, and the device did not know.")
    zone: str | None
    device: str | None
    list_version: int | None = Field(description="The list that the device went by, where it was offline.")


class Watchlist(BaseModel):
    """The entries that alert at the instant, by name, and the hits of the week before it, newest first."""

    at: datetime
    entries: list[WatchlistEntry]
    hits: list[Hit]
    as_of: AsOf


def watchlist_of(log: Log, upto: int, at: datetime) -> list[dict[str, Any]]:
    """Return the entries that alert at an instant, by what was known at a position."""
    added: dict[str, WatchlistEntryAdded] = {}
    cancelled: dict[str, datetime] = {}
    for entry in log.read(on(WatchlistEntryAdded, WatchlistEntryCancelled), upto=upto).entries:
        event = entry.event
        if isinstance(event, WatchlistEntryAdded):
            added.setdefault(event.entry, event)
        else:
            cancelled[event.entry] = min(event.at, cancelled.get(event.entry, event.at))
    listed = []
    for name, event in sorted(added.items()):
        ends = [end for end in (event.expires, cancelled.get(name)) if end is not None]
        until = min(ends, default=None)
        if event.at <= at and (until is None or at < until):
            listed.append(
                {
                    "entry": name,
                    "plate": event.plate,
                    "reason": event.reason,
                    "source": event.source,
                    "since": event.at,
                    "until": until,
                    "cancelled": name in cancelled,
                }
            )
    return listed


def hits_of(log: Log, upto: int, at: datetime, most: int = 100) -> list[dict[str, Any]]:
    """Return the hits of the week before an instant, the newest first, with where the vehicle was read."""
    after = log.position_at(at - WEEK)
    found = [e for e in log.read(on(WatchlistHit), after=after, upto=upto).entries if e.event.at <= at]
    newest = found[::-1][:most]
    reads = {
        entry.event.read: entry.event
        for part in log.read_many([Reading(on(PlateRead, read=e.event.read), upto=upto) for e in newest])
        for entry in part.entries
    }
    return [
        {
            "entry": entry.event.entry,
            "read": entry.event.read,
            "plate": entry.event.plate,
            "at": entry.event.at,
            "recorded": entry.recorded,
            "position": entry.position,
            "stale": entry.event.stale,
            "zone": read.zone if (read := reads.get(entry.event.read)) else None,
            "device": read.device if read else None,
            "list_version": read.list_version if read else None,
        }
        for entry in newest
    ]


@router.get(
    "/v1/watchlist",
    summary="The watchlist, now or as of",
    response_model=Watchlist,
    responses=problems(401, 403, 422, 428, 503),
)
async def watchlist(
    door: Here, visit: Visit, asked: Annotated[Asked, Depends(moment)], purpose: Purpose = None
) -> Response:
    """Answer the entries that alert at the instant."""
    upto = await stand(door, asked)
    await door.register.note(visit.principal, "watchlist", purpose, Subject())
    at = asked.at or datetime.now(UTC)
    entries = await asyncio.to_thread(watchlist_of, door.log, upto, at)
    hits = await asyncio.to_thread(hits_of, door.log, upto, at)
    return json_answer({"at": at, "entries": entries, "hits": hits, "as_of": await as_of_log(door.log, upto)})
