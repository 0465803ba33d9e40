"""The auditor's history by tag, type, time and actor, by cursor, as JSON, JSON Lines, CSV or Parquet."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from event_store.log import Log
from events.base import Event
from events.boundary import Boundary, Criterion
from events.catalogue import CATALOGUE
from events.envelope import Recorded
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, At, KnownThen, freshness, tag_of, unusable
from read_api.door import Here, Visit
from read_api.entries import Entry, as_csv, as_lines, entry_of
from read_api.entries_parquet import parquet_file
from read_api.looking_up import Purpose, Subject
from read_api.standing import stand

PAGE = 100
MOST = 1000
ACTOR = 6
"""Where a row of the log names its actor; see `event_store.codec.Row`."""

SCANNED = 20_000
"""Entries that one page looks through for an actor; the answer's cursor goes on from there."""

router = APIRouter(tags=["audit"])

type Format = Literal["json", "jsonl", "csv", "parquet"]
_ACCEPTED: dict[str, Format] = {
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/vnd.apache.parquet": "parquet",
}


class History(BaseModel):
    """A page of history. Ask again with `cursor` for what follows; null means that nothing does as yet."""

    events: list[Entry]
    cursor: int | None = Field(description="The position to go on after.", examples=[1042])
    as_of: AsOf


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of history is asked for: after one position, up to another."""

    boundary: Boundary[Event] | None
    actor: str | None
    after: int
    upto: int
    known: int
    """As far as the log was looked at; `upto` may lie before, where the selection ends at an instant."""

    @property
    def only_types(self) -> frozenset[str] | None:
        """The types that it is confined to, none for all; None where it is confined by tags."""
        if self.boundary is None:
            return frozenset()
        (criterion,) = self.boundary.criteria
        return None if criterion.tags else criterion.types

    def keep(self, entries: Sequence[Recorded[Event]]) -> list[Recorded[Event]]:
        """Return the entries of the actor that is asked for."""
        return [entry for entry in entries if self.actor is None or entry.actor == self.actor]


@dataclass(frozen=True, slots=True)
class Found:
    """Some entries of a selection, and where to go on; None where it is exhausted."""

    entries: list[Recorded[Event]]
    cursor: int | None


def select(
    log: Log,
    tags: Sequence[str],
    types: Sequence[str],
    actor: str | None,
    start: datetime | None,
    end: datetime | None,
    known: int | datetime | None,
    cursor: int,
) -> Selection:
    """Return the selection; `start` and `end` bound `recorded`, the end excluded."""
    held = log.head()
    if known is not None:
        held = min(held, known if isinstance(known, int) else log.position_at(known))
    upto = held if end is None else min(held, _before(log, end))
    after = max(cursor, _before(log, start) if start is not None else 0)
    criterion = Criterion(frozenset(types), frozenset(tags))
    boundary = Boundary[Event](frozenset({criterion})) if tags or types else None
    return Selection(boundary, actor, after, upto, held)


def _before(log: Log, instant: datetime) -> int:
    """Return the last position recorded before the instant."""
    return log.position_at(instant - datetime.resolution)


def find(log: Log, selection: Selection, limit: int) -> Found:
    """Return up to `limit` entries of the selection."""
    types = selection.only_types
    if selection.actor is not None and types is not None:
        return _of_actor(log, selection, selection.actor, types, limit)
    found: list[Recorded[Event]] = []
    after = selection.after
    for _ in range(max(1, SCANNED // MOST)):
        if after >= selection.upto:
            return Found(found, None)
        wanted = limit - len(found) if selection.actor is None else MOST
        part = log.read(selection.boundary, after=after, upto=selection.upto, limit=wanted).entries
        for entry in selection.keep(part):
            found.append(entry)
            if len(found) == limit:
                return Found(found, entry.position)
        if len(part) < wanted:
            return Found(found, None)
        after = part[-1].position
    return Found(found, after)


def _of_actor(log: Log, selection: Selection, actor: str, types: frozenset[str], limit: int) -> Found:
    """Return up to `limit` entries of an actor; what others did is not decoded, let alone unsealed."""
    found: list[Recorded[Event]] = []
    seen = 0
    for rows in log.pages(selection.after, types=types or None, upto=selection.upto, size=MOST):
        for row in (row for row in rows if row[ACTOR] == actor):
            found.append(log.codec.revive(row))
            if len(found) == limit:
                return Found(found, row[0])
        seen += len(rows)
        if seen >= SCANNED:
            return Found(found, rows[-1][0])
    return Found(found, None)


async def export(
    log: Log, selection: Selection, most: int | None, write: Callable[[list[Recorded[Event]], int], bytes]
) -> AsyncIterator[bytes]:
    """Yield the whole selection, or its first `most` entries, in parts, so that memory stays flat."""
    parts = parts_of(log, selection, most)
    for part in count():
        entries = await asyncio.to_thread(next, parts, None)
        if entries is None:
            return
        yield write(entries, part)


@router.get(
    "/v1/events",
    summary="History by tag, type, time and actor",
    responses={
        200: {
            "model": History,
            "description": "A page of history as JSON; in other formats all of it, or `limit` entries.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
                "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **problems(401, 403, 422, 428, 503),
    },
)
async def history(
    request: Request,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(freshness)],
    tag: Annotated[
        list[str] | None,
        Query(description="`name:value`; repeated, all must be met.", examples=[["citation:PV-50001"]]),
    ] = None,
    type_: Annotated[
        list[str] | None,
        Query(
            alias="type", description="Wire name; repeated, any may be met.", examples=[["CitationIssued"]]
        ),
    ] = None,
    from_: Annotated[At | None, Query(alias="from", description="Recorded at or after this instant.")] = None,
    to: Annotated[At | None, Query(description="Recorded before this instant.")] = None,
    actor: Annotated[str | None, Query(max_length=200)] = None,
    known: Annotated[KnownThen, Query(description="Up to this position or instant.")] = None,
    cursor: Annotated[int, Query(ge=0, le=2**63 - 2, description="Go on after this position.")] = 0,
    limit: Annotated[
        int | None, Query(ge=1, le=MOST, description=f"Entries at most; {PAGE} of a page of JSON.")
    ] = None,
    format_: Annotated[Format | None, Query(alias="format", description="Over the header Accept.")] = None,
    purpose: Purpose = None,
) -> Response:
    """Answer a page of history, or all of it as JSON Lines, CSV or Parquet."""
    tags = [tag_of(one) for one in tag or ()]
    _check(type_ or ())
    if from_ is not None and to is not None and to <= from_:
        raise unusable("to", "it is not after `from`")
    await stand(door, asked)
    selection = await asyncio.to_thread(select, door.log, tags, type_ or (), actor, from_, to, known, cursor)
    query = query_of(request.query_params.multi_items())
    await door.register.note(visit.principal, query, purpose, subject_of(tags), once_in=ONE_LOOK_UP)
    shape = format_ or _ACCEPTED.get(request.headers.get("accept", "").partition(",")[0].strip(), "json")
    if shape == "jsonl":
        parts = export(door.log, selection, limit, lambda entries, _: as_lines(entries))
        return StreamingResponse(parts, media_type="application/x-ndjson")
    if shape == "csv":
        parts = export(door.log, selection, limit, lambda entries, part: as_csv(entries, heading=part == 0))
        return StreamingResponse(parts, media_type="text/csv; header=present", headers=_DOWNLOAD)
    if shape == "parquet":
        file = await asyncio.to_thread(parquet_file, parts_of(door.log, selection, limit))
        done = BackgroundTask(Path(file).unlink, missing_ok=True)
        return FileResponse(
            file, media_type="application/vnd.apache.parquet", filename="events.parquet", background=done
        )
    found = await asyncio.to_thread(find, door.log, selection, limit or PAGE)
    answer: dict[str, Any] = {
        "events": [entry_of(entry) for entry in found.entries],
        "cursor": found.cursor,
        "as_of": await as_of_log(door.log, selection.known),
    }
    return json_answer(answer)


ONE_LOOK_UP = 900
"""Seconds within which the pages of one selection are one look-up."""
_OF_A_PAGE = frozenset({"cursor", "limit", "at_least"})
_SUBJECTS = frozenset({"plate", "account", "citation"})


def subject_of(tags: Sequence[str]) -> Subject:
    """Return whose data is looked up by these tags."""
    named = dict(tag.split(":", 1) for tag in tags)
    return Subject(**{name: value for name, value in named.items() if name in _SUBJECTS and value})


def query_of(asked: Sequence[tuple[str, str]]) -> str:
    """Return what is asked in words, the same for every page of it."""
    said = ", ".join(f"{name}={value}" for name, value in asked if name not in _OF_A_PAGE)
    return f"history of {said or 'everything'}"


def parts_of(log: Log, selection: Selection, most: int | None = None) -> Iterator[list[Recorded[Event]]]:
    """Yield the whole selection, or its first `most` entries, in parts."""
    at: int | None = selection.after
    while at is not None:
        found = find(log, replace(selection, after=at), MOST if most is None else most)
        yield found.entries
        at = found.cursor
        if most is not None:
            most -= len(found.entries)
            if most == 0:
                return


_DOWNLOAD = {"Content-Disposition": 'attachment; filename="events.csv"'}


def _check(types: Sequence[str]) -> None:
    for name in types:
        if name not in CATALOGUE:
            near = get_close_matches(name, CATALOGUE, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise unusable("type", f"the catalogue has no event {name[:60]!r}{hint}")
