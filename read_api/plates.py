"""What enforcement may see of a plate: its rights, alerts, and the last that was seen and written of it.

Who holds its permits and what was paid is not enforcement's business and not part of the answer.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from events.reads import Answer
from operations.permissions import Access
from projections.listings import PlatePage
from read_api.answers import AsOf, json_answer, problems
from read_api.asking import Asked, moment
from read_api.asking import plate as plate_in
from read_api.door import Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.ownership import demand_plate

router = APIRouter(tags=["plates"])


class PlateRight(BaseModel):
    """A time in which a right lets the plate stand in a zone."""

    right: str = Field(examples=["T-1001"])
    kind: Literal["permit", "session", "exemption"]
    zone: str | None = Field(description="Null for every zone.")
    start: datetime
    until: datetime | None
    ended_by: str | None
    current: bool = Field(description="It covers the instant that is asked about.")


class PlateAlert(BaseModel):
    """A watchlist entry that alerts at the instant."""

    entry: str
    reason: str
    source: str | None
    since: datetime
    until: datetime | None


class Sighting(BaseModel):
    """A read of the plate."""

    read: str
    zone: str
    device: str
    at: datetime
    recorded: datetime
    direction: str
    online: bool
    answer: Answer | None = Field(description="What the officer's screen showed.")
    officer: str | None
    was: str | None = Field(description="The plate as it was first read, if that was corrected.")


class PlateCitation(BaseModel):
    """A citation of the plate."""

    citation: str
    zone: str
    code: str
    kind: str
    issued_at: datetime
    voided_at: datetime | None


class PlateState(BaseModel):
    """A plate as enforcement may see it, everything newest first."""

    plate: str = Field(examples=["ON CKTR482"])
    at: datetime
    rights: list[PlateRight]
    alerts: list[PlateAlert]
    reads: list[Sighting]
    citations: list[PlateCitation]
    known: int
    as_of: AsOf


_READ = ("read", "zone", "device", "at", "recorded", "direction", "online", "answer", "officer", "was")
_ALERT = ("entry", "reason", "source", "since", "until")
_RIGHT = ("right", "kind", "start", "until", "ended_by")


def state_of(found: PlatePage, at: datetime, *, own: bool) -> dict[str, Any]:
    """Return a plate at an instant, in the shape of `PlateState`.

    Its owner does not learn who looks for it, nor where it was read.
    """
    alerts = [] if own else [row for row in found.watchlist if _covers(row, "since", at)]
    reads = [] if own else [row for row in found.sightings if row["at"] <= at]
    return {
        "plate": found.plate,
        "at": at,
        "rights": [
            {
                **{name: row[name] for name in _RIGHT},
                "zone": row["zone"] or None,
                "current": _covers(row, "start", at),
            }
            for row in found.rights
        ],
        "alerts": [{name: row[name] for name in _ALERT} for row in alerts],
        "reads": [{name: row[name] for name in _READ} for row in reads],
        "citations": [row for row in found.citations if row["issued_at"] <= at],
        "known": found.known,
        "as_of": found.as_of,
    }


def _covers(row: Mapping[str, Any], start: str, at: datetime) -> bool:
    until: datetime | None = row["until"]
    began: datetime = row[start]
    return began <= at and (until is None or at < until)


@router.get(
    "/v1/plates/{plate}",
    summary="What enforcement may see of a plate",
    response_model=PlateState,
    responses=problems(401, 403, 422, 428, 503),
)
async def plate_state(
    plate: str,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    region: Annotated[
        str | None, Query(description="Where `plate` is the number alone.", examples=["ON"])
    ] = None,
    purpose: Purpose = None,
) -> Response:
    """Answer its rights, alerts, and what was read and written of it."""
    wanted = plate_in(plate, region)
    await demand_plate(door.log, visit, wanted)
    await door.register.note(visit.principal, f"plate {wanted}", purpose, Subject(plate=wanted))
    found = await door.lookups.plate(wanted, asked.known, asked.at_least)
    own = visit.access is Access.OWN
    return json_answer(state_of(found, asked.at or datetime.now(UTC), own=own))
