"""Validity: the intervals in which each right lets a plate stand in a zone, by both clocks.

The intervals are those of `commands.rights`, which the deciders, findings and verification use as well.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from commands.rights import (
    EXEMPTION_EVENTS,
    PAYMENT_EVENTS,
    PERMIT_EVENTS,
    SESSION_EVENTS,
    Kind,
    Payment,
    Right,
    evolve_payment,
    evolve_right,
    intervals,
    max_active_of,
)
from events.base import Event
from events.envelope import Recorded
from events.payments import PaymentAuthorised, PaymentReceived
from events.permits import PermitPurchased, PermitRenewed, PermitTypeOffered
from events.policies import PolicyAdopted
from events.sessions import SessionStarted
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import FOREVER, Row, Table

EVERY_ZONE = ""
"""The zone of a right that holds in all of them; no zone can be called so."""

TABLE = Table(
    {
        "kind": "text",
        "right": "text",
        "plate": "text",
        "zone": "text",
        "start": "timestamptz",
        "until": "timestamptz",
        "ended_by": "text",
    },
    indexes=("plate, zone, until",),
)
"""`[start, until)`; `until` is `FOREVER` where the right has no end."""

LINKING = types(PermitPurchased, PermitRenewed, SessionStarted)
"""Events by which a right names its payment."""


type Told[E] = tuple[E, ...]


def evolve_told(*kept: type[Event]) -> Callable[[Told[Any], Recorded[Any]], Told[Any]]:
    """Return a fold that keeps the events of these types as they were told."""

    def evolve(state: Told[Any], entry: Recorded[Any]) -> Told[Any]:
        return (*state, entry.event) if isinstance(entry.event, kept) else state

    return evolve


def evolve_paid(state: Payment, entry: Recorded[Any]) -> Payment:
    """Fold what rights have to know of a payment; events that only name it tell nothing of it."""
    return evolve_payment(state, entry) if type(entry.event) in _PAYMENT else state


def rows(_: str, right: Right, neighbours: Neighbours) -> Iterable[Row]:
    """Return a row for each interval of the right."""
    if not right.known:
        return
    payments = {payment: neighbours[f"payment:{payment}"] for payment in right.payments}
    for found in intervals(right, payments, max_active=_max_active(right, neighbours)):
        yield (
            found.kind,
            found.right,
            found.plate,
            EVERY_ZONE if found.zone is None else found.zone,
            found.start,
            FOREVER if found.end is None else found.end,
            found.ended_by,
        )


def _max_active(right: Right, neighbours: Neighbours) -> int:
    """Return how many plates may be active at once; not asked where there is only one."""
    if right.kind != "permit" or len({plate for fact in right.facts for plate in fact.plates}) < 2:  # noqa: PLR2004
        return 1
    offers = neighbours.get(f"permit_type:{right.permit_type}", ())
    return max_active_of(right, offers, neighbours["policy:"])


_PAYMENT = types(*PAYMENT_EVENTS)
_PAYING = types(PaymentAuthorised, PaymentReceived)


def _right(kind: Kind, *events: type[Event]) -> Thing[Right]:
    return Thing(kind, types(*events), partial(Right, kind), evolve_right)


THINGS: tuple[Thing[Any], ...] = (
    _right("permit", *PERMIT_EVENTS, *_PAYING),
    _right("session", *SESSION_EVENTS, *_PAYING),
    _right("exemption", *EXEMPTION_EVENTS),
    Thing("payment", _PAYMENT | LINKING, Payment, evolve_paid),
    Thing(
        "permit_type",
        types(PermitTypeOffered),
        lambda _: (),
        evolve_told(PermitTypeOffered),
        hub=True,
    ),
    Thing("policy", types(PolicyAdopted), lambda _: (), evolve_told(PolicyAdopted), common=True),
)

VALIDITY = Projection(
    name="validity",
    version=1,
    table=TABLE,
    things=THINGS,
    rooted=frozenset({"permit", "session", "exemption"}),
    rows=rows,
    kept=400_000,
)
