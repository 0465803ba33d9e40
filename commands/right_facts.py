"""One right (a permit, a session or an exemption) as the facts reported of it, and nothing derived.

The facts are kept sorted by what they say, never by when they arrived: any order of arrival of the same
facts gives the same right, and so the same intervals. What follows from them is derived in
`right_intervals` and `right_plates`.
"""

from datetime import UTC, datetime
from typing import Any, Literal, assert_never
from uuid import UUID

import msgspec

from events.base import Event
from events.envelope import Recorded
from events.payments import PaymentAuthorised, PaymentReceived
from events.permits import (
    ActivePlateSelected,
    PermitCancelled,
    PermitPurchased,
    PermitReinstated,
    PermitRenewed,
    PermitReportedLost,
    PermitRevoked,
    PermitSuspended,
    PermitTransferred,
    PlateAdded,
    PlateAssociationCorrected,
    PlateRemoved,
)
from events.sessions import (
    ExemptionEnded,
    ExemptionGranted,
    SessionEnded,
    SessionExtended,
    SessionStarted,
)

type Kind = Literal["permit", "session", "exemption"]
type PermitEvent = (
    PermitPurchased
    | PermitRenewed
    | PlateAdded
    | PlateRemoved
    | ActivePlateSelected
    | PlateAssociationCorrected
    | PermitSuspended
    | PermitRevoked
    | PermitCancelled
    | PermitReinstated
    | PermitTransferred
    | PermitReportedLost
)
type SessionEvent = SessionStarted | SessionExtended | SessionEnded
type ExemptionEvent = ExemptionGranted | ExemptionEnded
type RightEvent = PermitEvent | SessionEvent | ExemptionEvent | PaymentAuthorised | PaymentReceived

PERMIT_EVENTS: tuple[type[Event], ...] = (
    PermitPurchased,
    PermitRenewed,
    PlateAdded,
    PlateRemoved,
    ActivePlateSelected,
    PlateAssociationCorrected,
    PermitSuspended,
    PermitRevoked,
    PermitCancelled,
    PermitReinstated,
    PermitTransferred,
    PermitReportedLost,
)
SESSION_EVENTS: tuple[type[Event], ...] = (SessionStarted, SessionExtended, SessionEnded)
EXEMPTION_EVENTS: tuple[type[Event], ...] = (ExemptionGranted, ExemptionEnded)
RIGHT_EVENTS: tuple[type[Event], ...] = (*PERMIT_EVENTS, *SESSION_EVENTS, *EXEMPTION_EVENTS)
"""The events that rights are folded from; a payment that names a permit or session belongs to it as well."""

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Before every instant: since when a fact that was never otherwise holds."""

_NOBODY = UUID(int=0)

RANK = {
    name: rank
    for rank, name in enumerate(
        (
            "bought",
            "renewed",
            "added",
            "removed",
            "corrected",
            "selected",
            "suspended",
            "cancelled",
            "revoked",
            "ended",
            "reinstated",
            "transferred",
            "lost",
            "paid",
        )
    )
}
"""What a fact can say, and which comes first where two occurred at the same instant."""


class Fact(msgspec.Struct, frozen=True, array_like=True):
    """One thing reported of a right: what, when it occurred, since when it acts, and what it names."""

    what: str
    at: datetime
    position: int
    since: datetime
    until: datetime | None = None
    plates: tuple[str, ...] = ()
    payment: str | None = None
    corrects: int | str | None = None
    account: str | None = None

    @property
    def order(self) -> tuple[datetime, int, datetime, datetime, tuple[str, ...], str, int]:
        """What facts are sorted by: their content first, the position only between equals."""
        named = self.payment or self.account or ""
        return (
            self.at,
            RANK[self.what],
            self.since,
            self.until or ALWAYS,
            self.plates,
            named,
            self.position,
        )


class Right(msgspec.Struct, frozen=True):
    """A permit, session or exemption: its identity, and the sorted facts that were reported of it."""

    kind: Kind = "permit"
    right: str = ""
    zones: tuple[str, ...] = ()
    every_zone: bool = False
    permit_type: str | None = None
    price: int | None = None
    facts: tuple[Fact, ...] = ()

    @property
    def known(self) -> bool:
        """Whether the fact that began it is known, not only facts that concern it."""
        return any(fact.what == "bought" for fact in self.facts)

    @property
    def payments(self) -> frozenset[str]:
        """The payments whose state its validity depends on."""
        return frozenset(fact.payment for fact in self.facts if fact.payment is not None)

    def holder(self, at: datetime) -> str | None:
        """Return the account that holds it at the instant."""
        held: str | None = None
        for fact in self.facts:
            if fact.what == "bought" or (fact.what == "transferred" and fact.at <= at):
                held = fact.account or held
        return held


def keys_of(event: Event) -> tuple[tuple[Kind, str], ...]:
    """Return the rights that an event tells of, as `(kind, id)`; none where it tells of no right."""
    match event:
        case SessionStarted() | SessionExtended() | SessionEnded():
            return (("session", event.session),)
        case ExemptionGranted() | ExemptionEnded():
            return (("exemption", event.exemption),)
        case PaymentAuthorised() | PaymentReceived():
            permit: tuple[tuple[Kind, str], ...] = (("permit", event.permit),) if event.permit else ()
            return (*permit, ("session", event.session)) if event.session else permit
        case _ if isinstance(event, PERMIT_EVENTS):
            return (("permit", event.__dict__["permit"]),)
        case _:
            return ()


def evolve_right(right: Right, entry: Recorded[RightEvent]) -> Right:
    """Return the right after one more event that tells of it, in whatever order they arrive."""
    event = entry.event
    match event:
        case PermitPurchased():
            return _bought_permit(right, event, entry.position)
        case SessionStarted():
            start = _fact("bought", entry, event.start, event.until, (event.plate,), payment=event.payment)
            return _with(
                right, start, kind="session", right=event.session, zones=(event.zone,), price=event.amount
            )
        case ExemptionGranted():
            since = event.start or event.at
            zones = () if event.zone is None else (event.zone,)
            grant = _fact("bought", entry, since, event.until, (event.plate,))
            return _with(
                right,
                grant,
                kind="exemption",
                right=event.exemption,
                zones=zones,
                every_zone=event.zone is None,
            )
        case _:
            if not right.right:
                right = _named(right, event)
            return _with(right, _further(event, entry))


def unless_said[E: Event](right: Right, event: E) -> tuple[E, ...]:
    """Return the event, or nothing where the right was told the very same before."""
    told: Any = Recorded(0, event.at, event, "", "", _NOBODY)
    said = evolve_right(Right(right.kind, right.right), told).facts[0].order[:-1]
    return () if any(fact.order[:-1] == said for fact in right.facts) else (event,)


def _named(right: Right, event: RightEvent) -> Right:
    keys = keys_of(event)
    return msgspec.structs.replace(right, kind=keys[0][0], right=keys[0][1]) if len(keys) == 1 else right


def _bought_permit(right: Right, event: PermitPurchased, position: int) -> Right:
    fact = Fact(
        "bought",
        event.at,
        position,
        event.valid_from,
        event.valid_until,
        tuple(sorted(set(event.plates))),
        event.payment,
        None,
        event.account,
    )
    zones = event.zones if not right.zones else tuple(sorted({*right.zones, *event.zones}))
    return _with(
        right,
        fact,
        kind="permit",
        right=event.permit,
        zones=zones,
        permit_type=event.permit_type or right.permit_type,
        price=event.price,
    )


def _further(  # noqa: C901, PLR0911, PLR0912 - one line for each event
    event: RightEvent, entry: Recorded[RightEvent]
) -> Fact:
    """Return what an event adds to a right that it did not begin."""
    match event:
        case PermitRenewed():
            return _fact("renewed", entry, event.at, event.valid_until, payment=event.payment)
        case SessionExtended():
            return _fact("renewed", entry, event.at, event.until)
        case PlateAdded():
            return _fact("added", entry, event.effective_from, None, (event.plate,))
        case PlateRemoved():
            return _fact("removed", entry, event.effective_from, None, (event.plate,))
        case ActivePlateSelected():
            return _fact("selected", entry, event.at, None, (event.plate,))
        case PlateAssociationCorrected():
            since = event.effective_from
            return _fact("corrected", entry, since, None, (event.plate,), corrects=event.corrects)
        case PermitSuspended():
            return _fact("suspended", entry, event.effective_at)
        case PermitRevoked():
            return _fact("revoked", entry, event.effective_at)
        case PermitCancelled():
            return _fact("cancelled", entry, event.effective_at)
        case PermitReinstated():
            since = event.retroactive_to or max(event.effective_at, event.at)
            return _fact("reinstated", entry, since)
        case SessionEnded() | ExemptionEnded():
            return _fact("ended", entry, event.until or event.at)
        case PermitTransferred():
            return _fact("transferred", entry, event.at, account=event.account)
        case PermitReportedLost():
            return _fact("lost", entry, event.at)
        case PaymentAuthorised() | PaymentReceived():
            return _fact("paid", entry, event.at, payment=event.payment)
        case PermitPurchased() | SessionStarted() | ExemptionGranted():
            raise AssertionError("a right begins in evolve_right")
        case _ as never:
            assert_never(never)


def _fact(
    what: str,
    entry: Recorded[RightEvent],
    since: datetime,
    until: datetime | None = None,
    plates: tuple[str, ...] = (),
    *,
    payment: str | None = None,
    corrects: int | str | None = None,
    account: str | None = None,
) -> Fact:
    return Fact(what, entry.event.at, entry.position, since, until, plates, payment, corrects, account)


def _with(known: Right, fact: Fact, **changes: object) -> Right:
    facts = (*known.facts, fact)
    if len(facts) > 1 and fact.order < facts[-2].order:
        facts = tuple(sorted(facts, key=_order))
    return msgspec.structs.replace(known, facts=facts, **changes)


def _order(fact: Fact) -> tuple[datetime, int, datetime, datetime, tuple[str, ...], str, int]:
    return fact.order
