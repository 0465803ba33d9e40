"""What a page's form says is told to the write API, in the name of who is signed in.

The page's server hands the form on as a command with the visitor's own token, so the write API decides and
records as if the visitor had asked it directly; this process never decides. Scripts cannot read the token
and other sites' pages cannot send it. The form's key makes sending it twice harmless.
"""

import asyncio
import contextlib
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from operations.doors import token_of
from operations.identity import NotAuthenticated
from operations.permissions import Access, access
from operations.problems import Problem
from projections.gathering import Unavailable
from projections.lookups import NotYet
from projections.registry import PROJECTIONS
from read_api.door import Door, Here
from read_api.pages.forms import FORMS, Form, Step, zoned
from read_api.pages.landing import ANYONE
from read_api.pages.menu import arrive
from read_api.pages.own_page import demand_own_page, form_of
from read_api.pages.rendering import HEADERS, page, wants_part
from read_api.pages.speaking import spoken

router = APIRouter(include_in_schema=False)

LONGEST_FORM = 65_536
PATIENCE = 15.0
"""Seconds that the write API may take."""
_TAKEN = frozenset({200, 201})


@dataclass(frozen=True, slots=True)
class Told:
    """What the write API answered to one command."""

    status: int
    body: Mapping[str, Any]

    @property
    def position(self) -> int:
        """The position that the command came to."""
        return int(self.body.get("position", 0))


@router.post("/tell/{name}")
async def tell(request: Request, name: str, door: Here) -> Response:
    """Tell what the form says, and go back to its page; say there what was refused."""
    try:
        return await _tell(request, name, door)
    except Problem as problem:
        if not wants_part(request):
            raise
        return _said(spoken(problem.detail))  # htmx leaves the page as it was at any other status


async def _tell(request: Request, name: str, door: Door) -> Response:
    demand_own_page(request)
    visitor = arrive(request, ANYONE)
    form = FORMS.get(name)
    if form is None:
        raise Problem(404, "Not found", f"There is no form {name[:60]!r}.")
    fields = {key: values[-1] for key, values in (await form_of(request, LONGEST_FORM)).items()}
    for local in form.local:
        if fields.get(local, "").strip():
            fields[local] = zoned(local, fields[local], fields.get("timezone", ""))
    for step in form.steps:
        if access(visitor.principal.role, "POST", step.path) is Access.NONE:
            raise Problem(403, "Not permitted", f"The role {visitor.principal.role} may not do this.")
    back = _back(fields)
    told = await _each(door, form, fields, token_from(request))
    if told.status not in _TAKEN:
        return _refused(request, told, back)
    await _shown(door, told.position)
    return _done(request, form, back)


async def _each(door: Door, form: Form, fields: Mapping[str, str], token: str) -> Told:
    """Tell each step until one is refused; keys follow from the form's own, so nothing is done twice."""
    try:
        key = UUID(fields.get("key", ""))
    except ValueError:
        raise Problem(422, "Unusable input", "The form has no key; open its page again.") from None
    told = Told(422, {})
    for number, step in enumerate(form.steps):
        path, said = _command(step, fields)
        told = await asyncio.to_thread(
            handed_on, door.settings.commands, path, said, token, f"{key}-{number}"
        )
        if told.status not in _TAKEN:
            break
    return told


def _command(step: Step, fields: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    said = dict(step.said)
    for name, read in step.reads.items():
        if fields.get(name, "").strip():
            said[name] = read(name, fields[name])
    parts = [
        quote(fields.get(part[1:-1], "").strip() or "-", safe="") if part.startswith("{") else part
        for part in step.path.split("/")
    ]
    return "/".join(parts), said


def handed_on(address: str, path: str, said: Mapping[str, Any], token: str, key: str) -> Told:
    """Return what the write API answers to a command in the name of the token's subject.

    Raises:
        Problem: 503, if it does not answer.

    """
    where = urlsplit(address)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "127.0.0.1", where.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    try:
        connection.request("POST", path, json.dumps(said).encode(), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Problem(
            503,
            "Unavailable for now",
            "Commands cannot be taken just now. Nothing was changed; send it again.",
        ) from error
    finally:
        connection.close()
    return Told(answer.status, body if isinstance(body, dict) else {})


async def _shown(door: Door, position: int) -> None:
    """Wait until the pages show what was just done, where that comes soon."""
    with contextlib.suppress(NotYet, Unavailable):
        for model in PROJECTIONS:
            await door.lookups.reach(model.name, position)


def _done(request: Request, form: Form, back: str) -> Response:
    address = f"{back}{'&' if '?' in back else '?'}{urlencode({'done': form.done})}"
    if wants_part(request):
        return Response(headers={**HEADERS, "HX-Redirect": address})
    return RedirectResponse(address, 303, HEADERS)


def _refused(request: Request, told: Told, back: str) -> Response:
    detail = spoken(str(told.body.get("detail", "It could not be done.")))
    if not wants_part(request):
        problem = {"title": told.body.get("title", "Refused"), "detail": detail}
        return page(request, "problem.html", {"problem": problem, "back": back}, told.status)
    return _said(detail)


def _said(detail: str) -> Response:
    said = Markup('<p role="alert" class="word-bad">{}</p>').format(detail)
    return HTMLResponse(str(said), headers=HEADERS)


def _back(fields: Mapping[str, str]) -> str:
    """Return the page that the form stands on: an address of this server, whatever the form says."""
    back = fields.get("back", "/")
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable() else "/"


def token_from(request: Request) -> str:
    """Return the token of who is signed in.

    Raises:
        Problem: 401, if nobody is.

    """
    try:
        return token_of(request.headers.get("authorization"), request.headers.get("cookie"))
    except NotAuthenticated as error:
        raise Problem(401, "Sign in", str(error)) from error
