"""The read API: one app for every question and all pages, and the path of the one that is asked most."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from time import perf_counter
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.types import Message, Receive, Scope, Send

from event_store.log import Log
from event_store.proving import Proofs
from event_store.tracing import entering
from operations.examples import NAMES
from operations.heads import as_get
from operations.identity import Authenticator
from operations.problems import install
from operations.settings import Settings
from projections.lookups import Lookups
from projections.registry import PROJECTIONS
from projections.reports.reporting import Reports
from read_api import (
    appeals,
    citations,
    events,
    evidence,
    health,
    incidents,
    permits,
    plates,
    proofs,
    reports,
    security,
    stream,
    validity,
    zones,
)
from read_api.answers import ProblemDetails, install_models, problems
from read_api.asking import whole_names
from read_api.door import Door
from read_api.looking_up import Register
from read_api.metering import Meter
from read_api.pages import (
    audit,
    basement,
    citation,
    desk,
    director,
    landing,
    officer,
    operator,
    parker,
    plate,
    rendering,
    telling,
)
from read_api.pages import security as security_page
from read_api.pages.failing import install_pages
from read_api.pages.operator import Pace
from read_api.stream import Horizon, Hub
from read_api.zones_known import Zones

TITLE = "ParkLedger: questions"
INTRODUCTION = """
Every answer carries `as_of`: the position of the log that it rests on. Ask with `at_least` for an answer no
older than a position, with `at` about another moment, with `known` as of what was known then. Instants are in
UTC, amounts in minor units (cents), plates are written `REGION NUMBER`. Problems are those of RFC 9457.
"""

ROUTERS: Sequence[APIRouter] = (
    validity.router,
    plates.router,
    permits.router,
    citations.router,
    appeals.router,
    zones.router,
    security.router,
    incidents.router,
    events.router,
    reports.router,
    proofs.router,
    evidence.router,
    stream.router,
    health.router,
    landing.router,
    director.router,
    officer.router,
    operator.router,
    citation.router,
    desk.router,
    plate.router,
    parker.router,
    audit.router,
    security_page.router,
    telling.router,
    basement.router,
    rendering.router,
)
"""One router an area."""


class ReadApp(FastAPI):
    """FastAPI with the questions that are asked most before it, and a count of all answers around it."""

    door: Door
    meter: Meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve validity and plain timelines directly, and leave every other path to FastAPI."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope = whole_names(as_get(scope))
        began = perf_counter()
        if scope["path"] == validity.PATH and scope["method"] == "GET":
            status = await validity.serve(self.door, scope, send)
            self.meter.answered(validity.PATH, status, perf_counter() - began)
            return
        citation = citations.plainly_asked(scope)
        if citation is not None:
            status = await citations.serve_timeline(self.door, citation, scope, send)
            self.meter.answered(citations.TIMELINE, status, perf_counter() - began)
            return
        status = 0
        headers = dict(scope["headers"])
        traceparent = headers.get(b"traceparent", b"").decode("latin-1") or None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with entering(f"{scope['method']} {scope['path']}", traceparent) as traced:
                await super().__call__(scope, receive, noting)
                if traced is not None:  # the route is known only now
                    traced.update_name(f"{scope['method']} {getattr(scope.get('route'), 'path', 'unknown')}")
                    traced.set_attribute("http.response.status_code", status)
        except Exception:
            if status != HTTPStatus.INTERNAL_SERVER_ERROR:  # that one was answered, and is in the log
                raise
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self.meter.answered(route, status or 500, perf_counter() - began)


def create_app(
    log: Log,
    lookups: Lookups,
    authenticator: Authenticator,
    settings: Settings,
    reporting: Reports | None = None,
) -> ReadApp:
    """Return the read API and the pages.

    Args:
        log: what history is read from, and look-ups are noted in; closing it stays with its owner.
        lookups: the read models; closing them stays with their owner.
        authenticator: what verifies bearer tokens.
        settings: how this installation runs.
        reporting: the reports; closing them stays with their owner. Without them, they are not answered.

    """
    hub = Hub(log, Horizon(lookups.progress, [model.name for model in PROJECTIONS]))
    app = ReadApp(
        title=TITLE,
        description=INTRODUCTION,
        version="1",
        openapi_url="/openapi.json",
        docs_url=None,  # the usual page of documentation loads its scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(hub, lambda: app.door),
    )
    sealed = Proofs(settings.dsn) if settings.dsn else None
    app.door = app.state.door = Door(log, lookups, authenticator, settings, Register(log), Zones(log), sealed)
    app.meter = app.state.meter = Meter()
    app.state.hub = hub
    app.state.let_go = hub.stop
    app.state.pace = Pace()
    app.state.reports = reporting
    app.openapi = _document(app)  # type: ignore[method-assign]
    install(app)
    install_models(app)
    install_pages(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _document(app: ReadApp) -> Callable[[], dict[str, Any]]:
    """Return what makes the OpenAPI document: FastAPI's, and the shape of a problem."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
            for operation in (one for path in made["paths"].values() for one in path.values()):
                complete(operation)
            app.openapi_schema = made
        return app.openapi_schema

    return openapi


def complete(operation: dict[str, Any]) -> None:
    """Add to a route's documentation what holds for all: examples of names, and the answer to a surprise."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter.setdefault("example", NAMES[parameter["name"]])
    if operation.get("security"):
        operation["responses"] |= {str(status): said for status, said in problems(500).items()}


def _lifespan(hub: Hub, door: Callable[[], Door]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        yield
        await hub.stop()
        if (sealed := door().proofs) is not None:
            sealed.close()

    return lifespan
