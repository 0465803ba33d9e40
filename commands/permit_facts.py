"""What decisions about permits rest on: zones, eligibility, waiting lists, and the rights that are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from commands.capacity import Places, Window, has_room, places_boundary
from commands.decider import Refusal, in_any_order
from commands.eligibility import (
    Eligibilities,
    EligibilityEvent,
    NotEligible,
    eligibility_boundary,
    evolve_eligibilities,
)
from commands.queues import Queues, WaitlistEvent, evolve_queues
from commands.right_boundaries import permit_boundary, right_boundary
from commands.right_collection import Key, KnownRights, Rights, RightsEvent
from commands.right_facts import Right
from commands.right_intervals import nominal_spans
from commands.zones import Zone, evolve_zone, zones_boundary
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.permits import (
    EligibilityGranted,
    EligibilityWithdrawn,
    PermitPurchased,
    PermitTypeOffered,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPlaceAccepted,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)
from events.policies import PolicyAdopted
from events.zones import ZoneClosed, ZoneOpened

type PermitFact = ZoneOpened | ZoneClosed | EligibilityEvent | WaitlistEvent | RightsEvent


class NoSuchPermit(Refusal):
    """No permit of that name was ever issued."""


class NoSuchPermitType(Refusal):
    """No permit type of that name is offered."""


class PermitNotInForce(Refusal):
    """The permit is not in force then: it expired, or was cancelled, revoked or suspended."""


class ZoneFull(Refusal):
    """Every place of the zone is taken at some time within the interval."""


class PermitTypeSoldOut(Refusal):
    """Every permit of this type is taken, or kept for those who wait for one."""


@dataclass(frozen=True, slots=True)
class PermitFacts:
    """The facts of a decision about permits, of whichever zones, accounts and types it concerns."""

    zones: Mapping[str, Zone] = field(default_factory=dict)
    eligibilities: Eligibilities = field(default_factory=Eligibilities)
    queues: Queues = field(default_factory=Queues)
    rights: Rights = field(default_factory=Rights)

    @property
    def known(self) -> KnownRights:
        """What the rights come to."""
        return self.rights.known

    def permit(self, permit: str) -> Right:
        """Return the permit of that name.

        Raises:
            NoSuchPermit: if the log holds none.

        """
        right = self.known.right("permit", permit)
        if right is None:
            raise NoSuchPermit(f"No permit {permit!r} was ever issued.", permit=permit)
        return right


@in_any_order
def evolve_permit_facts(facts: PermitFacts, entry: Recorded[PermitFact]) -> PermitFacts:
    """Return the facts after one more entry, in whatever order they come."""
    event, known_entry = entry.event, _any(entry)
    match event:
        case ZoneOpened() | ZoneClosed():
            zone = evolve_zone(facts.zones.get(event.zone, Zone()), known_entry)
            return replace(facts, zones={**facts.zones, event.zone: zone})
        case EligibilityGranted() | EligibilityWithdrawn():
            return replace(facts, eligibilities=evolve_eligibilities(facts.eligibilities, known_entry))
        case (
            WaitlistJoined()
            | WaitlistPlaceOffered()
            | WaitlistPlaceAccepted()
            | WaitlistPlaceLapsed()
            | WaitlistLeft()
        ):
            return replace(facts, queues=evolve_queues(facts.queues, known_entry))
        case PermitPurchased():
            queues = evolve_queues(facts.queues, known_entry)
            return replace(facts, queues=queues, rights=Rights((facts.rights, known_entry)))
        case _:
            _of_a_right: RightsEvent = event  # the type checker proves that nothing else is left
            return replace(facts, rights=Rights((facts.rights, known_entry)))


def own_boundary(permit: str, facts: PermitFacts) -> Boundary[RightsEvent]:
    """Return what a decision about one permit rests on at least: all of it, its type, and the policies."""
    boundary: Boundary[RightsEvent] = permit_boundary(permit) | on(PolicyAdopted)
    right = facts.known.right("permit", permit)
    return boundary if right is None else boundary | right_boundary(right)


def room_boundary(
    zones: tuple[str, ...], permit_type: str | None, window: Window, facts: PermitFacts
) -> Boundary[PermitFact]:
    """Return what decides whether there is room in the zones, and of the type, within the window."""
    boundary: Boundary[PermitFact] = zones_boundary(zones)
    for zone in zones:
        capacity = facts.zones[zone].capacity if zone in facts.zones else None
        if capacity is not None:
            boundary |= places_boundary(Places("zone", zone, capacity), window, facts.known)
    if permit_type is not None:
        boundary |= on(PermitTypeOffered, permit_type=permit_type)
        places = type_places(permit_type, window.start, facts.known)
        if places is not None:
            kept = facts.queues.ever(permit_type)
            boundary |= places_boundary(places, window, facts.known, kept=kept) | queue_boundary(permit_type)
    return boundary


def queue_boundary(permit_type: str) -> Boundary[WaitlistEvent]:
    """Return what tells who waits for a permit type."""
    return on(
        WaitlistJoined,
        WaitlistPlaceOffered,
        WaitlistPlaceAccepted,
        WaitlistPlaceLapsed,
        WaitlistLeft,
        permit_type=permit_type,
    )


def account_boundary(
    account: str | None, permit_type: str | None, at: datetime, facts: PermitFacts
) -> Boundary[EligibilityEvent]:
    """Return what tells whether the account may buy the type, where the type asks for anything."""
    offer = facts.known.offer(permit_type, at) if permit_type is not None else None
    if account is None or offer is None or offer.eligibility is None:
        return Boundary[EligibilityEvent]()
    return eligibility_boundary(account)


def type_places(permit_type: str, at: datetime, known: KnownRights) -> Places | None:
    """Return the places of a permit type; `None` where it is not bounded, or not offered."""
    offer = known.offer(permit_type, at)
    if offer is None or offer.capacity is None:
        return None
    return Places("permit_type", permit_type, offer.capacity)


def refuse_ineligible(account: str | None, permit_type: str | None, at: datetime, facts: PermitFacts) -> None:
    """Let an account buy only what it is eligible for.

    Raises:
        NotEligible: if the type requires an eligibility that the account does not have at the instant.

    """
    offer = facts.known.offer(permit_type, at) if permit_type is not None else None
    needed = offer.eligibility if offer is not None else None
    if needed is not None and not facts.eligibilities.holds(account, needed, at):
        who = "A buyer without an account" if account is None else f"The account {account!r}"
        raise NotEligible(f"{who} does not have the eligibility {needed!r}.", eligibility=needed)


def refuse_full_zones(
    zones: tuple[str, ...], window: Window, facts: PermitFacts, besides: Key | None = None
) -> None:
    """Never oversell a zone.

    Raises:
        ZoneFull: if at some instant of the window every place of a zone is taken.

    """
    for zone in zones:
        capacity = facts.zones[zone].capacity if zone in facts.zones else None
        places = Places("zone", zone, capacity) if capacity is not None else None
        if places is not None and not has_room(places, window, facts.known, besides):
            raise ZoneFull(f"All {capacity} places of the zone {zone!r} are taken.", zone=zone)


def refuse_sold_out(
    permit_type: str | None,
    window: Window,
    facts: PermitFacts,
    *,
    kept: int = 0,
    besides: Key | None = None,
) -> None:
    """Never oversell a permit type; `kept` places are not for this buyer.

    Raises:
        PermitTypeSoldOut: if at some instant of the window every place is taken or kept.

    """
    places = type_places(permit_type, window.start, facts.known) if permit_type is not None else None
    if places is not None and not has_room(places, window, facts.known, besides, kept=kept):
        waited = ", or kept for those who wait" if kept else ""
        raise PermitTypeSoldOut(
            f"All {places.capacity} permits of the type {permit_type!r} are taken{waited}.",
            permit_type=permit_type,
        )


def is_over(right: Right, at: datetime) -> bool:
    """Tell whether the permit expired, or was revoked or cancelled, by the instant, for good."""
    return all(end is not None and end <= at for _, end, _ in nominal_spans(right))


def _any(entry: Recorded[Any]) -> Recorded[Any]:
    return entry
