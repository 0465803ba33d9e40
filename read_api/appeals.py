"""Appeals: the dispute desk's queue by deadline, and one appeal."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from commands.holds import Appeal
from commands.ledger import CitationLedger, in_time
from event_store.log import Log
from events.appeals import AppealFiled, LateFilingRequested
from events.boundary import on
from operations.permissions import Access
from operations.problems import Problem
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, Named, recall
from read_api.citations import ledger_of
from read_api.door import Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.ownership import answers_for, demand_citation
from read_api.standing import stand

router = APIRouter(tags=["appeals"])


class QueuedAppeal(BaseModel):
    """An appeal as the queue shows it."""

    appeal: str = Field(examples=["AP-1"])
    citation: str = Field(examples=["PV-50001"])
    plate: str | None
    zone: str | None
    level: int
    state: str
    open: bool
    filed_at: datetime | None
    in_time: bool
    hearing_at: datetime | None
    due: datetime | None = Field(description="The hearing, else the end of the period for filing.")
    outcome: str | None
    decided_at: datetime | None


class Queue(BaseModel):
    """Open appeals, what is due first at the head; those that are closed after them, if asked for."""

    appeals: list[QueuedAppeal]
    known: int
    as_of: AsOf


class AppealStep(BaseModel):
    """One step of an appeal."""

    word: str = Field(examples=["filed", "scheduled", "decided"])
    at: datetime
    position: int
    outcome: str | None
    amount: int | None
    hearing_at: datetime | None


class OneAppeal(BaseModel):
    """An appeal with its steps, in the order in which they occurred."""

    appeal: str
    citation: str
    level: int
    state: str
    open: bool
    in_time: bool
    steps: list[AppealStep]
    as_of: AsOf


@router.get(
    "/v1/appeals",
    summary="The dispute desk's queue",
    response_model=Queue,
    responses=problems(401, 403, 422, 428, 503),
)
async def queue(
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(recall)],
    *,
    closed: Annotated[bool, Query(description="With those that are closed.")] = False,
    purpose: Purpose = None,
) -> Response:
    """Answer the appeals that the office has to act on; to a parker, those against their own citations."""
    await door.register.note(visit.principal, "appeals", purpose, Subject(account=visit.principal.account))
    found = await door.lookups.appeals(asked.known, asked.at_least, closed=closed)
    rows = found.rows
    if visit.access is Access.OWN:
        who = visit.principal
        own = {
            row["citation"]
            for row in rows
            if await asyncio.to_thread(answers_for, door.log, row["citation"], who.account, who.subject)
        }
        rows = tuple(row for row in rows if row["citation"] in own)
    return json_answer({"appeals": rows, "known": found.known, "as_of": found.as_of})


@router.get(
    "/v1/appeals/{appeal}",
    summary="An appeal and its steps, now or as of",
    response_model=OneAppeal,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def one(
    appeal: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(recall)],
    purpose: Purpose = None,
) -> Response:
    """Answer the appeal's state and every step."""
    upto = await stand(door, asked)
    citation = await asyncio.to_thread(citation_of, door.log, appeal, upto)
    if citation is None:
        raise _no_such_appeal(visit.access, appeal)
    await demand_citation(door.log, visit, citation)
    await door.register.note(visit.principal, f"appeal {appeal}", purpose, Subject(citation=citation))
    docket = await asyncio.to_thread(ledger_of, door.log, citation, upto)
    found = docket.appeals.get(appeal) if docket else None
    if docket is None or found is None:
        raise _no_such_appeal(visit.access, appeal)
    return json_answer({**state_of(docket, found), "as_of": await as_of_log(door.log, upto)})


def state_of(docket: CitationLedger, appeal: Appeal) -> dict[str, Any]:
    """Return an appeal in the shape of `OneAppeal`."""
    return {
        "appeal": appeal.appeal,
        "citation": appeal.citation,
        "level": appeal.level,
        "state": appeal.state,
        "open": appeal.is_open,
        "in_time": in_time(docket, appeal),
        "steps": appeal.steps,
    }


def citation_of(log: Log, appeal: str, upto: int) -> str | None:
    """Return the citation that an appeal is against, as known at a position."""
    found = log.read(on(AppealFiled, LateFilingRequested, appeal=appeal), upto=upto, limit=1).entries
    return found[0].event.citation if found else None


def _no_such_appeal(access: Access, appeal: str) -> Problem:
    if access is Access.OWN:  # what does not exist answers like what is somebody else's
        return Problem(403, "Not permitted", "There is no such citation of yours.")
    return Problem(404, "No such appeal", f"There is no appeal {appeal[:100]!r}.", rule="NoSuchAppeal")
