"""How this process is, for a supervisor, a balancer and Prometheus; none of it needs a token."""

import logging

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from event_store.log import LogUnavailable
from operations.problems import unavailable
from projections.gathering import Unavailable
from projections.lookups import Lookups
from write_api.door import Means
from write_api.openapi import PROBLEM_CONTENT

_LOG = logging.getLogger(__name__)


class Alive(BaseModel):
    """The process answers."""

    status: str = Field(examples=["alive"])


class Readiness(BaseModel):
    """Commands are taken; the read models, which answer plate reads, are this far."""

    status: str = Field(examples=["ready"])
    position: int = Field(description="The head of the log.")
    behind: int = Field(description="Positions that the slowest live read model is behind.")
    seconds_behind: float = Field(description="The age of the first event that one does not hold.")
    alive_seconds: float | None = Field(description="The oldest proof of life among those who run them.")


def health_routes(means: Means, lookups: Lookups) -> APIRouter:
    """Return the routes of health of one app."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is this process alive?")
    async def healthz() -> Alive:
        return Alive(status="alive")

    @router.get(
        "/readyz",
        summary="Can commands be taken now?",
        responses={503: {"description": "The database cannot be reached.", "content": PROBLEM_CONTENT}},
    )
    async def readyz() -> Readiness:
        gathering = means.deciding.gathering
        try:
            head = await gathering.ask(gathering.log.head)
            health = await lookups.health()
        except (LogUnavailable, Unavailable) as wrong:
            _LOG.warning("not ready: %s", wrong)
            raise unavailable("The database cannot be reached.") from wrong
        live = [model for model in health.models if model.live]
        alive = [model.alive_seconds for model in live if model.alive_seconds is not None]
        return Readiness(
            status="ready",
            position=head,
            behind=max((model.behind for model in live), default=head),
            seconds_behind=max((model.seconds_behind for model in live), default=0.0),
            alive_seconds=max(alive) if alive and len(alive) == len(live) else None,
        )

    @router.get("/metrics", summary="What was counted, for Prometheus.", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(means.metrics.page(), media_type=means.metrics.media_type)

    return router
