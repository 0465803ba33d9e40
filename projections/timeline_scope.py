"""What belongs on a timeline: the case, its vehicle, and everything that these lead to.

A citation's timeline holds what shares its vehicle (reads, rights, exemptions, watchlist, earlier citations
of that vehicle in that zone) and every payment, appeal, hearing, correction and fee linked to it; not the
setting up of zones and policies. A vehicle's timeline holds all of its citations as cases.

The tags of the log are the index of it: what is found leads to further tags, until nothing new turns up.
"""

from collections.abc import Iterator
from datetime import datetime

from commands.ledger import APPEAL_EVENTS, CITATION_EVENTS
from commands.rights import EXEMPTION_EVENTS, PERMIT_EVENTS, SESSION_EVENTS
from events.base import Event
from events.citations import CitationIssued, CitationVoided
from events.envelope import Recorded
from events.payments import (
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    PaymentAllocated,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentDishonoured,
    PaymentReceived,
    PaymentRefunded,
    PaymentSettled,
)
from events.permits import PermitTypeOffered
from events.policies import PolicyAdopted
from events.reads import PlateRead, PlateReadCorrected, PossibleMatchConfirmed, PossibleMatchDenied
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled, WatchlistHit
from events.vocabulary import is_readable

PAYMENTS = (
    PaymentAuthorised,
    PaymentReceived,
    PaymentCaptured,
    PaymentSettled,
    PaymentAllocated,
    PaymentRefunded,
    PaymentDishonoured,
    ChargebackOpened,
    ChargebackWon,
    ChargebackLost,
)
READS = (PlateRead, PlateReadCorrected, PossibleMatchConfirmed, PossibleMatchDenied)
WATCHLIST = (WatchlistEntryAdded, WatchlistEntryCancelled, WatchlistHit)
CASE = "case"
"""The kind of a citation that the timeline is of; `citation` is that of an earlier one."""

TYPES: dict[str, tuple[type[Event], ...]] = {
    CASE: (*CITATION_EVENTS, *APPEAL_EVENTS, *PAYMENTS),
    "citation": (CitationIssued, CitationVoided),
    "plate": (*READS, *WATCHLIST, *PERMIT_EVENTS, *SESSION_EVENTS, *EXEMPTION_EVENTS, CitationIssued),
    "read": READS,
    "permit": (*PERMIT_EVENTS, *PAYMENTS),
    "session": (*SESSION_EVENTS, *PAYMENTS),
    "exemption": EXEMPTION_EVENTS,
    "payment": PAYMENTS,
    "entry": WATCHLIST,
    "permit_type": (PermitTypeOffered,),
}
"""The events that are read of each kind of thing."""

BACKGROUND = (PolicyAdopted, PermitTypeOffered)
"""Read for what was known, and not shown."""

type Key = tuple[str, str]
"""Kind and name of a thing."""


def tag_of(key: Key) -> str:
    """Return the tag that the events of a thing carry."""
    kind, name = key
    return f"{'citation' if kind == CASE else kind}:{name}"


class Scope:
    """What a timeline is of, as far as the entries found so far tell."""

    def __init__(self, citation: str | None, plate: str | None) -> None:
        """Begin with a citation, or with a vehicle."""
        self.citation = citation
        self.plate = plate
        self.zone: str | None = None
        self._until: datetime | None = None
        self._basis: tuple[str, ...] = ()
        self._plates: dict[str, set[str]] = {}
        """The plates of all reads of an id, one a device."""

    @property
    def begin(self) -> Key:
        """What is read first."""
        return (CASE, self.citation) if self.citation is not None else ("plate", str(self.plate))

    def leads(self, entry: Recorded[Event]) -> Iterator[Key]:
        """Yield the things that an entry leads to."""
        event = entry.event
        match event:
            case CitationIssued() if event.citation == self.citation:
                self.plate, self.zone, self._until = event.plate, event.zone, event.at
                self._basis = event.basis
                if is_readable(event.plate):  # all that nobody could read is not one vehicle
                    yield "plate", event.plate
                yield from (("read", read) for read in event.basis)
            case CitationIssued():
                if self.shows(entry):
                    yield ("citation" if self.citation is not None else CASE), event.citation
            case PlateReadCorrected():
                yield "read", event.read
                if event.read in self._basis:
                    yield "plate", event.plate
            case PlateRead():
                self._plates.setdefault(event.read, set()).add(event.plate)
                yield "read", event.read
            case PossibleMatchConfirmed() | PossibleMatchDenied():
                yield "read", event.read
            case _:
                yield from _named(event)

    def shows(self, entry: Recorded[Event]) -> bool:
        """Tell whether an entry is shown: the background is not, nor is a citation elsewhere or later.

        Nor is the read of another vehicle to which another device gave the id of one of this vehicle.
        """
        event = entry.event
        if isinstance(event, BACKGROUND):
            return False
        if isinstance(event, PlateRead) and event.plate != self.plate:
            return self.plate not in self._plates[event.read]
        if isinstance(event, CitationIssued) and self.citation not in {None, event.citation}:
            here = event.zone == self.zone
            return here and (self._until is None or event.at <= self._until)
        return True


def _named(event: Event) -> Iterator[Key]:
    """Return the rights, payments and watchlist entries that an event names."""
    for field, kind, many in event.tagged:
        value = getattr(event, field)
        if value is not None and not many and kind in _FOLLOWED:
            yield kind, value


_FOLLOWED = frozenset({"permit", "session", "exemption", "payment", "entry", "permit_type"})
