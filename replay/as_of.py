"""What was true at an instant, by what was known at a position or instant: for whoever asks on a terminal."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from commands.charges import balance, fees_at, fine_at, payable, stage
from commands.findings import Finding
from commands.ledger import deadlines
from event_store.log import Log
from projections.cases import dockets, finding_of
from projections.lookups import Lookups
from projections.timeline import Timeline
from projections.validity_answers import ValidityAnswer

type Known = int | datetime | None


def position_of(log: Log, known: Known) -> int:
    """Return the position that `known` means: the head of the log where nothing is said."""
    head = log.head()
    if known is None:
        return head
    return min(head, log.position_at(known) if isinstance(known, datetime) else known)


def validity(dsn: str, plate: str, zone: str, at: datetime | None, known: Known) -> ValidityAnswer:
    """Return whether a vehicle might stand in a zone.

    Raises:
        NotYet: if the read model is not where it has to be.

    """

    async def ask() -> ValidityAnswer:
        with Lookups(dsn) as lookups:
            return await lookups.validity(plate, zone, at, known)

    return asyncio.run(ask())


def citation(log: Log, name: str, at: datetime | None, known: Known) -> dict[str, Any] | None:
    """Return how a citation stood; `None` where it was not known. Amounts in minor units."""
    upto = position_of(log, known)
    (docket,) = dockets(log, [name], upto)
    if docket.issued_at is None:
        return None
    moment = at or datetime.now(UTC)
    ends = deadlines(docket)
    return {
        "citation": name,
        "plate": docket.plate,
        "zone": docket.zone,
        "code": docket.code,
        "issued": docket.issued_at,
        "at": moment,
        "known": upto,
        "policy": docket.policy.version,
        "stage": stage(docket, moment),
        "fine": fine_at(docket, moment),
        "fees": fees_at(docket, moment),
        "balance": balance(docket, moment),
        "payable": payable(docket, moment),
        "discount until": ends.discount,
        "appeal until": ends.first_appeal,
        "late fee at": ends.late_fee,
        "appeals": {appeal.appeal: appeal.state for appeal in docket.appeals.values()},
    }


def finding_on(log: Log, name: str, known: Known) -> Finding | None:
    """Return what the evidence said of a citation; `None` where it was not known."""
    return finding_of(log, name, position_of(log, known))


def timeline(dsn: str, name: str, known: Known) -> Timeline:
    """Return the timeline of a citation."""

    async def ask() -> Timeline:
        with Lookups(dsn) as lookups:
            return await lookups.timeline(citation=name, known=known)

    return asyncio.run(ask())
