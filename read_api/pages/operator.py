"""The operator's page: how far behind, how long since proof of life, what is parked, how much comes in."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from event_store.streams import Program
from operations.identity import Principal
from operations.permissions import Access, access
from projections.health import ALIVE_WITHIN, DriftedRow, Health, ModelHealth, RebuildHealth
from projections.projection import label
from read_api.door import Here
from read_api.pages.figures import seconds_text
from read_api.pages.menu import arrive, seen_by
from read_api.pages.rendering import page, wants_part

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/projections"
MINUTES = 10
_POINTS = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the head of the log was, and when."""

    at: datetime
    head: int


class Pace:
    """Remembers where the head of the log was while somebody looked, for the last minutes."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._samples: deque[Sample] = deque()

    def take(self, sample: Sample) -> None:
        """Remember a sample, and forget what is too old."""
        if self._samples and (sample.at - self._samples[-1].at).total_seconds() < 1:
            return
        self._samples.append(sample)
        while (sample.at - self._samples[0].at).total_seconds() > MINUTES * 60:
            self._samples.popleft()

    def rate(self, seconds: float = 60.0) -> float:
        """Return the events a second over the last so many seconds, as far as it is known."""
        if len(self._samples) < 2:  # noqa: PLR2004 - a rate needs two
            return 0.0
        last = self._samples[-1]
        first = next(s for s in self._samples if (last.at - s.at).total_seconds() <= seconds)
        return _rate(first, last)

    def rates(self) -> list[tuple[float, float]]:
        """Return `(seconds ago, events a second)` between each two samples, the oldest first."""
        samples = list(self._samples)
        step = max(1, len(samples) // _POINTS)
        kept = samples[::-step][::-1]
        last = samples[-1].at if samples else None
        return [((last - b.at).total_seconds(), _rate(a, b)) for a, b in pairwise(kept) if last is not None]


def _rate(first: Sample, last: Sample) -> float:
    seconds = (last.at - first.at).total_seconds()
    return (last.head - first.head) / seconds if seconds > 0 else 0.0


def spark(rates: Sequence[tuple[float, float]]) -> str:
    """Return the points of a line in a drawing of 100 by 30, the present at the right."""
    peak = max((rate for _, rate in rates), default=0.0)
    span = max((ago for ago, _ in rates), default=0.0)
    if not peak or not span:
        return ""
    return " ".join(f"{100 - ago / span * 100:.1f},{29 - rate / peak * 26:.1f}" for ago, rate in rates)


def view_of(found: Health, pace: Pace) -> dict[str, Any]:
    """Return what the page shows of the models' health."""
    rates = pace.rates()
    return {
        "head": f"{found.head:,}",
        "rate": pace.rate(),
        "behind": f"{max((model.behind for model in found.models if model.live), default=0):,}",
        "parked": found.parked,
        "drifted": [(row, columns_of(row)) for row in found.drifted],
        "rebuilds": [_rebuild(rebuild) for rebuild in found.rebuilds],
        "projections": [_row(model) for model in found.models],
        "streams": [_stream(one) for one in found.streams],
        "spark": spark(rates),
        "peak": max((rate for _, rate in rates), default=0.0),
        "minutes": MINUTES,
    }


def columns_of(row: DriftedRow) -> str:
    """Return what differs in a row, what stands there first."""
    live, wanted = (msgspec.json.decode(side) for side in (row.live, row.wanted))
    if live is None or wanted is None:
        return "the row is not there" if live is None else "the row should not be there"
    return "; ".join(f"{name}: {live[name]} → {wanted[name]}" for name in live if live[name] != wanted[name])


def _rebuild(rebuild: RebuildHealth) -> dict[str, Any]:
    left = rebuild.seconds_left
    still = rebuild.alive_seconds > ALIVE_WITHIN
    return {
        "name": label(rebuild.model, rebuild.version, rebuild.build),
        "step": "left; take it up with the same command" if still else rebuild.step,
        "share": f"{100 * rebuild.folded / rebuild.upto:.0f} %" if rebuild.upto else "",
        "folded": f"{rebuild.folded:,} of {rebuild.upto:,}",
        "rate": f"{rebuild.rate:,.0f}",
        "left": "" if left is None or still else seconds_text(left),
    }


def _stream(one: Program) -> dict[str, Any]:
    still = one.alive_seconds > ALIVE_WITHIN
    return {
        "service": one.service,
        "name": one.name,
        "well": one.trouble is None and not still,
        "state": "troubled" if one.trouble else "silent" if still else "running",
        "waiting": f"{one.waiting:,}",
        "alive": f"{seconds_text(one.alive_seconds)} ago",
        "trouble": one.trouble or "",
    }


def _proof(model: ModelHealth) -> str:
    """Return what the patrol proved of a model, in a few words."""
    proof = model.proof
    if proof is None:
        return "not yet"
    ago = seconds_text((datetime.now(UTC) - proof.checked_at).total_seconds())
    count, every = (proof.keys, "") if proof.round_keys is None else (proof.round_keys, "all ")
    keys = "1 key" if count == 1 else f"{every}{count:,} keys"
    return f"{keys}, {ago} ago"


def _row(model: ModelHealth) -> dict[str, Any]:
    alive = model.alive_seconds
    return {
        "name": model.name if model.live else f"{model.label}, beside the live one",
        "well": model.state not in {"stalled", "silent", "stopped"},
        "state": model.state,
        "stalled": model.stalled,
        "position": f"{model.position:,}",
        "behind": f"{model.behind:,}",
        "seconds_behind": seconds_text(model.seconds_behind),
        "alive": "never" if alive is None else f"{seconds_text(alive)} ago",
        "parked": model.parked,
        "proof": _proof(model),
    }


def _may_retry(principal: Principal) -> bool:
    return access(principal.role, "POST", "/v1/projections/{model}/retry") is Access.ALL


@router.get("/operator")
async def operator(request: Request, door: Here) -> Response:
    """Show how the ledger runs; the part that lives is fetched again at every pulse."""
    visitor = arrive(request, QUESTION)
    found = await door.lookups.health()
    pace: Pace = request.app.state.pace
    pace.take(Sample(datetime.now(UTC), found.head))
    view = view_of(found, pace) | {"may_retry": _may_retry(visitor.principal)}
    if wants_part(request):
        return page(request, "running.html", view)
    return page(request, "operator.html", {**view, "stream": "/v1/stream?changes=false", **seen_by(visitor)})
