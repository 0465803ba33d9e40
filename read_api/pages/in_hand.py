"""A citation that somebody has in hand: who knows its number and its plate has the notice.

The write API lets anybody pay a citation, and appeal one that they have in hand. Who has no permit finds it
here by what the notice says; a number alone shows nothing.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from operations.doors import Visitor
from operations.problems import Problem
from read_api.asking import plate as plate_in
from read_api.citations import ledger_of
from read_api.door import Door
from read_api.looking_up import Subject
from read_api.ownership import answers_for
from read_api.pages.desk import nameable
from read_api.pages.own_citations import citation_of
from read_api.pages.speaking import spoken

ONE_LOOK_UP = 900
UNKNOWN = "There is no such citation of that plate. Compare both with the notice."


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody reads off a notice."""

    citation: str = ""
    plate: str = ""

    @property
    def href(self) -> str:
        """The page of my parking that shows it."""
        return f"/parker?{urlencode({'citation': self.citation, 'plate': self.plate})}"


async def in_hand(door: Door, visitor: Visitor, notice: Notice, upto: int, now: datetime) -> dict[str, Any]:
    """Return what the page shows of a notice: the citation, or why there is none."""
    view: dict[str, Any] = {"notice": notice, "in_hand": None, "not_in_hand": ""}
    if not notice.citation and not notice.plate:
        return view
    try:
        plate = plate_in(notice.plate)
    except Problem as problem:
        return view | {"not_in_hand": spoken(problem.detail)}
    if not nameable(notice.citation):
        return view | {"not_in_hand": UNKNOWN}
    asked, subject = f"citation {notice.citation} of plate {plate}", Subject(citation=notice.citation)
    await door.register.note(visitor.principal, asked, None, subject, once_in=ONE_LOOK_UP)
    docket = await asyncio.to_thread(ledger_of, door.log, notice.citation, upto)
    if docket is None or docket.issued_at is None or docket.plate != plate:
        return view | {"not_in_hand": UNKNOWN}
    who = visitor.principal
    own = await asyncio.to_thread(answers_for, door.log, notice.citation, who.account, who.subject)
    not_theirs: dict[str, Any] = {} if own else {"href": None, "appeals": []}
    return view | {"in_hand": citation_of(docket, now) | not_theirs}
