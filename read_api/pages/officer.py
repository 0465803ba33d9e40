"""The officer's look-up, made for a phone: a plate and a zone, and the answer as colour, word and icon."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from commands.confusable import GROUPS
from commands.policy import policy_at
from commands.zones import Zone, rules_in_force
from event_store.log import Log
from events.boundary import on
from events.policies import PolicyAdopted
from events.vocabulary import plate_of
from operations.doors import Visitor
from operations.permissions import Access, access
from operations.problems import Problem
from projections.validity_answers import Alert, ValidityAnswer
from read_api.asking import unusable
from read_api.door import Door, Here
from read_api.looking_up import Subject
from read_api.pages.failing import PURPOSES
from read_api.pages.figures import duration_text, instant_text
from read_api.pages.menu import arrive, seen_by
from read_api.pages.rendering import page, wants_part
from read_api.pages.speaking import spoken
from read_api.pages.words import ANSWERS
from read_api.zones import zones_of

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/validity"
SYNC = "/v1/devices/{device}/sync"
REGION = "ON"
ONE_LOOK_UP = 900
"""Seconds within which a page that keeps itself up to date is one look-up of the same plate."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the form asks, as it was typed."""

    region: str = REGION
    number: str = ""
    zone: str = ""
    purpose: str = ""

    @property
    def href(self) -> str:
        """The address of this question."""
        told = {"region": self.region, "number": self.number, "zone": self.zone, "purpose": self.purpose}
        return f"/officer?{urlencode({name: value for name, value in told.items() if value})}"

    def match_href(self, plate: str) -> str:
        """Return the address of the same question about another plate."""
        region, _, number = plate.partition(" ")
        return Ask(region, number, self.zone, self.purpose).href


@dataclass(frozen=True, slots=True)
class Screen:
    """What the screen shows of an answer."""

    word: str
    headline: str
    line: str
    plate: str
    zone: str
    zone_info: ZoneInfo
    facts: list[tuple[str, str]] = field(default_factory=list)
    alerts: tuple[Alert, ...] = ()
    possible_matches: tuple[str, ...] = ()
    as_of: Any = None
    href: str = ""
    match_href: Callable[[str], str] = str


def screen_of(answer: ValidityAnswer, zone: Zone, asked: Ask) -> Screen:
    """Return what the screen shows of an answer, times in the zone's local time."""
    info = ZoneInfo(zone.timezone)
    word = "possible_match" if answer.answer == "no_right" and answer.possible_matches else answer.answer
    return Screen(
        word=word,
        headline=ANSWERS[word],
        line=_line(answer, word, info),
        plate=answer.plate,
        zone=answer.zone,
        zone_info=info,
        facts=_facts(answer, zone, info),
        alerts=answer.alerts,
        possible_matches=answer.possible_matches,
        as_of=answer.as_of,
        href=asked.href,
        match_href=asked.match_href,
    )


def _line(answer: ValidityAnswer, word: str, zone: ZoneInfo) -> str:
    if word in {"valid", "exempt"}:
        leave = "May stand here" if word == "valid" else "Not to be cited"
        if answer.end is None:
            return f"{leave}, without an end."
        return f"{leave} for another {duration_text(answer.end - answer.at)}."
    if word == "in_grace" and answer.grace_until is not None:
        return f"The right has ended. Not to be cited until {instant_text(answer.grace_until, zone)}."
    if word == "possible_match":
        return "No right for this plate, but a plate with one looks like it. Compare them."
    return f"Nothing lets this plate stand in zone {answer.zone} now."


def _facts(answer: ValidityAnswer, zone: Zone, info: ZoneInfo) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    if answer.right is not None:
        facts.append(("Right", f"{answer.kind} {answer.right}"))
    if answer.end is not None:
        facts.append(("Ended" if answer.answer == "in_grace" else "Until", instant_text(answer.end, info)))
    if answer.grace_until is not None and answer.answer != "in_grace":
        facts.append(("Grace until", instant_text(answer.grace_until, info)))
    rules = ", ".join(rule.code for rule in rules_in_force(zone, answer.at))
    if zone.versions:
        facts.append(("Rules now", rules or "none in force"))
    return facts


@router.get("/officer")
async def officer(
    request: Request, door: Here, region: str = REGION, number: str = "", zone: str = "", purpose: str = ""
) -> Response:
    """Show the form, and the answer where a plate was asked about."""
    visitor = arrive(request, QUESTION)
    visitor.owns(None)
    asked = Ask(region.strip().upper(), number.strip().upper(), zone, purpose)
    zones = await asyncio.to_thread(zones_of, door.log, await asyncio.to_thread(door.log.head))
    open_now = [one for one in zones.values() if one.is_open(datetime.now(UTC))]
    view: dict[str, Any] = {"asked": asked, "answer": None, "problem": None, "problem_words": ""}
    status = 200
    if asked.number:
        try:
            view["answer"] = await _answer(door, visitor, asked, zones)
        except Problem as problem:
            view |= {"problem": problem, "problem_words": spoken(problem.detail)}
            status = problem.status
    if wants_part(request):
        return page(request, "answer.html", view)
    view |= {"zones": [one.opened for one in open_now], "purposes": _purposes(view["problem"], purpose)}
    works_offline = access(visitor.principal.role, "POST", SYNC) is not Access.NONE
    view["offline"] = await asyncio.to_thread(_offline, door.log) if works_offline else None
    view |= {"stream": _stream(view["answer"]), **seen_by(visitor)}
    return page(request, "officer.html", view, status)


def _offline(log: Log) -> Mapping[str, object]:
    """Return what an answer from the list goes by, beside the list: grace in minutes, and look-alikes."""
    adopted = [entry.event for entry in log.read(on(PolicyAdopted)).entries]
    return {"grace": policy_at(adopted, datetime.now(UTC)).grace_minutes, "alike": " ".join(GROUPS)}


async def _answer(door: Door, visitor: Visitor, asked: Ask, zones: dict[str, Zone]) -> Screen:
    try:
        plate = plate_of(asked.region or None, asked.number)
    except ValueError as error:
        raise unusable("plate", str(error)) from None
    zone = zones.get(asked.zone)
    if zone is None:
        raise unusable("zone", "choose the one that you stand in")
    query = f"validity of {plate} in {asked.zone}"
    subject = Subject(plate=plate)
    await door.register.note(visitor.principal, query, asked.purpose or None, subject, once_in=ONE_LOOK_UP)
    return screen_of(await door.lookups.validity(plate, asked.zone), zone, asked)


def _purposes(problem: Problem | None, purpose: str) -> tuple[str, ...]:
    """Return what to choose from where the policy demands a purpose, or one was stated."""
    return PURPOSES if purpose or (problem is not None and problem.rule == "PurposeRequired") else ()


def _stream(answer: Screen | None) -> str | None:
    if answer is None:
        return None
    told = {"tag": f"plate:{answer.plate}", "after": answer.as_of.position}
    return f"/v1/stream?{urlencode(told)}"
