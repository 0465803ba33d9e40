"""Which waiting lists have something due: a place that freed, an offer that ran out."""

from collections.abc import Iterator
from datetime import datetime

from commands.decider import AnyDecider, Command
from commands.permit_facts import PermitFacts
from commands.registry import COMMANDS
from commands.waitlist import OFFER, due, next_instant, waiting, waitlist_boundary
from event_store.postgres import PostgresLog
from events.base import Event
from events.boundary import Criteria
from events.permits import (
    PermitPurchased,
    PermitTypeOffered,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPlaceAccepted,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)
from write_api.carrying import fresh
from write_api.folds import Fold

_TYPES = frozenset(
    {
        *(t.__name__ for t in (WaitlistJoined, WaitlistLeft, WaitlistPlaceAccepted, WaitlistPlaceLapsed)),
        *(t.__name__ for t in (WaitlistPlaceOffered, PermitPurchased, PermitTypeOffered)),
        *("PermitRenewed", "PermitCancelled", "PermitRevoked", "PermitReinstated", "PolicyAdopted"),
    }
)


class DueWaitlists:
    """The lists on which somebody waits; each is looked at after a touch, and when its instant came."""

    together = True

    def __init__(self, log: PostgresLog) -> None:
        """Begin before the first event; `refresh` reads what stands in the log."""
        self._log = log
        self._read_to = 0
        self._queued: set[str] = set()
        self._touched: set[str] = set()
        self._later: dict[str, datetime] = {}
        self._folds: dict[str, Fold] = {}

    def refresh(self) -> None:
        """Read the log from where it was read to, and note which lists are touched.

        An event that tells of a permit without its type (a cancellation) touches every list with a queue;
        there are few.
        """
        for page in self._log.pages(self._read_to, types=_TYPES):
            for row in page:
                entry = self._log.codec.revive(row)
                self._touch(entry.event)
                self._read_to = entry.position

    def ready(self, now: datetime) -> Iterator[tuple[AnyDecider, Command]]:
        """Yield what is to be decided by `now`: lapses first, then offers to who is next."""
        self._touched |= {name for name, instant in self._later.items() if instant <= now}
        names, self._touched = sorted(self._touched & self._queued), set()
        for name in names:
            facts = self._facts(name, now)
            for command in due(name, now, facts):
                yield COMMANDS[type(command).__name__], command
            self._wait(name, now, facts)

    def next_instant(self) -> datetime | None:
        """Return when an offer runs out next, or a place frees by itself."""
        return min(self._later.values(), default=None)

    def _touch(self, event: Event) -> None:
        name = getattr(event, "permit_type", None)
        if isinstance(event, WaitlistJoined | WaitlistPlaceOffered):
            self._queued.add(event.permit_type)
        if name is None:
            self._touched |= self._queued
        else:
            self._touched.add(str(name))

    def _wait(self, name: str, now: datetime, facts: PermitFacts) -> None:
        self._later.pop(name, None)
        instant = next_instant(name, now, facts) if waiting(name, now, facts) else None
        if instant is not None:
            self._later[name] = instant

    def _facts(self, name: str, now: datetime) -> PermitFacts:
        """Return what is due on a list follows from; what was read before is carried on."""

        def wanted(facts: PermitFacts) -> Criteria:
            return waitlist_boundary(name, now, facts).criteria

        fold = self._folds[name] = fresh(self._log, OFFER, wanted, self._folds.get(name))
        facts: PermitFacts = fold.facts
        return facts
