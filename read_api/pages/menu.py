"""Which pages there are. Whoever may ask a page's question of the HTTP interface may see the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from operations.doors import Visitor, enter
from operations.identity import Principal, Role
from operations.permissions import Access, access
from read_api.door import door_of


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the menu, what it says of itself, and the question that it asks."""

    name: str
    href: str
    says: str
    question: str


PAGES = (
    Page(
        "Look-up",
        "/officer",
        "May this plate stand here, until when, and does anybody look for it?",
        "/v1/validity",
    ),
    Page(
        "Dispute desk", "/desk", "Open appeals by deadline, and any citation with both clocks.", "/v1/appeals"
    ),
    Page("History", "/audit", "Every event by tag, type and actor, and the proof of it.", "/v1/events"),
    Page("Security", "/security", "Hits as they happen, the watchlist, and incidents.", "/v1/incidents"),
    Page(
        "Figures",
        "/director",
        "Violations, collection, permit revenue against plan, occupancy, appeals, and what is behind each.",
        "/v1/reports",
    ),
    Page(
        "Running",
        "/operator",
        "How far behind, how long since proof of life, what is parked.",
        "/v1/projections",
    ),
)

MY_PARKING = Page(
    "My parking",
    "/parker",
    "Your permits and vehicles; citations to pay or appeal.",
    "/v1/accounts/{account}",
)
"""The page of who parks: they see only what is their own."""

ROLE_WORDS = {
    Role.PARKER: "who parks here",
    Role.OFFICER: "enforcement officer",
    Role.DISPUTE: "dispute staff",
    Role.AUDITOR: "auditor",
    Role.ANALYST: "analyst",
    Role.DIRECTOR: "director",
    Role.SECURITY: "security staff",
    Role.ADMIN: "administrator",
    Role.DEVICE: "a device",
}


def menu_of(principal: Principal) -> list[Page]:
    """Return the pages that the principal may see."""
    if principal.role is Role.PARKER:
        return [MY_PARKING]
    return [page for page in PAGES if access(principal.role, "GET", page.question) is Access.ALL]


def arrive(request: Request, question: str) -> Visitor:
    """Return who opens a page that asks this question.

    Raises:
        Problem: 401 without a token or cookie, 403 if the role may not ask it.

    """
    headers = request.headers
    authenticator = door_of(request).authenticator
    return enter(authenticator, "GET", question, headers.get("authorization"), headers.get("cookie"))


def may_ask(visitor: Visitor, question: str) -> bool:
    """Tell whether the visitor's role may ask a question at all."""
    return access(visitor.principal.role, "GET", question) is not Access.NONE


def seen_by(visitor: Visitor) -> Mapping[str, Any]:
    """Return what every page shows of who looks at it."""
    return {"principal": visitor.principal, "menu": menu_of(visitor.principal)}
