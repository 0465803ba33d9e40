"""Permits: bought by who may, for plates that have none, while there is room in every zone and of the type.

What happens to a permit after it was bought stands in `permit_life`, its plates in `permit_plates`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from commands.calendar import after_days
from commands.capacity import Window, bought_for
from commands.decider import Command, Decider, Refusal
from commands.permit_facts import (
    NoSuchPermitType,
    PermitFact,
    PermitFacts,
    account_boundary,
    evolve_permit_facts,
    own_boundary,
    refuse_full_zones,
    refuse_ineligible,
    refuse_sold_out,
    room_boundary,
)
from commands.plates_permitted import (
    PlateAlreadyPermitted,
    TooManyPlates,
    permitted_boundary,
    refuse_permitted,
)
from commands.prices import prorated
from commands.right_boundaries import payment_boundary
from commands.right_facts import Right, evolve_right
from commands.waitlist import kept_from
from commands.zones import open_zone
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.permits import PermitPurchased, PermitTypeId, PermitTypeOffered
from events.vocabulary import AccountId, Amount, Instant, PaymentId, PermitId, PlateTag, ZoneId

__all__ = ["DECIDERS", "PlateAlreadyPermitted", "PurchasePermit", "TooManyPlates"]

LONGEST_TERM = timedelta(days=3660)
_NOBODY = UUID(int=0)


class PurchasePermit(Command):
    """Buy the right of these plates to stand in the zones, or in those of the permit type.

    It starts at `valid_from`, or now; ends at `valid_until`, or a term of the type later; and costs `price`,
    or the type's price for the local days that it covers.
    """

    permit: PermitId
    account: AccountId | None = None
    permit_type: PermitTypeId | None = None
    zones: Annotated[tuple[ZoneId, ...], Field(max_length=100)] = ()
    plates: Annotated[tuple[PlateTag, ...], Field(max_length=1000)] = ()
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    price: Amount | None = None
    payment: PaymentId | None = None

    @model_validator(mode="after")
    def _says_where_and_until_when(self) -> Self:
        if self.permit_type is None and not self.zones:
            raise ValueError("zones: name the zones, or a permit type that has them")
        if self.permit_type is None and self.valid_until is None:
            raise ValueError("valid_until: say until when, or name a permit type that has a term")
        return self

    @property
    def start(self) -> datetime:
        """When it is to start."""
        return self.valid_from or self.at


class PermitAlreadyIssued(Refusal):
    """A permit of that name was issued before, with other particulars."""


class TermOutOfRange(Refusal):
    """A permit ends after it starts, and at most ten years later."""


class ZoneNotOfType(Refusal):
    """The permit type does not cover this zone."""


def _boundary(command: PurchasePermit, facts: PermitFacts) -> Boundary[PermitFact]:
    boundary: Boundary[PermitFact] = own_boundary(command.permit, facts)
    if command.permit_type is not None:
        boundary |= on(PermitTypeOffered, permit_type=command.permit_type)
    boundary |= account_boundary(command.account, command.permit_type, command.at, facts)
    if command.payment is not None and command.start < command.at:
        boundary |= payment_boundary(command.payment)
    window = _place(command, facts)
    boundary |= room_boundary(_zones(command, facts), command.permit_type, window, facts)
    return boundary | permitted_boundary(command.plates, facts.known)


def _offer(command: PurchasePermit, facts: PermitFacts) -> PermitTypeOffered | None:
    if command.permit_type is None:
        return None
    return facts.known.offer(command.permit_type, command.at)


def _zones(command: PurchasePermit, facts: PermitFacts) -> tuple[str, ...]:
    offer = _offer(command, facts)
    return command.zones or (offer.zones if offer is not None else ())


def _timezone(command: PurchasePermit, facts: PermitFacts) -> str:
    zones = _zones(command, facts)
    return facts.zones[zones[0]].timezone if zones and zones[0] in facts.zones else "UTC"


def _until(command: PurchasePermit, facts: PermitFacts) -> datetime:
    """Return the end that was asked for, or a term of local days after the start."""
    if command.valid_until is not None:
        return command.valid_until
    offer = _offer(command, facts)
    return after_days(command.start, offer.term_days if offer else 1, _timezone(command, facts))


def _place(command: PurchasePermit, facts: PermitFacts) -> Window:
    """Return when it needs a place."""
    until = _until(command, facts)
    return bought_for(command.start, until, command.at, command.payment, facts.known)


def _decide(command: PurchasePermit, facts: PermitFacts) -> Sequence[Event]:
    offer = _offer(command, facts)
    if command.permit_type is not None and offer is None:
        raise NoSuchPermitType(f"No permit type {command.permit_type!r} is offered.")
    permit = _permit(command, facts, offer)
    known = facts.known.right("permit", command.permit)
    if known is not None:
        return _refuse_another(permit, known)
    for zone in permit.zones:
        open_zone(facts.zones, zone, command.at)
    _refuse_strange_zones(permit, offer)
    _refuse_absurd_term(permit)
    refuse_ineligible(command.account, command.permit_type, command.at, facts)
    _refuse_too_many_plates(permit, offer, facts)
    window = _place(command, facts)
    for plate in permit.plates:
        refuse_permitted(plate, permit.zones, window, facts.known, besides=command.permit)
    kept = kept_from(command.account, command.permit_type, command.at, facts) if command.permit_type else 0
    refuse_sold_out(command.permit_type, window, facts, kept=kept)
    refuse_full_zones(permit.zones, window, facts)
    return (permit,)


def _permit(command: PurchasePermit, facts: PermitFacts, offer: PermitTypeOffered | None) -> PermitPurchased:
    until = _until(command, facts)
    price = command.price
    if price is None and offer is not None:
        price = prorated(offer.price, offer.term_days, command.start, until, _timezone(command, facts))
        if command.valid_until is None:
            price = offer.price
    return PermitPurchased(
        at=command.at,
        permit=command.permit,
        account=command.account,
        permit_type=command.permit_type,
        zones=_zones(command, facts),
        plates=tuple(dict.fromkeys(command.plates)),
        valid_from=command.start,
        valid_until=until,
        price=price,
        payment=command.payment,
    )


def _refuse_another(permit: PermitPurchased, known: Right) -> Sequence[Event]:
    """Answer nothing new where the same permit was bought before; the instant of asking does not count."""
    bought = next(fact for fact in known.facts if fact.what == "bought")
    told = permit.model_copy(update={"at": bought.at})
    same = evolve_right(Right(), Recorded(bought.position, bought.at, told, "", "", _NOBODY))
    wanted = (same.facts[0], same.zones, same.permit_type, same.price)
    if wanted != (bought, known.zones, known.permit_type, known.price):
        raise PermitAlreadyIssued(f"A permit {permit.permit!r} was issued before.", permit=permit.permit)
    return ()


def _refuse_strange_zones(permit: PermitPurchased, offer: PermitTypeOffered | None) -> None:
    strange = next((zone for zone in permit.zones if offer is not None and zone not in offer.zones), None)
    if strange is not None:
        raise ZoneNotOfType(f"The type {permit.permit_type!r} does not cover the zone {strange!r}.")


def _refuse_absurd_term(permit: PermitPurchased) -> None:
    if not timedelta() < permit.valid_until - permit.valid_from <= LONGEST_TERM:
        raise TermOutOfRange


def _refuse_too_many_plates(
    permit: PermitPurchased, offer: PermitTypeOffered | None, facts: PermitFacts
) -> None:
    most = offer.max_plates if offer is not None else facts.known.policy(permit.at).max_plates
    if len(permit.plates) > most:
        raise TooManyPlates(f"This permit carries at most {most} plates, not {len(permit.plates)}.")


PURCHASE_PERMIT = Decider(PurchasePermit, _boundary, PermitFacts, evolve_permit_facts, _decide)
DECIDERS = (PURCHASE_PERMIT,)
