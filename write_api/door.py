"""The door: what every way in shares, and the one place where failures become problems.

Ways in are raw ASGI: at thousands of commands a second, a web framework's layers around a route would cost
more than deciding and storing what it carries. The same route data makes the OpenAPI document.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

from pydantic import ValidationError

from commands.decider import Refusal
from event_store.codec import Unstorable
from event_store.log import LogUnavailable
from event_store.tracing import correlation_of, entering
from events.envelope import CommandIdReused
from operations.doors import Visitor, enter
from operations.identity import Authenticator
from operations.problems import Problem, bad_fields, refused, surprise, unavailable
from operations.settings import Settings
from projections.gathering import Unavailable
from projections.progress import NotYet
from write_api.bodies import ConnectionCut, Receive
from write_api.deciding import Deciding
from write_api.execute import StillMoving
from write_api.headers import Headers
from write_api.metrics import Metrics
from write_api.remembered import Recalling
from write_api.replies import Reply, Send, problem_reply

_LOG = logging.getLogger(__name__)

type Scope = Mapping[str, Any]
type Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Request:
    """One request as a way in sees it. `path` holds the values of the path's fields."""

    path: dict[str, str]
    headers: Headers
    receive: Receive
    send: Send


@dataclass(frozen=True, slots=True)
class Means:
    """What every way in works with: one set of these per app."""

    deciding: Deciding
    recalling: Recalling
    authenticator: Authenticator
    settings: Settings
    metrics: Metrics
    clock: Clock = wall_clock

    @property
    def tolerance(self) -> timedelta:
        """How far ahead of this clock a reported instant may lie."""
        return timedelta(seconds=self.settings.future_seconds)

    def admit(self, route: str, headers: Headers) -> Visitor:
        """Return who asks, if their role may use the route.

        Raises:
            Problem: 401 or 403.

        """
        return enter(self.authenticator, "POST", route, headers.get(b"authorization"))


class WayIn(Protocol):
    """Serves one route."""

    @property
    def path(self) -> str:
        """The route's path, as the table of permissions has it."""
        ...

    async def answer(self, means: Means, request: Request) -> Reply | None:
        """Return the answer, or nothing where it was sent already, as a stream."""
        ...


async def serve(
    means: Means, way: WayIn, path: dict[str, str], scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer one request, whatever happens; only a connection that was cut stays without an answer."""
    started = time.perf_counter()
    headers = Headers(scope["headers"])
    with entering(f"POST {way.path}", headers.get(b"traceparent")) as traced:
        headers.trace = correlation_of(traced)
        try:
            reply = await way.answer(means, Request(path, headers, receive, send))
        except ConnectionCut:
            return
        except Exception as wrong:  # noqa: BLE001 - every failure becomes a problem, none reaches the client raw
            reply = problem_reply(problem_of(wrong, way.path))
            if isinstance(wrong, Refusal):
                means.metrics.refused(wrong.rule)
        if traced is not None and reply is not None:
            traced.set_attribute("http.response.status_code", reply.status)
    if reply is not None:
        await reply.send(send, headers.correlation_echo)
        means.metrics.answered(way.path, reply.status, time.perf_counter() - started)


def problem_of(wrong: Exception, path: str) -> Problem:
    """Return what a failure is to the client; what nobody foresaw shows only the id that the log explains."""
    if isinstance(wrong, Problem):
        return wrong
    if isinstance(wrong, Refusal):
        return refused(wrong)
    if isinstance(wrong, ValidationError):  # a fact takes less than the wish for it did
        _LOG.warning("%s: a fact cannot say what its command says: %s", path, wrong.title)
        return bad_fields(wrong.errors(include_url=False, include_input=False))
    stated = _STATED.get(type(wrong))
    if stated is None:
        return surprise("POST", path, wrong)
    if not isinstance(wrong, CommandIdReused):
        _LOG.warning("%s: %s: %s", path, type(wrong).__name__, wrong)
    return stated()


def _reused() -> Problem:
    detail = "This Idempotency-Key was used before, with another request. Take a new key for a new request."
    return Problem(HTTPStatus.CONFLICT, "Idempotency key reused", detail, rule="IdempotencyKeyReused")


def _not_kept() -> Problem:
    detail = "The request holds something that the log cannot keep, such as a control character in a name."
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Unusable input", detail)


_STATED: Mapping[type[Exception], Callable[[], Problem]] = {
    CommandIdReused: _reused,
    LogUnavailable: lambda: unavailable(str(LogUnavailable.__doc__)),
    StillMoving: lambda: unavailable("Too many others changed the same thing at this moment. Send it again."),
    Unstorable: _not_kept,
    NotYet: lambda: unavailable("The read models are too far behind to answer. Send it again."),
    Unavailable: lambda: unavailable("The read models cannot answer now. Send it again."),
}
