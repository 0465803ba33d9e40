"""Rights: permits, sessions and exemptions, from the facts of each to where a plate stands.

One truth for deciders, read models, findings and verification. Fold each right's events with
`evolve_right` and each payment's with `evolve_payment`; `intervals` says when the right was valid, and
`standing` how a plate stands by the intervals of all its rights. `keys_of` tells which rights an event
belongs to. A decider folds whole collections with `evolve_rights` over a `plates_boundary`, and asks
`rights.known.standing(plate, zone, at)`. States are msgspec structs, so that `msgspec.json.encode` and
`decode` store them as they are.
"""

from commands.permit_types import max_active_of, offer_at
from commands.right_boundaries import (
    exemption_boundary,
    payment_boundary,
    permit_boundary,
    plates_boundary,
    right_boundary,
    session_boundary,
)
from commands.right_collection import KnownRights, Rights, RightsEvent, evolve_rights
from commands.right_facts import (
    EXEMPTION_EVENTS,
    PERMIT_EVENTS,
    RIGHT_EVENTS,
    SESSION_EVENTS,
    Fact,
    Kind,
    Right,
    RightEvent,
    evolve_right,
    keys_of,
)
from commands.right_intervals import (
    EndedBy,
    Interval,
    intervals,
    nominal_spans,
    nominal_until,
    paid_terms,
    spans_in_force,
    stop_at,
)
from commands.right_payments import PAYMENT_EVENTS, Payment, PaymentEvent, evolve_payment
from commands.right_plates import Span, active_spans, carried_plates, mistaken_plate, plates_at
from commands.standing import NO_RIGHT, Standing, standing

__all__ = [
    "EXEMPTION_EVENTS",
    "NO_RIGHT",
    "PAYMENT_EVENTS",
    "PERMIT_EVENTS",
    "RIGHT_EVENTS",
    "SESSION_EVENTS",
    "EndedBy",
    "Fact",
    "Interval",
    "Kind",
    "KnownRights",
    "Payment",
    "PaymentEvent",
    "Right",
    "RightEvent",
    "Rights",
    "RightsEvent",
    "Span",
    "Standing",
    "active_spans",
    "carried_plates",
    "evolve_payment",
    "evolve_right",
    "evolve_rights",
    "exemption_boundary",
    "intervals",
    "keys_of",
    "max_active_of",
    "mistaken_plate",
    "nominal_spans",
    "nominal_until",
    "offer_at",
    "paid_terms",
    "payment_boundary",
    "permit_boundary",
    "plates_at",
    "plates_boundary",
    "right_boundary",
    "session_boundary",
    "spans_in_force",
    "standing",
    "stop_at",
]
