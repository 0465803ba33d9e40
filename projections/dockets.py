"""Dockets: what citations and appeals are drawn from, folded as `commands.ledger` does for a decision."""

from typing import Any

from msgspec.structs import replace

from commands.ledger import (
    APPEAL_EVENTS,
    CITATION_EVENTS,
    PAYMENT_EVENTS,
    CitationLedger,
    Payment,
    evolve_ledger,
    evolve_payment,
)
from events.envelope import Recorded
from events.payments import PaymentAllocated, PaymentAuthorised, PaymentReceived, PaymentRefunded
from events.policies import PolicyAdopted
from events.zones import ZoneOpened
from projections.projection import Neighbours, Thing, types

_OWN = types(*CITATION_EVENTS, *APPEAL_EVENTS)
_PAYING = types(PaymentAuthorised, PaymentReceived, PaymentAllocated, PaymentRefunded)


def evolve_own(state: CitationLedger, entry: Recorded[Any]) -> CitationLedger:
    """Fold the citation's own events and its appeals'; its payments are folded for themselves."""
    return evolve_ledger(state, entry) if type(entry.event) in _OWN else state


THINGS: tuple[Thing[Any], ...] = (
    Thing("citation", _OWN | _PAYING, CitationLedger, evolve_own),
    Thing("payment", types(*PAYMENT_EVENTS), Payment, evolve_payment),
    Thing("zone", types(ZoneOpened), lambda _: CitationLedger(), evolve_ledger, hub=True),
    Thing("policy", types(PolicyAdopted), lambda _: CitationLedger(), evolve_ledger, common=True),
)
"""A zone and the policies are folded as a docket that knows nothing else, to be laid into others."""


def docket(state: CitationLedger, neighbours: Neighbours) -> CitationLedger:
    """Return the whole docket of a citation: its own fold, its payments, its zone's time, the policies."""
    zone = neighbours.get(f"zone:{state.zone}", CitationLedger())
    prefix = "payment:"
    return replace(
        state,
        payments={
            key.removeprefix(prefix): payment for key, payment in neighbours.items() if key.startswith(prefix)
        },
        timezone=zone.timezone,
        timezone_position=zone.timezone_position,
        adopted=neighbours["policy:"].adopted,
    )
