"""Problem details (RFC 9457): the one shape in which both doors say that something cannot be done.

`Problem` is raised by a route; `install` turns it, refusals of the domain, bad input and surprises into
`application/problem+json` with `type`, `title`, `status`, `detail`, and `rule` where a rule refused.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from commands.decider import Refusal
from event_store.log import LogUnavailable

MEDIA_TYPE = "application/problem+json"
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OF_SEVERAL = re.compile(r"is refused: ([a-z_]+): (.+)", re.DOTALL)
_LOG = logging.getLogger(__name__)
_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "json_invalid": "is not valid JSON",
    "unexpected_keyword_argument": "is not a field here",
}
_SENTENCES: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method; `Allow` says which it takes.",
}
"""What is said where the framework only repeats the status."""


class Problem(Exception):
    """A request cannot be answered; `members` are further facts for a program that reads the answer."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        rule: str | None = None,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        """Keep what to answer."""
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail or title
        self.rule = rule
        self.headers = headers
        self.members = members

    def body(self) -> dict[str, Any]:
        """Return the problem as RFC 9457 writes it."""
        name = self.rule or self.title
        slug = re.sub(r"[^a-z0-9]+", "-", _WORDS.sub("-", name).lower()).strip("-")
        stated = {"rule": self.rule} if self.rule else {}
        return {
            "type": f"urn:parkledger:problem:{slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **stated,
            **self.members,
        }

    def response(self) -> Response:
        """Return the problem as an HTTP answer."""
        return Response(
            msgspec.json.encode(self.body(), enc_hook=str),
            self.status,
            dict(self.headers or {}),
            MEDIA_TYPE,
        )


def refused(refusal: Refusal) -> Problem:
    """Return the problem that says which rule of the domain refused, and why."""
    title = _WORDS.sub(" ", refusal.rule).capitalize()
    return Problem(HTTPStatus.CONFLICT, title, refusal.detail, rule=refusal.rule)


def bad_fields(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return the problem that names each field of pydantic's `errors` and says what is wrong with it."""
    named = [_named(_field(error["loc"]), _wrong(error)) for error in errors]
    detail = "; ".join(f"{one['field']} {one['problem']}" for one in named)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Unusable input", detail, errors=named)


def _named(field: str, problem: str) -> dict[str, str]:
    """Return an error by its field; one of several fields together names the one to mend: `zones: …`."""
    told = _OF_SEVERAL.fullmatch(problem) if field == "body" else None
    return (
        {"field": told[1], "problem": f"is refused: {told[2]}"}
        if told
        else {"field": field, "problem": problem}
    )


def _field(loc: Sequence[str | int]) -> str:
    inside = loc[1:] if loc and loc[0] in {"body", "query", "path", "header", "cookie"} else loc
    return ".".join(map(str, inside)) or "body"


def _wrong(error: Mapping[str, Any]) -> str:
    plain = _PLAIN.get(error["type"])
    if plain:
        return plain
    message: str = error["msg"].removeprefix("Value error, ")
    return f"is refused: {message[:1].lower()}{message[1:]}"


def install(app: FastAPI) -> None:
    """Make every failure of the app a problem; a surprise shows only an id that the server's log explains."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_bad_fields)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(LogUnavailable, _on_unavailable)
    app.add_exception_handler(Exception, _on_surprise)


def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this class only
    return error.response()


def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for this class only
    return refused(error).response()


def _on_bad_fields(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    return bad_fields(error.errors()).response()


def _on_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    title = HTTPStatus(error.status_code).phrase
    stated = str(error.detail)
    detail = _SENTENCES.get(error.status_code, stated) if stated == title else stated
    return Problem(error.status_code, title.capitalize(), detail, headers=error.headers).response()


def _on_unavailable(_: Request, error: Exception) -> Response:
    return unavailable(str(error) or (type(error).__doc__ or "")).response()


def unavailable(detail: str) -> Problem:
    """Return the problem of a store that cannot be reached for now."""
    wait = {"Retry-After": "1"}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable for now", detail, headers=wait)


def _on_surprise(request: Request, error: Exception) -> Response:
    return surprise(request.method, request.url.path, error).response()


def surprise(method: str, path: str, error: BaseException) -> Problem:
    """Return the problem of a failure that nobody foresaw, and write what it was to the server's log."""
    incident = uuid4().hex
    _LOG.error("incident %s at %s %s", incident, method, path, exc_info=error)
    detail = f"The server could not finish this. Its log explains it under {incident}."
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Unexpected", detail, incident=incident)
