"""What a page shows when it cannot be shown: the same problem as the HTTP interface's, for people."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import isawaitable
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response

from operations.problems import MEDIA_TYPE
from read_api.pages.rendering import page, wants_part

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
        problem = msgspec.json.decode(bytes(found.body))
        if found.status_code == HTTPStatus.UNAUTHORIZED:
            return page(request, "landing.html", {"refused": None}, found.status_code)
        if problem.get("rule") == "PurposeRequired":
            asked = {"href": request.url.path, "kept": list(request.query_params.items())}
            return page(request, "purpose.html", {**asked, "purposes": PURPOSES}, found.status_code)
        return page(request, "problem.html", {"problem": problem}, found.status_code)

    return handle
