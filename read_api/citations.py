"""Citations: what stands against them, by both clocks, and the finding that the evidence leads to."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from starlette.types import Scope, Send

from commands.ledger import (
    CitationLedger,
)
from event_store.log import Log
from operations.doors import Visitor
from operations.permissions import Access
from operations.problems import Problem
from projections.cases import docket_of, finding_of
from projections.timeline import Timeline
from read_api import direct
from read_api.answers import JSON, as_of_log, json_answer, problems
from read_api.asking import Asked, Named, moment, recall
from read_api.citation_shapes import CitationState, FindingAnswer, TimelineAnswer, WrittenCitations, state_of
from read_api.door import Door, Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.ownership import answers_for, demand_citation
from read_api.standing import stand

router = APIRouter(tags=["citations"])

TIMELINE = "/v1/citations/{citation}/timeline"
_PLAIN = re.compile(r"/v1/citations/([A-Za-z0-9._-]{1,100})/timeline")


def ledger_of(log: Log, citation: str, upto: int) -> CitationLedger | None:
    """Return the docket of a citation as it was known at a position; None if it was not known."""
    found = docket_of(log, citation, upto)
    return found if found.issued_at is not None else None


def no_such_citation(citation: str) -> Problem:
    """Return the problem that the log, as far as it was known, does not hold the citation."""
    return Problem(
        404, "No such citation", f"There is no citation {citation[:100]!r}.", rule="NoSuchCitation"
    )


@router.get(
    "/v1/citations",
    summary="The citations that were written last",
    response_model=WrittenCitations,
    responses=problems(401, 403, 422, 428, 503),
)
async def citations(
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(recall)],
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    purpose: Purpose = None,
) -> Response:
    """Answer the newest citations; to a parker, those of the plates that their permits carry."""
    who = visit.principal
    await door.register.note(who, "citations", purpose, Subject(account=who.account))
    if visit.access is not Access.OWN:
        found = await door.lookups.citations(asked.known, asked.at_least, most=limit)
        return json_answer({"citations": found.rows, "known": found.known, "as_of": found.as_of})
    held = await door.lookups.permits_of(who.account or "", asked.known, asked.at_least)
    plates = {plate for row in held.rows for plate in row["plates"]}
    found = await door.lookups.citations(asked.known, asked.at_least, plates=sorted(plates), most=limit)
    own = [
        row
        for row in found.rows
        if await asyncio.to_thread(answers_for, door.log, row["citation"], who.account, who.subject)
    ]
    return json_answer({"citations": own, "known": found.known, "as_of": found.as_of})


@router.get(
    "/v1/citations/{citation}",
    summary="A citation as it stands, now or as of",
    response_model=CitationState,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def citation_state(
    citation: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    purpose: Purpose = None,
) -> Response:
    """Answer what stands against the citation, what settles it, its deadlines and appeals."""
    await demand_citation(door.log, visit, citation)
    upto = await stand(door, asked)
    await door.register.note(visit.principal, f"citation {citation}", purpose, Subject(citation=citation))
    docket = await asyncio.to_thread(ledger_of, door.log, citation, upto)
    if docket is None:
        raise no_such_citation(citation)
    state = state_of(docket, asked.at or datetime.now(UTC))
    return json_answer({**state, "as_of": await as_of_log(door.log, upto)})


@router.get(
    "/v1/citations/{citation}/finding",
    summary="What the evidence says of a citation",
    response_model=FindingAnswer,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def citation_finding(
    citation: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    purpose: Purpose = None,
) -> Response:
    """Answer the finding, its cause, whether the officer erred, and the entries that it rests on."""
    upto = await stand(door, asked)
    await door.register.note(
        visit.principal, f"finding on citation {citation}", purpose, Subject(citation=citation)
    )
    found = await asyncio.to_thread(finding_of, door.log, citation, upto)
    if found is None:
        raise no_such_citation(citation)
    answer = {"citation": citation, **msgspec.structs.asdict(found)}
    return json_answer({**answer, "as_of": await as_of_log(door.log, upto)})


async def tell(
    door: Door, visitor: Visitor, citation: str, known: int | datetime | None, purpose: str | None
) -> bytes:
    """Return the timeline of a citation as JSON, after the look-up was recorded.

    Raises:
        Problem: if the visitor may not see it, or there is no such citation.
        LogUnavailable, Unavailable: if the log cannot be reached.

    """
    await demand_citation(door.log, visitor, citation)
    query = f"timeline of citation {citation}"
    _, told = await asyncio.gather(  # the answer is given when both are done
        door.register.note(visitor.principal, query, purpose, Subject(citation=citation)),
        door.lookups.timeline(citation=citation, known=known),
    )
    if told.plate is None:
        raise no_such_citation(citation)
    return msgspec.json.encode(seen_by(visitor, told))


def plainly_asked(scope: Scope) -> str | None:
    """Return the citation whose timeline is asked for plainly, as known now; FastAPI takes all other ways."""
    found = _PLAIN.fullmatch(scope["path"])
    return found[1] if found is not None and scope["method"] == "GET" and not scope["query_string"] else None


async def serve_timeline(door: Door, citation: str, scope: Scope, send: Send) -> int:
    """Answer what is plainly asked, and return the status."""

    async def answered(visitor: Visitor, purpose: str | None) -> bytes:
        return await tell(door, visitor, citation, None, purpose)

    return await direct.answer(door, TIMELINE, scope, send, answered)


@router.get(
    TIMELINE,
    summary="Everything that touches a citation, with both clocks",
    response_model=TimelineAnswer,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def citation_timeline(
    citation: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(recall)],
    purpose: Purpose = None,
) -> Response:
    """Answer every entry with both clocks, what was known then, and what the screen showed."""
    known = asked.known if asked.at_least is None else await stand(door, asked)
    return Response(await tell(door, visit, citation, known, purpose), media_type=JSON)


def seen_by(visit: Visitor, told: Timeline) -> Timeline:
    """Return the timeline as the visitor may see it.

    Who parks does not learn who looks for the vehicle, nor of rights that others had in it.
    """
    if visit.access is not Access.OWN:
        return told
    account = visit.principal.account
    entries = tuple(
        entry
        for entry in told.entries
        if entry.area != "security" and entry.fields.get("account") in {None, account}
    )
    return msgspec.structs.replace(told, entries=entries)
