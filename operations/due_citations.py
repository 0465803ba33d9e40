"""Which citations have something due, by a log that grows: folded once, then again only where touched."""

import heapq
from collections.abc import Iterator
from datetime import datetime
from itertools import batched

from commands.decider import Command, Decider
from commands.ledger import (
    LEDGER_EVENTS,
    PAYMENT_EVENTS,
    CitationLedger,
    LedgerEvent,
    due,
    evolve_ledger,
    ledger_boundary,
    next_due,
)
from commands.stages_due import next_stage, stages_due
from event_store.postgres import PostgresLog
from events.base import Event
from events.policies import PolicyAdopted
from events.zones import ZoneOpened
from projections.cases import dockets

TOGETHER = 256
"""Citations whose dockets are read in one round trip."""

_TYPES = frozenset(t.__name__ for t in LEDGER_EVENTS)


class SettleDues(Command):
    """Do what is due on the citation by `at`; automation's own wish, which no client can utter."""

    citation: str


type SettlingDues = Decider[SettleDues, LedgerEvent, CitationLedger]


def settling(citation: str) -> SettlingDues:
    """Return the decider of what is due on one citation; deciding it again yields nothing new."""
    return Decider(
        command=SettleDues,
        boundary=lambda command, docket: ledger_boundary(command.citation, docket),
        initial=lambda: CitationLedger(citation),
        evolve=evolve_ledger,
        decide=lambda command, docket: (*due(docket, command.at), *stages_due(docket, command.at)),
    )


class DueCitations:
    """The citations that automation has to look at: those touched since, and those whose instant came."""

    together = False

    def __init__(self, log: PostgresLog) -> None:
        """Begin before the first event; `refresh` reads what stands in the log."""
        self._log = log
        self._read_to = 0
        self._touched: dict[str, None] = {}
        self._later: list[tuple[datetime, str]] = []
        self._of_payment: dict[str, set[str]] = {}
        self._known: set[str] = set()

    def refresh(self) -> None:
        """Read the log from where it was read to, and note which citations are touched."""
        for page in self._log.pages(self._read_to, types=_TYPES):
            for row in page:
                entry = self._log.codec.revive(row)
                self._touch(entry.event)
                self._read_to = entry.position

    def ready(self, now: datetime) -> Iterator[tuple[SettlingDues, SettleDues]]:
        """Yield what is to be decided on each citation on which something is due by `now`.

        Whoever decides it touches the citation, so that it is looked at again after the next `refresh`.
        """
        while self._later and self._later[0][0] <= now:
            self._touched[heapq.heappop(self._later)[1]] = None
        names, self._touched = list(self._touched), {}
        for some in batched(names, TOGETHER):
            for docket in dockets(self._log, some):
                if due(docket, now) or stages_due(docket, now):
                    yield settling(docket.citation), SettleDues(at=now, citation=docket.citation)
                else:
                    self._wait(docket, now)

    def next_instant(self) -> datetime | None:
        """Return the next instant at which something falls due by the passing of time alone."""
        return self._later[0][0] if self._later else None

    def _wait(self, docket: CitationLedger, now: datetime) -> None:
        instants = [at for at in (next_due(docket), next_stage(docket)) if at is not None and at > now]
        if instants:
            heapq.heappush(self._later, (min(instants), docket.citation))

    def _touch(self, event: Event) -> None:
        if isinstance(event, PolicyAdopted | ZoneOpened):
            self._touched |= dict.fromkeys(self._known)
            return
        names = {getattr(event, field, None) for field in ("citation", "duplicate_of", "moved_from")} - {None}
        citations = {str(name) for name in names}
        if isinstance(event, PAYMENT_EVENTS):
            together = self._of_payment.setdefault(event.payment, set()) if citations else None
            if together is not None:
                together |= citations
            citations |= self._of_payment.get(event.payment, set())
        self._known |= citations
        self._touched |= dict.fromkeys(sorted(citations))
