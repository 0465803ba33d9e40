"""A citation's timeline: both clocks as two tracks, every entry, and a slider over what was known.

Everything below the slider is drawn as of the position that it stands at: entries recorded later are
ghosts, the bands are the rights as known then, and the finding is the one that the evidence led to then.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from commands.evidence import basis_of, world
from commands.findings import Finding, finding
from commands.holds import Appeal, late_accepted
from commands.ledger import CitationLedger, in_time
from commands.right_boundaries import plates_boundary
from commands.right_collection import KnownRights
from commands.rights import Interval
from commands.standing import Standing
from event_store.log import Log
from event_store.widening import settled
from operations.doors import Visitor
from operations.permissions import Access, access
from projections.cases import evidence_of
from read_api.asking import Named
from read_api.citation_shapes import state_of
from read_api.citations import ledger_of, no_such_citation
from read_api.citations import seen_by as seen_by_visitor
from read_api.door import Here
from read_api.looking_up import Subject
from read_api.ownership import demand_citation
from read_api.pages.figures import instant_text, money_text
from read_api.pages.finding_words import finding_view
from read_api.pages.menu import arrive, may_ask, seen_by
from read_api.pages.rendering import page, wants_part
from read_api.pages.story import Step, Story, step_at
from read_api.pages.verdict import first_line
from read_api.pages.words import ANSWERS

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/citations/{citation}/timeline"
FINDING = "/v1/citations/{citation}/finding"
ONE_LOOK_UP = 900
"""Seconds within which a page that keeps itself up to date is one look-up of the same citation."""
MONEY = (("Balance", "balance"), ("Payable", "payable"), ("Refundable", "refundable"))
_NO_RIGHTS = KnownRights()


@dataclass(frozen=True, slots=True)
class Case:
    """What the page is about: the citation as all that is known now tells it."""

    citation: str
    plate: str
    zone: str
    code: str
    href: str
    plate_href: str


@dataclass(frozen=True, slots=True)
class Then:
    """What was known of the citation at a position."""

    docket: CitationLedger | None
    finding: Finding | None
    intervals: Sequence[Interval]
    standing: Standing
    observed: datetime


def known_then(log: Log, citation: str, now: CitationLedger, upto: int) -> Then:
    """Return what was known at a position of a citation, its vehicle's rights, and what follows from it."""
    plate, zone = now.plate, now.zone
    evidence = evidence_of(log, citation, upto)
    found = world(evidence.entries)
    case = found.cases.get(citation)
    basis = basis_of(found, case.issued) if case is not None else ()
    observed = basis[-1].at if basis else now.issued_at or datetime.now(UTC)
    rights = settled(log, lambda known: plates_boundary([plate], known), _NO_RIGHTS.grown, upto)
    intervals = [
        interval
        for right in rights.of_plate(plate)
        if right.known
        for interval in rights.intervals(right)
        if interval.plate == plate and interval.zone in {zone, None}
    ]
    return Then(
        ledger_of(log, citation, upto),
        finding(evidence, citation),
        intervals,
        rights.standing(plate, zone, observed),
        observed,
    )


@router.get("/citations/{citation}")
async def timeline_page(
    request: Request,
    door: Here,
    citation: Named,
    step: int | None = None,
    of: int | None = None,
    known: int | None = None,
    purpose: str | None = None,
) -> Response:
    """Show the timeline as of a step of the slider, or of a position."""
    visitor = arrive(request, QUESTION)
    await demand_citation(door.log, visitor, citation)
    subject = Subject(citation=citation)
    await door.register.note(
        visitor.principal, f"timeline of citation {citation}", purpose, subject, once_in=ONE_LOOK_UP
    )
    head = await asyncio.to_thread(door.log.head)
    now = await asyncio.to_thread(ledger_of, door.log, citation, head)
    if now is None or now.issued_at is None:
        raise no_such_citation(citation)
    told = seen_by_visitor(visitor, await door.lookups.timeline(citation=citation, known=head))
    zone = ZoneInfo(now.timezone or "UTC")
    story = Story.of(told.entries, zone, now.issued_at)
    steps = story.steps()
    if known is not None:
        step = step_at(steps, known)
    elif step is None or not 0 <= step < len(steps) or (of is not None and step == of - 1):
        step = len(steps) - 1  # who stands at the present stays there when the story goes on
    then = await asyncio.to_thread(known_then, door.log, citation, now, steps[step].position)
    view = _view(now, story, steps, step, then, zone, visitor)
    view["as_of"] = told.as_of
    if wants_part(request):
        address = f"{view['case'].href}?known={steps[step].position}"
        answer = page(request, "known.html", {**view, "oob": of is not None and of != len(steps)})
        answer.headers["HX-Replace-Url"] = address
        return answer
    stream = {"tag": [f"citation:{citation}", f"plate:{now.plate}"], "after": told.as_of.position}
    live = f"/v1/stream?{urlencode(stream, doseq=True)}" if may_ask(visitor, "/v1/stream") else None
    return page(request, "citation.html", {**view, "stream": live, **seen_by(visitor)})


def _view(
    now: CitationLedger,
    story: Story,
    steps: Sequence[Step],
    step: int,
    then: Then,
    zone: ZoneInfo,
    visitor: Visitor,
) -> dict[str, Any]:
    here = steps[step]
    latest = step == len(steps) - 1
    shows_finding = may_ask(visitor, FINDING)
    found = then.finding if shows_finding else None
    state = state_of(then.docket, datetime.now(UTC) if latest else here.recorded) if then.docket else None
    href = f"/citations/{quote(now.citation, safe='')}"
    return {
        "case": Case(
            now.citation, now.plate, now.zone, now.code, href, f"/plates/{quote(now.plate, safe='')}"
        ),
        "zone": zone,
        "steps": steps,
        "step": step,
        "jumps": _jumps(story, href),
        "known": here,
        "issued": then.docket is not None,
        "finding": finding_view(found, story.numbers) if found else None,
        "first_line": first_line(found, [entry for entry, _ in story.entries], zone) if found else "",
        "acts": acts_of(then.docket, visitor) if latest and then.docket else None,
        "money": _money(state),
        "d": story.drawing(then.intervals, here, then.observed),
        "entries": story.lines(here.position),
        "hidden": story.hidden,
        "validity": _sentence(now, then, zone),
    }


@dataclass(frozen=True, slots=True)
class Acts:
    """What staff can do about the citation now: decide an open appeal, void it."""

    appeal: str | None
    level: int
    may_void: bool
    fine: str
    late: bool
    """Whether the appeal came late and nobody has said yet that it is heard; until then it is not decided."""
    hearing: datetime | None
    """When the appeal is heard, where that is set and has not taken place."""


def acts_of(docket: CitationLedger, visitor: Visitor) -> Acts | None:
    """Return what the visitor can do about the citation; None where there is nothing."""
    role = visitor.principal.role
    over = docket.void is not None
    decides = access(role, "POST", "/v1/appeals/{appeal}/decision") is not Access.NONE
    voids = access(role, "POST", "/v1/citations/{citation}/void") is not Access.NONE and not over
    open_one = next((one for one in docket.appeals.values() if one.is_open), None) if decides else None
    if open_one is None and not voids:
        return None
    fine = money_text(docket.fine or 0)
    late = open_one is not None and not in_time(docket, open_one) and late_accepted(open_one) is None
    if open_one is None:
        return Acts(None, 0, voids, fine, late=False, hearing=None)
    return Acts(open_one.appeal, open_one.level, voids, fine, late, _hearing(open_one))


def _hearing(appeal: Appeal) -> datetime | None:
    told = [step for step in appeal.steps if step.word in {"scheduled", "adjourned", "held"}]
    return told[-1].hearing_at if told and told[-1].word != "held" else None


def _money(state: dict[str, Any] | None) -> list[tuple[str, str]]:
    if state is None:
        return []
    amounts = [(name, money_text(state[key])) for name, key in MONEY if state[key] or key != "refundable"]
    return [("Stage", state["stage"]), *amounts]


def _jumps(story: Story, href: str) -> list[tuple[str, str]]:
    """Return links to the moments that staff ask about most."""
    at = {entry.type: entry.position for entry, _ in story.entries if entry.type in _JUMPS}
    jumps = [(words, f"{href}?known={at[kind]}") for kind, words in _JUMPS.items() if kind in at]
    return [*jumps, ("Now", href)]


_JUMPS = {"CitationIssued": "When it was written", "AppealFiled": "When it was appealed"}


def _sentence(now: CitationLedger, then: Then, zone: ZoneInfo) -> str:
    """Say how the plate stood when it was observed, by what was known."""
    standing = then.standing
    by = f" by {standing.right.kind} {standing.right.right}" if standing.right else ""
    word = ANSWERS[standing.answer].lower()
    when = instant_text(then.observed, zone)
    return f"Observed {when} in zone {now.zone}; by what was known, the plate had: {word}{by}."
