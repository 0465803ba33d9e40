"""Which events the knowledge of rights rests on: by plate first, then by each right that this names.

A right is found by the plates that it was bought with, or that were added or corrected into it; everything
else that happened to it carries only its own identity. So the boundary of a plate widens with the facts.
"""

from collections.abc import Iterable

from commands.right_collection import Key, KnownRights, RightsEvent
from commands.right_facts import (
    EXEMPTION_EVENTS,
    PERMIT_EVENTS,
    SESSION_EVENTS,
    ExemptionEvent,
    PermitEvent,
    Right,
    SessionEvent,
)
from commands.right_payments import PAYMENT_EVENTS, PaymentEvent
from events.base import Event
from events.boundary import Boundary, Criterion, names_of, on
from events.payments import PaymentAuthorised, PaymentReceived
from events.permits import PermitPurchased, PermitTypeOffered, PlateAdded, PlateAssociationCorrected
from events.policies import PolicyAdopted
from events.sessions import ExemptionGranted, SessionStarted

type Found = PermitPurchased | PlateAdded | PlateAssociationCorrected | SessionStarted | ExemptionGranted
type Paid = PaymentAuthorised | PaymentReceived


def permit_boundary(permit: str) -> Boundary[PermitEvent | Paid]:
    """Return everything that tells of a permit, payments that name it included."""
    return Boundary(_named((*PERMIT_EVENTS, PaymentAuthorised, PaymentReceived), f"permit:{permit}"))


def session_boundary(session: str) -> Boundary[SessionEvent | Paid]:
    """Return everything that tells of a session, payments that name it included."""
    return Boundary(_named((*SESSION_EVENTS, PaymentAuthorised, PaymentReceived), f"session:{session}"))


def exemption_boundary(exemption: str) -> Boundary[ExemptionEvent]:
    """Return everything that tells of an exemption."""
    return Boundary(_named(EXEMPTION_EVENTS, f"exemption:{exemption}"))


def payment_boundary(payment: str) -> Boundary[PaymentEvent]:
    """Return what tells from when a payment counts, and whether it still does."""
    return Boundary(_named(PAYMENT_EVENTS, f"payment:{payment}"))


def key_boundary(key: Key) -> Boundary[PermitEvent | SessionEvent | ExemptionEvent | Paid]:
    """Return everything that tells of the right of that kind and id."""
    kind, right = key
    if kind == "permit":
        return permit_boundary(right)
    return session_boundary(right) if kind == "session" else exemption_boundary(right)


def right_boundary(right: Right) -> Boundary[RightsEvent]:
    """Return everything that the intervals of a right rest on: its facts, its payments, its type's terms."""
    boundary: Boundary[RightsEvent] = key_boundary((right.kind, right.right))
    for payment in right.payments:
        boundary |= payment_boundary(payment)
    if right.permit_type is not None:
        boundary |= on(PermitTypeOffered, permit_type=right.permit_type)
    return boundary


def finding_boundary(plate: str) -> Boundary[Found]:
    """Return what names the rights that may cover a plate."""
    return on(
        PermitPurchased, PlateAdded, PlateAssociationCorrected, SessionStarted, ExemptionGranted, plate=plate
    )


def plates_boundary(plates: Iterable[str], known: KnownRights) -> Boundary[RightsEvent]:
    """Return everything that the standing of these plates rests on, by what is known so far."""
    boundary: Boundary[RightsEvent] = on(PolicyAdopted)
    for plate in plates:
        boundary |= finding_boundary(plate)
        for right in known.of_plate(plate):
            boundary |= right_boundary(right)
    return boundary


def _named(types: tuple[type[Event], ...], tag: str) -> frozenset[Criterion]:
    return frozenset((Criterion(names_of(types), frozenset((tag,))),))
