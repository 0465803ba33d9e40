"""A plate's page: the rights, alerts, reads and citations that enforcement may see of it."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from operations.doors import Visitor
from operations.permissions import Access
from read_api.asking import plate as plate_in
from read_api.door import Here
from read_api.looking_up import Subject
from read_api.ownership import demand_plate
from read_api.pages.desk import address_of
from read_api.pages.menu import arrive, may_ask, seen_by
from read_api.pages.rendering import page
from read_api.pages.words import ANSWERS
from read_api.plates import state_of
from read_api.zones import time_zones

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/plates/{plate}"
TIMELINE = "/v1/citations/{citation}/timeline"
ONE_LOOK_UP = 900
LAST = 50


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: a text, perhaps with a link, or an instant."""

    text: str = ""
    href: str | None = None
    instant: datetime | None = None
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A list of the page; `none` is said where it is empty."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    none: str


@router.get("/plates/{plate}")
async def plate_page(request: Request, door: Here, plate: str, purpose: str | None = None) -> Response:
    """Show what enforcement may see of the plate; to its owner, their own part of it."""
    visitor = arrive(request, QUESTION)
    wanted = plate_in(plate)
    await demand_plate(door.log, visitor, wanted)
    subject = Subject(plate=wanted)
    await door.register.note(visitor.principal, f"plate {wanted}", purpose, subject, once_in=ONE_LOOK_UP)
    found = await door.lookups.plate(wanted)
    state = state_of(found, datetime.now(UTC), own=visitor.access is Access.OWN)
    zones = await asyncio.to_thread(time_zones, door.log)
    href = f"/plates/{quote(wanted, safe='')}"
    view: dict[str, Any] = {
        "page": {
            "plate": wanted,
            "href": f"{href}?{urlencode({'purpose': purpose})}" if purpose else href,
            "alerts": state["alerts"],
            "tables": tables_of(state, zones, visitor),
        },
        "as_of": found.as_of,
    }
    told = {"tag": f"plate:{wanted}", "after": found.as_of.position}
    live = f"/v1/stream?{urlencode(told)}" if may_ask(visitor, "/v1/stream") else None
    return page(request, "plate.html", {**view, "stream": live, **seen_by(visitor)})


def tables_of(state: dict[str, Any], zones: dict[str, ZoneInfo], visitor: Visitor) -> list[Table]:
    """Return the lists of the page."""
    tables = [
        Table(
            "Rights",
            ("Right", "Zone", "From", "Until", "Ends by", "Now"),
            [_right(row, zones) for row in state["rights"]],
            "No right was ever known for this plate.",
        ),
        Table(
            "Citations",
            ("Citation", "Zone", "Violation", "Issued", "State"),
            [_citation(row, zones, linked=may_ask(visitor, TIMELINE)) for row in state["citations"][:LAST]],
            "This plate was never cited.",
        ),
    ]
    if visitor.access is Access.ALL:
        reads = Table(
            "Last reads",
            ("When", "Zone", "Device", "The screen showed", "First read as"),
            [_read(row, zones) for row in state["reads"][:LAST]],
            "This plate was never read.",
        )
        tables.insert(1, reads)
    return tables


def _right(row: dict[str, Any], zones: dict[str, ZoneInfo]) -> tuple[Cell, ...]:
    zone = zones.get(row["zone"])
    until = Cell(instant=row["until"], zone=zone) if row["until"] else Cell("open")
    return (
        Cell(f"{row['kind']} {row['right']}"),
        Cell(row["zone"] or "every zone"),
        Cell(instant=row["start"], zone=zone),
        until,
        Cell((row["ended_by"] or "").replace("_", " ")),
        Cell("in force" if row["current"] else ""),
    )


def _citation(row: dict[str, Any], zones: dict[str, ZoneInfo], *, linked: bool) -> tuple[Cell, ...]:
    return (
        Cell(row["citation"], address_of(row["citation"]) if linked else None),
        Cell(row["zone"]),
        Cell(row["code"]),
        Cell(instant=row["issued_at"], zone=zones.get(row["zone"])),
        Cell("voided" if row["voided_at"] else "warning" if row["kind"] == "warning" else "stands"),
    )


def _read(row: dict[str, Any], zones: dict[str, ZoneInfo]) -> tuple[Cell, ...]:
    return (
        Cell(instant=row["at"], zone=zones.get(row["zone"])),
        Cell(row["zone"]),
        Cell(row["device"]),
        Cell(ANSWERS[row["answer"]] if row["answer"] else ""),
        Cell(row["was"] or ""),
    )
