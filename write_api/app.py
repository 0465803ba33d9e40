"""The write API: one app that serves every way in, says what they are, and how it is.

Paths of the ways in are matched before FastAPI sees the request; the rest (health, metrics, the OpenAPI
document) are ordinary FastAPI routes.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from event_store.log import Log
from operations.heads import as_get
from operations.identity import Authenticator
from operations.problems import Problem, install
from operations.settings import Settings
from projections.lookups import Lookups
from write_api.areas import ROUTES
from write_api.commanding import Commanding
from write_api.deciding import Deciding
from write_api.devices import DeviceSync
from write_api.door import Clock, Means, WayIn, serve, wall_clock
from write_api.headers import Headers
from write_api.health import health_routes
from write_api.metrics import Metrics
from write_api.openapi import document_of
from write_api.plate_reads import PlateReads
from write_api.reading import Reading
from write_api.remembered import Answers, AnswersInMemory, AnswersInPostgres, Recalling
from write_api.replies import problem_reply
from write_api.routes import Switchboard
from write_api.webhooks import PaymentWebhook

TITLE = "ParkLedger: ways in"


class WriteApp(FastAPI):
    """FastAPI with the ways in before it."""

    means: Means
    ways: Switchboard[WayIn]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a way in directly, and leave every other path to FastAPI."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            found = self.ways.find(scope["path"]) if b"%" not in scope["raw_path"] else self._unquoted(scope)
            if found is not None and scope["method"] == "POST":
                way, path = found
                await serve(self.means, way, path, scope, receive, send)
                return
            if found is not None:
                headers = Headers(scope["headers"])
                reply = problem_reply(_not_allowed(scope["method"]))
                await reply.send(send, headers.correlation_echo)
                return
        await super().__call__(as_get(scope) if scope["type"] == "http" else scope, receive, send)

    def _unquoted(self, scope: Scope) -> tuple[WayIn, dict[str, str]] | None:
        """Find a path whose fields are percent-encoded: a slash inside a field does not end it."""
        found = self.ways.find(scope["raw_path"].partition(b"?")[0].decode("latin-1"))
        if found is None:
            return None
        try:
            return found[0], {name: unquote_to_bytes(value).decode() for name, value in found[1].items()}
        except UnicodeDecodeError:
            return None


def _not_allowed(method: str) -> Problem:
    detail = f"{method} is not possible here: every way in is a POST."
    return Problem(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", detail, headers={"Allow": "POST"})


def create_app(
    log: Log,
    lookups: Lookups,
    authenticator: Authenticator,
    settings: Settings,
    *,
    clock: Clock = wall_clock,
    answers: Answers | None = None,
) -> WriteApp:
    """Return the write API on a log.

    Args:
        log: what is decided on and appended to; closing it stays with its owner.
        lookups: the read models that a plate read's answer comes from.
        authenticator: what verifies bearer tokens.
        settings: how this installation runs; with a `dsn`, answers under an Idempotency-Key that left no
            event are remembered in that database, else in memory.
        clock: what time it is for reports that do not say when.
        answers: where such answers are remembered instead.

    """
    answers = answers or (AnswersInPostgres(settings.dsn) if settings.dsn else AnswersInMemory())
    metrics = Metrics()
    means = Means(
        Deciding(log, settings.remembered_events), Recalling(answers), authenticator, settings, metrics, clock
    )
    app = WriteApp(
        title=TITLE,
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(means, answers),
    )
    app.means = means
    app.ways = Switchboard((way.path, way) for way in _ways(means, lookups))
    app.openapi = cache(lambda: document_of(app, ROUTES))  # type: ignore[method-assign]
    install(app)
    app.include_router(health_routes(means, lookups))
    return app


def _ways(means: Means, lookups: Lookups) -> Iterator[WayIn]:
    """Yield every way in."""
    yield from map(Commanding, ROUTES)
    reading = Reading(means, lookups)
    yield PlateReads(reading)
    yield DeviceSync(reading, lookups)
    yield PaymentWebhook()


def _lifespan(means: Means, answers: Answers) -> Any:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        means.deciding.close()
        means.recalling.close()
        await asyncio.to_thread(answers.close)

    return lifespan
