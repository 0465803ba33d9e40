"""What a parker may see as their own: their permits, the plates these carry, and the citations of these.

It follows from the log alone. What does not exist answers like what is somebody else's, so that nobody can
find out which numbers are in use. A citation is theirs if a permit of theirs carried the plate when it was
issued: whoever sells a vehicle does not see the next owner's citations.
"""

import asyncio
from datetime import UTC, datetime

from commands.right_boundaries import permit_boundary, plates_boundary
from commands.right_collection import KnownRights
from commands.rights import plates_at
from event_store.log import Log
from event_store.widening import settled
from events.appeals import AppealFiled
from events.boundary import on
from events.citations import CitationIssued
from events.vocabulary import Plate
from operations.doors import Visitor
from operations.permissions import Access
from operations.problems import Problem

_NOTHING = KnownRights()


async def demand_permit(log: Log, visitor: Visitor, permit: str) -> None:
    """Let pass who may see every permit, or holds this one.

    Raises:
        Problem: 403, if it is somebody else's or nobody's.

    """
    if visitor.access is Access.OWN:
        holder = await asyncio.to_thread(holder_of, log, permit, datetime.now(UTC))
        _demand(holder is not None and holder == visitor.principal.account, "permit")


async def demand_plate(log: Log, visitor: Visitor, plate: str, at: datetime | None = None) -> None:
    """Let pass who may see every plate, or holds a permit that carries this one at the instant (now).

    Raises:
        Problem: 403, if no permit of theirs does.

    """
    if visitor.access is Access.OWN:
        holders = await asyncio.to_thread(holders_of, log, plate, at or datetime.now(UTC))
        _demand(visitor.principal.account in holders, "plate")


async def demand_citation(log: Log, visitor: Visitor, citation: str) -> None:
    """Let pass who may see every citation, or has to answer for this one.

    Raises:
        Problem: 403, if it is of somebody else's vehicle, and they did not appeal it either.

    """
    if visitor.access is Access.OWN:
        account, subject = visitor.principal.account, visitor.principal.subject
        _demand(await asyncio.to_thread(answers_for, log, citation, account, subject), "citation")


def holder_of(log: Log, permit: str, at: datetime) -> str | None:
    """Return the account that holds a permit at the instant."""
    known = settled(log, lambda _: permit_boundary(permit), _NOTHING.grown)
    right = known.right("permit", permit)
    return right.holder(at) if right else None


def holders_of(log: Log, plate: str, at: datetime) -> frozenset[str]:
    """Return the accounts that hold permits which carry the plate at the instant."""
    known = settled(log, lambda facts: plates_boundary([plate], facts), _NOTHING.grown)
    return frozenset(
        holder
        for right in known.of_plate(plate)
        if right.kind == "permit" and right.known and plate in plates_at(right, at)[0]
        if (holder := right.holder(at)) is not None
    )


def answers_for(log: Log, citation: str, account: str | None, subject: str) -> bool:
    """Tell whether the account has to answer for a citation, or the subject appealed it."""
    found = log.read(on(CitationIssued, AppealFiled, citation=citation)).entries
    if any(isinstance(entry.event, AppealFiled) and entry.actor == subject for entry in found):
        return True
    issued = [entry.event for entry in found if isinstance(entry.event, CitationIssued)]
    return bool(issued) and account in holders_of(log, Plate(issued[0].plate), issued[0].at)


def _demand(own: bool, what: str) -> None:  # noqa: FBT001 - the fact itself
    if not own:
        raise Problem(403, "Not permitted", f"There is no such {what} of yours.")
