"""The auditor's pages: history by tag, type and actor, and any entry with the proof that it is in the log."""

import asyncio
import contextlib
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from event_store.pack import entry_of
from event_store.proving import NotSealed
from event_store.reading import EVERYTHING
from event_store.seal import Checkpoint
from event_store.verifier import Wrong, check_entry, read_note
from events.catalogue import CATALOGUE
from operations.problems import Problem
from read_api.asking import BadParameter, instant
from read_api.door import Door, Here
from read_api.events import ONE_LOOK_UP, find, query_of, select, subject_of
from read_api.looking_up import Subject
from read_api.pages.menu import arrive, seen_by
from read_api.pages.rendering import page
from read_api.pages.words import wording
from read_api.proofs import sealed_log

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/events"
PROOF = "/v1/events/{position}/proof"
ROWS = 50
HEADS = 5
_KINDS = (("citation", "Citation"), ("plate", "Plate"), ("permit", "Permit"), ("account", "Account"))


@router.get("/audit")
async def history(
    request: Request,
    door: Here,
    tag: str = "",
    type_: str = "",
    actor: str = "",
    since: str = "",
    until: str = "",
    cursor: int = 0,
    purpose: str | None = None,
) -> Response:
    """Show history as it was asked for, and the signed heads of the log."""
    type_ = request.query_params.get("type", type_).strip()
    visitor = arrive(request, QUESTION)
    tag, actor = tag.strip(), actor.strip()
    asked = {"tag": tag, "type": type_, "actor": actor, "since": since, "until": until}
    given = {name: value for name, value in asked.items() if value}
    wrong = ""
    rows: list[dict[str, Any]] = []
    following: int | None = None
    if given:
        tags = (tag,) if ":" in tag else ()
        await door.register.note(
            visitor.principal, query_of(list(given.items())), purpose, subject_of(tags), once_in=ONE_LOOK_UP
        )
    try:
        rows, following = await asyncio.to_thread(_found, door, asked, max(0, cursor))
    except (BadParameter, ValueError) as error:
        wrong = str(error)
    head = await asyncio.to_thread(door.log.head)
    view: dict[str, Any] = {
        "asked": asked,
        "types": sorted(CATALOGUE),
        "rows": rows,
        "wrong": wrong,
        "next": f"/audit?{urlencode({**given, 'cursor': following})}" if following else None,
        "newest": f"/audit?{urlencode({'cursor': head - ROWS})}" if following and not given else None,
        "export": urlencode(exported(given)),
        "heads": await _heads(door),
        "head": head,
    }
    return page(request, "audit.html", {**view, **seen_by(visitor)})


def exported(given: dict[str, str]) -> dict[str, str]:
    """Return the selection as the HTTP interface asks for it; an instant that cannot be used is left out."""
    names = {"since": "from", "until": "to"}
    asked = {}
    for name, value in given.items():
        with contextlib.suppress(BadParameter):
            told = _local(value) if name in names else None
            asked[names.get(name, name)] = value if told is None else told.isoformat()
    return asked


def _found(door: Door, asked: dict[str, str], cursor: int) -> tuple[list[dict[str, Any]], int | None]:
    """Return the rows of one page, and where the next one begins.

    Raises:
        BadParameter: naming what cannot be used.

    """
    tag, type_ = asked["tag"], asked["type"]
    if tag and ":" not in tag:
        raise BadParameter("A tag is written name:value, such as citation:PV-50001.")
    if type_ and type_ not in CATALOGUE:
        raise BadParameter(f"The catalogue has no event {type_[:60]!r}.")
    since, until = _local(asked["since"]), _local(asked["until"])
    tags, types = [tag] if tag else [], [type_] if type_ else []
    selection = select(door.log, tags, types, asked["actor"] or None, since, until, None, cursor)
    found = find(door.log, selection, ROWS)
    rows = [
        {
            "position": entry.position,
            "type": type(entry.event).__name__,
            "at": entry.event.at,
            "recorded": entry.recorded,
            "actor": entry.actor,
            "channel": entry.channel,
            "detail": wording(entry.event, None).detail,
            "tags": entry.event.tags()[:4],
        }
        for entry in found.entries
    ]
    return rows, found.cursor if len(rows) == ROWS else None


def _local(text: str) -> datetime | None:
    """Return an instant of the form, which is in UTC where it names no offset."""
    if not text.strip():
        return None
    stated = text.strip()
    zoned = stated if stated[-1] in "Zz" or "+" in stated[10:] or "-" in stated[10:] else f"{stated}Z"
    return instant(zoned)


async def _heads(door: Door) -> list[Checkpoint]:
    return await asyncio.to_thread(sealed_log(door).checkpoints, None, HEADS) if door.proofs else []


@router.get("/audit/events/{position}")
async def entry_page(request: Request, door: Here, position: int, purpose: str | None = None) -> Response:
    """Show an entry as it was sealed, and check its proof."""
    visitor = arrive(request, PROOF)
    last = await asyncio.to_thread(door.log.head)
    if not 1 <= position <= last:
        raise Problem(404, "No such entry", f"The log ends at position {last}.")
    await door.register.note(
        visitor.principal, f"proof of entry {position}", purpose, Subject(), once_in=ONE_LOOK_UP
    )
    view = await asyncio.to_thread(_proved, door, position)
    return page(request, "entry.html", {**view, **seen_by(visitor)})


def _proved(door: Door, position: int) -> dict[str, Any]:
    proofs = sealed_log(door)
    try:
        head = proofs.covering(position, door.settings.wait_seconds)
    except NotSealed as error:
        raise Problem(503, "Not sealed yet", f"{error} Ask again in a moment.") from error
    (proven,) = proofs.prove([position], head.size)
    entry = entry_of(proven)
    wrong = ""
    try:
        size, root = read_note(head.note, head.key)
        check_entry(entry, size, root)
    except Wrong as found:
        wrong = str(found)
    (recorded,) = door.log.read(EVERYTHING, after=position - 1, upto=position).entries
    readable = recorded.event.payload()
    return {
        "entry": entry,
        "kept": proven.kept,
        "payload": json.dumps(readable, indent=2, ensure_ascii=False),
        "tags": recorded.event.tags(),
        "sealed": json.loads(entry["payload"]) != readable,
        "head": head,
        "wrong": wrong,
        "position": position,
    }
