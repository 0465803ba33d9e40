"""Waiting lists: joined, offered a place when one frees, accepted, lapsed, left.

Automation offers a freed place to who joined first and lets offers lapse: `due` says what is to be done at an
instant, and `next_instant` when to look again. Only the holder of the open offer may accept it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from commands.capacity import Window, most_taken
from commands.decider import Command, Decider, Refusal, fact_of
from commands.permit_facts import (
    NoSuchPermitType,
    PermitFact,
    PermitFacts,
    PermitTypeSoldOut,
    account_boundary,
    evolve_permit_facts,
    queue_boundary,
    refuse_ineligible,
    room_boundary,
    type_places,
)
from commands.queues import Waiting
from events.base import Event
from events.boundary import Boundary, on
from events.permits import (
    PermitPurchased,
    PermitTypeId,
    PermitTypeOffered,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPlaceAccepted,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)
from events.policies import PolicyAdopted
from events.vocabulary import AccountId, Instant


class JoinWaitlist(Command):
    """Wait for a permit of the type."""

    account: AccountId
    permit_type: PermitTypeId


class OfferWaitlistPlace(Command):
    """Offer the free place to the account, which is first in line; until `expires`, or as the policy says."""

    account: AccountId
    permit_type: PermitTypeId
    expires: Instant | None = None


class AcceptWaitlistPlace(Command):
    """Take the place that was offered."""

    account: AccountId
    permit_type: PermitTypeId


class LapseWaitlistPlace(Command):
    """Let the offer that ran out go to the next in line."""

    account: AccountId
    permit_type: PermitTypeId


class LeaveWaitlist(Command):
    """Wait no longer."""

    account: AccountId
    permit_type: PermitTypeId


class NotYourOffer(Refusal):
    """No place is offered to this account; only the holder of the open offer may accept it."""


class OfferLapsed(Refusal):
    """The offer ran out before it was accepted."""


class OfferStillOpen(Refusal):
    """The offer has not run out yet."""


class NotNextInLine(Refusal):
    """Another account joined the list before, and waits for a place."""


type _AnyOfThem = JoinWaitlist | OfferWaitlistPlace | AcceptWaitlistPlace | LapseWaitlistPlace | LeaveWaitlist


def _boundary(command: _AnyOfThem, _: PermitFacts) -> Boundary[PermitFact]:
    bought = on(PermitPurchased, account=command.account, permit_type=command.permit_type)
    type_and_policy = on(PermitTypeOffered, permit_type=command.permit_type) | on(PolicyAdopted)
    return queue_boundary(command.permit_type) | bought | type_and_policy


def _joining_boundary(command: JoinWaitlist, facts: PermitFacts) -> Boundary[PermitFact]:
    eligibility = account_boundary(command.account, command.permit_type, command.at, facts)
    boundary: Boundary[PermitFact] = _boundary(command, facts) | eligibility
    return boundary


def waitlist_boundary(permit_type: str, at: datetime, facts: PermitFacts) -> Boundary[PermitFact]:
    """Return what `due` rests on for a permit type."""
    return (
        queue_boundary(permit_type)
        | on(PolicyAdopted)
        | room_boundary((), permit_type, _term(permit_type, at, facts), facts)
    )


def _offering_boundary(command: OfferWaitlistPlace, facts: PermitFacts) -> Boundary[PermitFact]:
    return waitlist_boundary(command.permit_type, command.at, facts)


def waiting(permit_type: str, at: datetime, facts: PermitFacts) -> tuple[Waiting, ...]:
    """Return who is on the list of the type at the instant, first one first."""
    return facts.queues.queue(permit_type, at, _offer_for(at, facts))


def kept_from(account: str | None, permit_type: str, at: datetime, facts: PermitFacts) -> int:
    """Return how many places are not for the account: kept for others, or due to who joined before it."""
    queue = waiting(permit_type, at, facts)
    mine = next((one for one in queue if one.account == account), None)
    if mine is not None and mine.holds_a_place:
        return sum(one.holds_a_place for one in queue) - 1
    return len(queue) - (mine is not None)


def free_places(permit_type: str, at: datetime, facts: PermitFacts) -> int | None:
    """Return how many places of the type are neither taken for a term from now nor kept by an offer.

    `None` where the type is not bounded.
    """
    places = type_places(permit_type, at, facts.known)
    if places is None:
        return None
    kept = sum(one.holds_a_place for one in waiting(permit_type, at, facts))
    taken = most_taken(places, _term(permit_type, at, facts), facts.known)
    return max(0, places.capacity - taken - kept)


def due(
    permit_type: str, at: datetime, facts: PermitFacts
) -> tuple[LapseWaitlistPlace | OfferWaitlistPlace, ...]:
    """Return what automation has to do on the list at the instant: lapse offers, then make new ones."""
    expired = facts.queues.ran_out(permit_type, at, _offer_for(at, facts))
    lapses = tuple(LapseWaitlistPlace(at=at, account=one.account, permit_type=permit_type) for one in expired)
    in_line = [one for one in waiting(permit_type, at, facts) if not one.holds_a_place]
    free = free_places(permit_type, at, facts)
    offers = tuple(
        OfferWaitlistPlace(at=at, account=one.account, permit_type=permit_type)
        for one in (in_line if free is None else in_line[:free])
    )
    return (*lapses, *offers)


def next_instant(permit_type: str, after: datetime, facts: PermitFacts) -> datetime | None:
    """Return when next an offer runs out or a place frees by itself, after the instant."""
    open_until = (one.offered_until for one in waiting(permit_type, after, facts) if not one.accepted)
    holders = facts.known.holders(("permit_type", permit_type, "permit"), after)
    ends: Iterable[datetime | None] = (end for tenure in holders for _, end, _ in tenure.spans)
    later = [instant for instant in (*open_until, *ends) if instant is not None and instant > after]
    return min(later, default=None)


def _term(permit_type: str, at: datetime, facts: PermitFacts) -> Window:
    offer = facts.known.offer(permit_type, at)
    return Window(at, at + timedelta(days=offer.term_days if offer is not None else 1))


def _offer_for(at: datetime, facts: PermitFacts) -> timedelta:
    return facts.known.policy(at).waitlist_offer


def _join(command: JoinWaitlist, facts: PermitFacts) -> Sequence[Event]:
    _refuse_unknown_type(command, facts)
    if any(one.account == command.account for one in waiting(command.permit_type, command.at, facts)):
        return ()
    refuse_ineligible(command.account, command.permit_type, command.at, facts)
    return facts.queues.unless_said(fact_of(command, WaitlistJoined))


def _offer(command: OfferWaitlistPlace, facts: PermitFacts) -> Sequence[Event]:
    _refuse_unknown_type(command, facts)
    queue = waiting(command.permit_type, command.at, facts)
    mine = next((one for one in queue if one.account == command.account), None)
    if mine is not None and mine.holds_a_place:
        return ()
    if facts.queues.told_later(command.permit_type, command.account, command.at, WaitlistPlaceOffered):
        return ()
    if free_places(command.permit_type, command.at, facts) == 0:
        raise PermitTypeSoldOut(permit_type=command.permit_type)
    first = next((one for one in queue if not one.holds_a_place), None)
    if first is None or first.account != command.account:
        raise NotNextInLine(f"{command.account!r} is not the first in line.", permit_type=command.permit_type)
    expires = command.expires or command.at + _offer_for(command.at, facts)
    return facts.queues.unless_said(fact_of(command, WaitlistPlaceOffered, expires=expires))


def _accept(command: AcceptWaitlistPlace, facts: PermitFacts) -> Sequence[Event]:
    _refuse_unknown_type(command, facts)
    queue = waiting(command.permit_type, command.at, facts)
    mine = next((one for one in queue if one.account == command.account), None)
    if mine is not None and mine.accepted:
        return ()
    if mine is None or mine.offered_until is None:
        if facts.queues.lapsed(command.permit_type, command.account, command.at):
            raise OfferLapsed(permit_type=command.permit_type)
        raise NotYourOffer(permit_type=command.permit_type)
    return (fact_of(command, WaitlistPlaceAccepted),)


def _lapse(command: LapseWaitlistPlace, facts: PermitFacts) -> Sequence[Event]:
    _refuse_unknown_type(command, facts)
    offer_for = _offer_for(command.at, facts)
    expired = facts.queues.ran_out(command.permit_type, command.at, offer_for)
    if any(one.account == command.account for one in expired):
        if facts.queues.told_later(command.permit_type, command.account, command.at, WaitlistPlaceLapsed):
            return ()
        return (fact_of(command, WaitlistPlaceLapsed),)
    queue = waiting(command.permit_type, command.at, facts)
    if any(one.account == command.account and one.holds_a_place for one in queue):
        raise OfferStillOpen(permit_type=command.permit_type)
    return ()


def _leave(command: LeaveWaitlist, facts: PermitFacts) -> Sequence[Event]:
    queue = waiting(command.permit_type, command.at, facts)
    waits = any(one.account == command.account for one in queue)
    return facts.queues.unless_said(fact_of(command, WaitlistLeft)) if waits else ()


def _refuse_unknown_type(command: Any, facts: PermitFacts) -> None:
    if facts.known.offer(command.permit_type, command.at) is None:
        raise NoSuchPermitType(f"No permit type {command.permit_type!r} is offered.")


JOIN = Decider(JoinWaitlist, _joining_boundary, PermitFacts, evolve_permit_facts, _join)
OFFER = Decider(OfferWaitlistPlace, _offering_boundary, PermitFacts, evolve_permit_facts, _offer)
ACCEPT = Decider(AcceptWaitlistPlace, _boundary, PermitFacts, evolve_permit_facts, _accept)
LAPSE = Decider(LapseWaitlistPlace, _boundary, PermitFacts, evolve_permit_facts, _lapse)
LEAVE = Decider(LeaveWaitlist, _boundary, PermitFacts, evolve_permit_facts, _leave)
DECIDERS = (JOIN, OFFER, ACCEPT, LAPSE, LEAVE)
