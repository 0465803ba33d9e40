"""What a page shows when it cannot be shown: the same problem as the HTTP interface's, for people."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from inspect import isawaitable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from fastapi import FastAPI, Request, Response

from operations.problems import MEDIA_TYPE, Problem
from read_api.pages.landing import ANYONE, ended
from read_api.pages.menu import arrive, seen_by
from read_api.pages.rendering import page, wants_part
from read_api.pages.speaking import spoken

type Handler = Callable[[Request, Exception], Response | Awaitable[Response]]

PROGRAMS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/static/")
"""Paths that programs ask; they get problems as JSON."""


PURPOSES = ("patrol", "complaint", "dispute", "records request", "security")
"""Purposes that a form offers; the HTTP interface takes any text."""


def install_pages(app: FastAPI) -> None:
    """Let problems be pages where a page was asked for; called after all other handlers are in place."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _for_people(handler))


def _for_people(handler: Any) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = handler(request, error)
        found: Response = await answer if isawaitable(answer) else answer
        if request.url.path.startswith(PROGRAMS) or wants_part(request) or found.media_type != MEDIA_TYPE:
            return found
        accepted = request.headers.get("accept", "")
        if "json" in accepted and "html" not in accepted:
            return found
        problem = msgspec.json.decode(bytes(found.body))
        if found.status_code == HTTPStatus.UNAUTHORIZED:
            return page(request, "landing.html", {"refused": ended(request)}, found.status_code)
        if problem.get("rule") == "PurposeRequired":
            asked = {"href": request.url.path, "kept": list(request.query_params.items())}
            return page(request, "purpose.html", {**asked, "purposes": PURPOSES}, found.status_code)
        problem["detail"] = spoken(str(problem.get("detail", "")))
        shown = {"problem": problem, "back": _back(request), **_around(request)}
        return page(request, "problem.html", shown, found.status_code)

    return handle


def _around(request: Request) -> Mapping[str, Any]:
    """Return the menu of who is signed in: what cannot be shown is no dead end."""
    try:
        return seen_by(arrive(request, ANYONE))
    except Problem:
        return {}


def _back(request: Request) -> str:
    """Return the page of ours that led here, or the start."""
    came = urlsplit(request.headers.get("referer", ""))
    own = came.netloc == request.headers.get("host") and came.path not in {request.url.path, "/sign-in"}
    return f"{came.path}?{came.query}" if own and came.query else came.path if own else "/"
