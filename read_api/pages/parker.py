"""My parking: what a parker holds, what they owe, and everything they can do about it without calling."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from commands.permit_types import offer_at
from commands.rights import plates_at
from event_store.log import Log
from events.boundary import on
from events.permits import PermitTypeOffered
from operations.doors import Visitor
from operations.identity import Role
from operations.problems import Problem
from read_api.citations import ledger_of
from read_api.door import Door, Here
from read_api.looking_up import Subject
from read_api.ownership import answers_for
from read_api.pages.in_hand import Notice, in_hand
from read_api.pages.menu import arrive, seen_by
from read_api.pages.own_citations import citation_of
from read_api.pages.queues import places_of
from read_api.pages.rendering import page
from read_api.permits import known_permit
from read_api.zones import time_zones

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/accounts/{account}"
ONE_LOOK_UP = 900
LAST = 50
_ALIVE = frozenset({"issued", "suspended", "lost"})


@router.get("/parker")
async def parker(request: Request, door: Here, citation: str = "", plate: str = "") -> Response:
    """Show the visitor's own permits, citations and appeals, with what can be done about each."""
    visitor = arrive(request, QUESTION)
    account = visitor.principal.account
    if visitor.principal.role is not Role.PARKER or account is None:
        raise Problem(403, "Not permitted", "This page is for who parks here: sign in with your own account.")
    await door.register.note(
        visitor.principal, f"account {account}", None, Subject(account=account), once_in=ONE_LOOK_UP
    )
    held = await door.lookups.permits_of(account)
    now = datetime.now(UTC)
    head = await asyncio.to_thread(door.log.head)
    offers = await asyncio.to_thread(offers_of, door.log, head, now)
    terms = {offer.permit_type: offer for offer in offers}
    zones = await asyncio.to_thread(time_zones, door.log)
    view: dict[str, Any] = {
        "permits": [
            {
                **await asyncio.to_thread(permit_of, door.log, row, terms, head, now),
                "info": zones.get(row["zones"][0]) if row["zones"] else None,
            }
            for row in held.rows
        ],
        "citations": await citations_of(door, visitor, held.rows, head, now),
        **await in_hand(door, visitor, Notice(citation.strip(), plate.strip()), head, now),
        "offers": offers,
        "waiting": await asyncio.to_thread(places_of, door.log, account, head, now),
        "reference": reference,
        "as_of": held.as_of,
    }
    return page(request, "parker.html", {**view, **seen_by(visitor)})


def reference(prefix: str = "TOK-") -> str:
    """Return a fresh name; sent twice with the same form, it is the same thing."""
    return f"{prefix}{uuid4().hex[:12].upper()}"


def offers_of(log: Log, upto: int, now: datetime) -> list[PermitTypeOffered]:
    """Return the permit types on the terms that they are offered on now, by name."""
    told = [entry.event for entry in log.read(on(PermitTypeOffered), upto=upto).entries]
    names = sorted({offer.permit_type for offer in told})
    return [offer for name in names if (offer := offer_at(told, name, now)) is not None]


def permit_of(
    log: Log, row: Mapping[str, Any], terms: Mapping[str, PermitTypeOffered], upto: int, now: datetime
) -> dict[str, Any]:
    """Return a permit as the page shows it."""
    known, right = known_permit(log, row["permit"], upto)
    carried, active = plates_at(right, now, known.max_active(right)) if right else ((), ())
    valid = right is not None and any(
        time.start <= now and (time.end is None or now < time.end) for time in known.intervals(right)
    )
    offer = terms.get(row["permit_type"] or "")
    alive = row["state"] in _ALIVE and (row["valid_until"] is None or row["valid_until"] > now)
    return {
        "permit": row["permit"],
        "permit_type": row["permit_type"],
        "zones": row["zones"],
        "until": row["valid_until"],
        "words": "valid now" if valid else ("not valid now" if alive else str(row["state"])),
        "class": "word-good" if valid else "word-plain",
        "alive": alive,
        "vehicles": [{"plate": plate, "active": plate in active} for plate in carried],
        "room": len(carried) < (offer.max_plates if offer else 1),
        "price": offer.price if offer else None,
        "term_days": offer.term_days if offer else None,
    }


async def citations_of(
    door: Door, visitor: Visitor, permits: Sequence[Mapping[str, Any]], upto: int, now: datetime
) -> list[dict[str, Any]]:
    """Return the citations that the visitor has to answer for, the newest first."""
    who = visitor.principal
    plates = sorted({plate for row in permits for plate in row["plates"]})
    found = await door.lookups.citations(plates=plates, most=LAST)
    shown = []
    for row in found.rows:
        if not await asyncio.to_thread(answers_for, door.log, row["citation"], who.account, who.subject):
            continue
        docket = await asyncio.to_thread(ledger_of, door.log, row["citation"], upto)
        if docket is not None:
            shown.append(citation_of(docket, now))
    return shown
