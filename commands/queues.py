"""The waiting lists of permit types as their facts tell them: who waits, who was offered a place until when.

First in, first out, by when each joined. An offer holds a place until it expires; the account that let it
lapse has left the list. Buying a permit of the type ends the wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from events.base import Event
from events.envelope import Recorded
from events.permits import (
    PermitPurchased,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPlaceAccepted,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)

type WaitlistEvent = (
    WaitlistJoined | WaitlistPlaceOffered | WaitlistPlaceAccepted | WaitlistPlaceLapsed | WaitlistLeft
)

_RANK: Mapping[type[Event], int] = {
    WaitlistJoined: 0,
    WaitlistPlaceOffered: 1,
    WaitlistPlaceAccepted: 2,
    WaitlistPlaceLapsed: 3,
    WaitlistLeft: 4,
    PermitPurchased: 5,
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One account on a list; `offered_until` is `None` until a place is offered to it."""

    account: str
    joined_at: datetime
    offered_until: datetime | None = None
    accepted: bool = False

    @property
    def holds_a_place(self) -> bool:
        """Whether a place is kept for it."""
        return self.accepted or self.offered_until is not None


@dataclass(frozen=True, slots=True)
class Queues:
    """The facts of each permit type's list; put in the order in which they occurred when somebody asks."""

    facts: Mapping[str, tuple[WaitlistEvent | PermitPurchased, ...]] = field(default_factory=dict)
    _in_order: dict[str, tuple[WaitlistEvent | PermitPurchased, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def _ordered(self, permit_type: str) -> tuple[WaitlistEvent | PermitPurchased, ...]:
        """Return what was said of those who ever waited; most who buy never did."""
        known = self._in_order.get(permit_type)
        if known is None:
            facts = self.facts.get(permit_type, ())
            waited = {event.account for event in facts if not isinstance(event, PermitPurchased)}
            known = tuple(sorted((event for event in facts if event.account in waited), key=_order))
            self._in_order[permit_type] = known
        return known

    def unless_said[W: (WaitlistJoined, WaitlistLeft, WaitlistPlaceOffered)](self, event: W) -> tuple[W, ...]:
        """Return the event, or nothing where the list was told the very same before."""
        return () if event in self.facts.get(event.permit_type, ()) else (event,)

    def lapsed(self, permit_type: str, account: str, at: datetime) -> bool:
        """Tell whether the last offer to the account ran out by the instant, without its having answered."""
        told = [e for e in self._ordered(permit_type) if e.account == account and e.at <= at]
        if not told:
            return False
        last = told[-1]
        ran_out = isinstance(last, WaitlistPlaceOffered) and last.expires is not None and last.expires <= at
        return ran_out or isinstance(last, WaitlistPlaceLapsed)

    def queue(self, permit_type: str, at: datetime, offer_for: timedelta) -> tuple[Waiting, ...]:
        """Return who is on the list at the instant, first one first; accepted places stand in their turn.

        `offer_for` is how long an offer stands that does not say until when.
        """
        waiting = self._told(permit_type, at, offer_for)
        return tuple(one for one in waiting if not _ran_out(one, at))

    def ran_out(self, permit_type: str, at: datetime, offer_for: timedelta) -> tuple[Waiting, ...]:
        """Return the offers that ran out by the instant, and were not yet said to have lapsed."""
        return tuple(one for one in self._told(permit_type, at, offer_for) if _ran_out(one, at))

    def _told(self, permit_type: str, at: datetime, offer_for: timedelta) -> tuple[Waiting, ...]:
        waiting: dict[str, Waiting] = {}
        for event in self._ordered(permit_type):
            if event.at <= at:
                _tell(waiting, event, offer_for)
        return tuple(waiting.values())


def _ran_out(waiting: Waiting, at: datetime) -> bool:
    return not waiting.accepted and waiting.offered_until is not None and waiting.offered_until <= at


def evolve_queues(queues: Queues, entry: Recorded[WaitlistEvent | PermitPurchased]) -> Queues:
    """Return the lists after one more event, in whatever order they arrive."""
    event = entry.event
    if event.permit_type is None or event.account is None:
        return queues
    told = (*queues.facts.get(event.permit_type, ()), event)
    return Queues({**queues.facts, event.permit_type: told})


def _order(event: WaitlistEvent | PermitPurchased) -> tuple[datetime, int, str]:
    return event.at, _RANK[type(event)], event.account or ""


def _tell(waiting: dict[str, Waiting], event: WaitlistEvent | PermitPurchased, offer_for: timedelta) -> None:
    account = event.account or ""
    known = waiting.get(account)
    match event:
        case WaitlistJoined():
            waiting.setdefault(account, Waiting(account, event.at))
        case WaitlistPlaceOffered():
            until = event.expires or event.at + offer_for
            waiting[account] = replace(known or Waiting(account, event.at), offered_until=until)
        case WaitlistPlaceAccepted():
            waiting[account] = replace(known or Waiting(account, event.at), accepted=True)
        case WaitlistPlaceLapsed() | WaitlistLeft() | PermitPurchased():
            waiting.pop(account, None)
