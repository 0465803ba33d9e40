"""What belongs to a parker: their account's permits, the sessions they started, the appeals they filed.

Where the table of permissions says `own`, a command may only touch what is the caller's. Who owns what
follows from the log. A thing that does not exist answers like one that is somebody else's, so that nobody can
find out which numbers are in use.

Anybody may pay a citation: who settles another's debt takes nothing from them. An appeal may be filed by
whoever has the citation in hand, unless the cited plate is known to stand on somebody else's permit alone: a
visitor has no account that the office knows, and the notice on the windscreen is their only proof.
"""

from http import HTTPStatus
from typing import Literal

from commands.appeals import NoSuchAppeal
from events.appeals import AppealFiled, LateFilingRequested
from events.boundary import on
from events.citations import CitationIssued
from events.permits import PermitPurchased, PermitTransferred, PlateAdded
from events.sessions import SessionStarted
from operations.identity import Principal
from operations.problems import Problem
from write_api.bodies import Document
from write_api.gathering import Gathering

type Belonging = Literal["account", "permit", "session", "citation", "appeal"]
"""By which of its fields a command belongs to somebody."""


async def demand_own(log: Gathering, by: Belonging, principal: Principal, said: Document) -> None:
    """Let pass only what is the caller's own; fill in their account where the command takes one.

    Raises:
        Problem: 403 if it is somebody else's, or nobody's.

    """
    if by == "account":
        if principal.account is None or said.setdefault("account", principal.account) != principal.account:
            raise not_yours("account")
        return
    named = said.get(by)
    if not isinstance(named, str):
        return  # the wording names the field that is missing or no text
    owns = {"permit": _permit, "session": _session, "citation": _citation, "appeal": _appeal}[by]
    if not await owns(log, principal, named.strip()):
        raise not_yours(by)


async def citation_of_appeal(log: Gathering, appeal: object) -> str:
    """Return the citation that an appeal is against.

    Raises:
        NoSuchAppeal: if nobody filed, or asked to file, an appeal of that number.

    """
    found = await log.read(on(AppealFiled, LateFilingRequested, appeal=str(appeal).strip()))
    for entry in found.entries:
        citation: str = entry.event.citation
        return citation
    raise NoSuchAppeal(f"No appeal {str(appeal)[:100]!r} was filed.")


def not_yours(what: str) -> Problem:
    """Return the problem of touching what is somebody else's."""
    return Problem(HTTPStatus.FORBIDDEN, "Not permitted", f"There is no such {what} of yours.")


async def _permit(log: Gathering, principal: Principal, permit: str) -> bool:
    if principal.account is None:
        return False
    found = await log.read(on(PermitPurchased, PermitTransferred, permit=permit))
    accounts = [entry.event.account for entry in found.entries]
    return bool(accounts) and accounts[-1] == principal.account


async def _session(log: Gathering, principal: Principal, session: str) -> bool:
    found = await log.read(on(SessionStarted, session=session))
    return any(entry.actor == principal.subject for entry in found.entries)


async def _appeal(log: Gathering, principal: Principal, appeal: str) -> bool:
    found = await log.read(on(AppealFiled, LateFilingRequested, appeal=appeal))
    return any(entry.actor == principal.subject for entry in found.entries)


async def _citation(log: Gathering, principal: Principal, citation: str) -> bool:
    issued = await log.read(on(CitationIssued, citation=citation))
    if not issued.entries:
        return True  # the rules answer NoSuchCitation; citation numbers are printed on paper, not secret
    plate = issued.entries[0].event.plate
    carried = await log.read(on(PermitPurchased, PlateAdded, plate=plate))
    permits = {entry.event.permit for entry in carried.entries}
    if not permits:
        return True
    return any([await _permit(log, principal, permit) for permit in permits])
