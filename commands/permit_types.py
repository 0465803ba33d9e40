"""Permit types: what is offered, on which terms: zones, price, term, places, plates carried and active.

Offering a type again sets new terms for what is sold from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, assert_never

from pydantic import Field

from commands.decider import Command, Decider, Refusal, fact_of
from commands.policy import policy_at
from commands.right_facts import Right
from commands.zones import Zone, evolve_zone, open_zone, zones_boundary
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.permits import PermitTypeId, PermitTypeOffered
from events.policies import PolicyAdopted
from events.vocabulary import Amount, Word, ZoneId
from events.zones import ZoneClosed, ZoneOpened


class OfferPermitType(Command):
    """Sell permits of this type, on these terms, from now on."""

    permit_type: PermitTypeId
    zones: Annotated[tuple[ZoneId, ...], Field(min_length=1, max_length=100)]
    price: Amount
    term_days: Annotated[int, Field(strict=True, gt=0, le=3660)]
    capacity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = None
    max_plates: Annotated[int, Field(strict=True, gt=0, le=1000)] = 1
    max_active: Annotated[int, Field(strict=True, gt=0, le=1000)] = 1
    eligibility: Word | None = None


class MoreActiveThanCarried(Refusal):
    """No more plates can be active at once than the permit may carry."""


@dataclass(frozen=True, slots=True)
class Offering:
    """The terms that a type was offered on before, and the zones that it is to cover."""

    offers: tuple[PermitTypeOffered, ...] = ()
    zones: Mapping[str, Zone] = field(default_factory=dict)


def offer_at(offers: Iterable[PermitTypeOffered], permit_type: str, at: datetime) -> PermitTypeOffered | None:
    """Return the terms of a permit type at an instant: those offered last by then, else the first ever.

    Of two offers at the same instant the one that stands later counts.
    """
    known = [offer for offer in offers if offer.permit_type == permit_type]
    by_then = [offer for offer in known if offer.at <= at]
    if by_then:
        return max(reversed(by_then), key=lambda offer: offer.at)
    return min(known, key=lambda offer: offer.at, default=None)


def max_active_of(right: Right, offers: Iterable[PermitTypeOffered], adopted: Iterable[PolicyAdopted]) -> int:
    """Return how many plates of a permit may be active at once, by its type, else by the policy.

    What was offered and in force when the permit was bought counts for all its life.
    """
    bought_at = next((fact.at for fact in right.facts if fact.what == "bought"), None)
    if bought_at is None:
        return 1
    if right.permit_type is not None:
        offer = offer_at(offers, right.permit_type, bought_at)
        if offer is not None:
            return offer.max_active
    return policy_at(adopted, bought_at).max_active


def _boundary(command: OfferPermitType, _: Offering) -> Boundary[PermitTypeOffered | ZoneOpened | ZoneClosed]:
    return on(PermitTypeOffered, permit_type=command.permit_type) | zones_boundary(command.zones)


def _evolve(offering: Offering, entry: Recorded[PermitTypeOffered | ZoneOpened | ZoneClosed]) -> Offering:
    event = entry.event
    match event:
        case PermitTypeOffered():
            return replace(offering, offers=(*offering.offers, event))
        case ZoneOpened() | ZoneClosed():
            zone = evolve_zone(offering.zones.get(event.zone, Zone()), entry)  # type: ignore[arg-type]
            return replace(offering, zones={**offering.zones, event.zone: zone})
        case _ as never:
            assert_never(never)


def _offer(command: OfferPermitType, offering: Offering) -> Sequence[Event]:
    offered = fact_of(command, PermitTypeOffered)
    last = offer_at(offering.offers, command.permit_type, command.at)
    if last is not None and last.model_copy(update={"at": command.at}) == offered:
        return ()
    for zone in command.zones:
        open_zone(offering.zones, zone, command.at)
    if command.max_active > command.max_plates:
        raise MoreActiveThanCarried
    return (offered,)


OFFER_PERMIT_TYPE = Decider(OfferPermitType, _boundary, Offering, _evolve, _offer)
DECIDERS = (OFFER_PERMIT_TYPE,)
