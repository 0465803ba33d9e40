"""The waiting lists of permit types as their facts tell them: who waits, who was offered a place until when.

First in, first out, by when each joined. An offer holds a place until it expires; the account that let it
lapse has left the list. Buying a permit of the type ends the wait.
"""

from collections.abc import Iterable, Mapping
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
type Told = WaitlistEvent | PermitPurchased

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

    facts: Mapping[str, tuple[Recorded[Told], ...]] = field(default_factory=dict)
    _in_order: dict[str, tuple[Told, ...]] = field(default_factory=dict, compare=False, repr=False)

    def _ordered(self, permit_type: str) -> tuple[Told, ...]:
        """Return what was said of those who ever waited; most who buy never did."""
        known = self._in_order.get(permit_type)
        if known is None:
            facts = self.facts.get(permit_type, ())
            waited = {e.event.account for e in facts if not isinstance(e.event, PermitPurchased)}
            in_order = sorted((e for e in facts if e.event.account in waited), key=_order)
            known = tuple(e.event for e in in_order)
            self._in_order[permit_type] = known
        return known

    def ever(self, permit_type: str) -> int:
        """Return how many accounts ever waited for the type: no more places than these are kept at once."""
        return len({event.account for event in self._ordered(permit_type)})

    def unless_said[W: (WaitlistJoined, WaitlistLeft, WaitlistPlaceOffered)](self, event: W) -> tuple[W, ...]:
        """Return the event, or nothing where the list was told the very same before."""
        said = (entry.event for entry in self.facts.get(event.permit_type, ()))
        return () if event in said else (event,)

    def lapsed(self, permit_type: str, account: str, at: datetime) -> bool:
        """Tell whether the last offer to the account ran out by the instant, without its having answered."""
        told = [e for e in self._ordered(permit_type) if e.account == account and e.at <= at]
        if not told:
            return False
        last = told[-1]
        ran_out = isinstance(last, WaitlistPlaceOffered) and last.expires is not None and last.expires <= at
        return ran_out or isinstance(last, WaitlistPlaceLapsed)

    def told_later(
        self,
        permit_type: str,
        account: str,
        at: datetime,
        kind: type[WaitlistPlaceOffered | WaitlistPlaceLapsed],
    ) -> bool:
        """Tell whether the same was done for the account as of a later instant.

        Two automations whose clocks differ by a moment see the same thing due: who is slower to decide may be
        the one whose clock is behind, and would not find at its instant what the other did.
        """
        told = (e for e in self._ordered(permit_type) if e.account == account and e.at > at)
        return any(isinstance(event, kind) for event in told)

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


def in_line(queue: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """Return who of a list still waits, first one first; who accepted a place does so no longer."""
    return tuple(one for one in queue if not one.accepted)


def evolve_queues(queues: Queues, entry: Recorded[Told]) -> Queues:
    """Return the lists after one more event, in whatever order they arrive."""
    event = entry.event
    if event.permit_type is None or event.account is None:
        return queues
    told = (*queues.facts.get(event.permit_type, ()), entry)
    return Queues({**queues.facts, event.permit_type: told})


def _order(entry: Recorded[Told]) -> tuple[datetime, int, int]:
    """Order by what occurred first; of those who joined at the same instant the log's order decides."""
    return entry.event.at, _RANK[type(entry.event)], entry.position


def _tell(waiting: dict[str, Waiting], event: Told, offer_for: timedelta) -> None:
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
