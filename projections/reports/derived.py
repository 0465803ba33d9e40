"""What reports need of a fold: citations with their money, permits with theirs, sessions with their times.

The folds are those that decide: `commands.ledger` and `commands.rights`. Whenever an event changes what
follows from them, the thing gets new rows under that event's position; the rows of a thing as known at a
position are those of its greatest position up to there. Rows are only ever added, like the log's own.

`version` is that position, so that all rows of a thing are told again whenever one of them changes.
A row holds from `holds_from` on: money that is dated ahead changes what is owed when its day comes, without
any event. The first row of a version holds from the beginning.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from commands.charges import balance, decisions, fine_at, is_dismissed, is_voided, paid
from commands.docket import CitationLedger
from commands.holds import Appeal
from commands.rights import Payment, Right, intervals, nominal_until, paid_terms
from events.citations import CitationIssued
from events.envelope import Recorded
from projections import dockets, validity
from projections.projection import Neighbours, Projection, Thing
from projections.table import Row, Table

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


class Seen(msgspec.Struct, frozen=True):
    """A fold, when the newest of its events was recorded, and who wrote the citation with which device."""

    state: Any
    recorded: datetime = BEGINNING
    position: int = 0
    officer: str | None = None
    device: str | None = None


class CitationRow(NamedTuple):
    """A citation as it stands from an instant on; amounts in cents, `resolution` in microseconds."""

    version: int
    citation: str
    issued_position: int
    holds_from: datetime
    issued_at: datetime
    kind: str
    zone: str
    code: str
    officer: str | None
    device: str | None
    plate: str
    standing: str
    fine: int
    paid: int
    balance: int
    appealed: bool
    outcome: str | None
    decided_at: datetime | None
    resolved: int
    resolution: int


class PermitRow(NamedTuple):
    """What one payment of a permit comes to from an instant on, in cents; `payment` is null for none.

    `[start, until)` is the term that the payment pays for, the permit's whole time where there is none.
    """

    version: int
    permit: str
    holds_from: datetime
    permit_type: str | None
    zones: tuple[str, ...]
    start: datetime | None
    until: datetime | None
    payment: str | None
    paid_at: datetime | None
    kept: int


class SessionRow(NamedTuple):
    """The time `[start, until)` that a session lets its vehicle stand."""

    version: int
    session: str
    plate: str | None
    zone: str | None
    start: datetime | None
    until: datetime | None


def _seeing(thing: Thing[Any]) -> Thing[Any]:
    """Return the thing with the time at which its newest event was recorded beside its fold."""
    initial: Callable[[str], Any] = thing.initial
    evolve: Callable[[Any, Recorded[Any]], Any] = thing.evolve

    def begun(name: str) -> Seen:
        return Seen(initial(name))

    def grown(seen: Seen, entry: Recorded[Any]) -> Seen:
        officer, device = seen.officer, seen.device
        event = entry.event
        if isinstance(event, CitationIssued) and thing.kind == "citation" and not seen.state.issued_position:
            officer, device = event.officer, event.device
        state = evolve(seen.state, entry)
        return Seen(state, max(seen.recorded, entry.recorded), entry.position, officer, device)

    return Thing(thing.kind, thing.types, begun, grown, thing.hub, thing.common)


def _states(neighbours: Neighbours) -> dict[str, Any]:
    return {key: seen.state for key, seen in neighbours.items()}


def _newest(own: Seen, neighbours: Neighbours) -> Seen:
    """Return which of a thing and its payments had the newest event: no report looks further back."""
    near: Iterable[Seen] = (seen for key, seen in neighbours.items() if key.startswith("payment:"))
    return max((own, *near), key=lambda seen: seen.position)


def _versions(ahead: Iterable[datetime], newest: datetime) -> list[tuple[datetime, datetime]]:
    """Return `(holds from, instant to look at)` of the present and of each instant that lies ahead of it."""
    return [(BEGINNING, newest), *((at, at) for at in sorted({at for at in ahead if at > newest}))]


def citation_rows(_: str, seen: Seen, neighbours: Neighbours) -> Iterable[Row]:
    """Return the rows of a citation: one, and a further one for each instant ahead that changes it."""
    own: CitationLedger = seen.state
    if own.issued_at is None:
        return ()
    whole = dockets.docket(own, _states(neighbours))
    newest = _newest(seen, neighbours)
    versions = _versions(_instants(whole), newest.recorded)
    return [_citation(whole, seen, newest.position, *version) for version in versions]


def _instants(whole: CitationLedger) -> Iterable[datetime]:
    """Yield every instant that a fact of the docket acts from."""
    if whole.issued_at is not None:
        yield whole.issued_at
    yield from (void.at for void in whole.voids)
    yield from (fee.at for fee in whole.fees)
    for appeal in whole.appeals.values():
        yield from (step.at for step in appeal.steps)
    for payment in whole.payments.values():
        yield from _acting(payment)


def _acting(payment: Any) -> Iterable[datetime]:
    """Yield the instants of anything that was ever told of a payment, however it is kept."""
    inside: list[Any] = [payment]
    while inside:
        value = inside.pop()
        if isinstance(value, datetime):
            yield value
        elif isinstance(value, msgspec.Struct):
            inside += [getattr(value, name) for name in value.__struct_fields__]
        elif isinstance(value, tuple | list):
            inside += value
        elif isinstance(value, dict):
            inside += value.values()


def _citation(
    whole: CitationLedger, seen: Seen, version: int, holds_from: datetime, at: datetime
) -> CitationRow:
    issued = whole.issued_at or BEGINNING
    owed = balance(whole, at)
    made = decisions(whole, at)
    filed = [a for a in whole.appeals.values() if a.filed_at is not None and a.filed_at <= at]
    settled = [span for appeal in filed if (span := _resolution(appeal, at)) is not None]
    return CitationRow(
        version=version,
        citation=whole.citation,
        issued_position=whole.issued_position,
        holds_from=holds_from,
        issued_at=issued,
        kind=whole.kind,
        zone=whole.zone,
        code=whole.code,
        officer=seen.officer,
        device=seen.device,
        plate=f"plate:{whole.plate}",
        standing=_standing(whole, at, owed),
        fine=fine_at(whole, at),
        paid=paid(whole, at),
        balance=owed,
        appealed=bool(filed),
        outcome=made[-1].outcome if made else None,
        decided_at=made[-1].at if made else None,
        resolved=len(settled),
        resolution=sum(settled),
    )


def _standing(whole: CitationLedger, at: datetime, owed: int) -> str:
    """Return `voided`, `dismissed`, `paid` as `commands.ledger.stage` does, else `unpaid`."""
    if whole.issued_at is None or at < whole.issued_at:
        return "unpaid"
    if is_voided(whole, at):
        return "voided"
    if is_dismissed(whole, at):
        return "dismissed"
    return "paid" if whole.kind == "citation" and owed == 0 else "unpaid"


def _resolution(appeal: Appeal, at: datetime) -> int | None:
    """Return the microseconds from filing to decision, where it is decided by the instant."""
    if appeal.decision is None or appeal.filed_at is None or appeal.decision.at > at:
        return None
    span = appeal.decision.at - appeal.filed_at
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def permit_rows(_: str, seen: Seen, neighbours: Neighbours) -> Iterable[Row]:
    """Return a row for each payment of a permit and each instant ahead that changes it; one at least."""
    right: Right = seen.state
    if right.kind != "permit" or not right.known:
        return ()
    newest = _newest(seen, neighbours)
    paid_by: dict[str, Payment] = {
        name: neighbours[f"payment:{name}"].state for name in sorted(right.payments)
    }
    terms = paid_terms(right, paid_by)
    rows = [
        PermitRow(
            newest.position, right.right, holds_from, right.permit_type, right.zones, *terms[name], name,
            payment.counts_from, payment.kept(at),
        )
        for name, payment in paid_by.items()
        for holds_from, at in _versions(_acting(payment), newest.recorded)
    ]  # fmt: skip
    if rows:
        return rows
    permit_type, zones = right.permit_type, right.zones
    start = next((fact.since for fact in right.facts if fact.what == "bought"), None)
    until = nominal_until(right)
    return [
        PermitRow(newest.position, right.right, BEGINNING, permit_type, zones, start, until, None, None, 0)
    ]


def session_rows(_: str, seen: Seen, neighbours: Neighbours) -> Iterable[Row]:
    """Return a row for each time that a session lets its vehicle stand; one row at least."""
    right: Right = seen.state
    if right.kind != "session" or not right.known:
        return ()
    payments = {name: neighbours[f"payment:{name}"].state for name in right.payments}
    version = _newest(seen, neighbours).position
    rows = [
        SessionRow(version, right.right, f"plate:{found.plate}", found.zone, found.start, found.end)
        for found in intervals(right, payments)
    ]
    return rows or [SessionRow(version, right.right, None, None, None, None)]


_NO_TABLE = Table({})
_RIGHTS = tuple(
    _seeing(thing) for thing in validity.THINGS if thing.kind in {"permit", "session", "payment", "policy"}
)

DERIVED: dict[str, tuple[Projection, type[tuple[Any, ...]]]] = {
    "citations": (
        Projection(
            "report_citations", 1, _NO_TABLE, tuple(map(_seeing, dockets.THINGS)),
            frozenset({"citation"}), citation_rows, 300_000,
        ),
        CitationRow,
    ),
    "permits": (
        Projection("report_permits", 1, _NO_TABLE, _RIGHTS, frozenset({"permit"}), permit_rows, 100_000),
        PermitRow,
    ),
    "sessions": (
        Projection("report_sessions", 1, _NO_TABLE, _RIGHTS, frozenset({"session"}), session_rows, 100_000),
        SessionRow,
    ),
}  # fmt: skip
"""Each derived data set: the folds it follows from, and the columns of its rows."""
