"""Which citations have to be looked at again, because something that they may rest on was appended.

A citation is touched by itself, and by whatever is said of its vehicle's rights, of its reads, of its zone's
rules and of the policies. Whether anything follows from it, the decider tells.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from commands.decider import AnyDecider, Command
from commands.reviews import REEXAMINE_CITATION, ReexamineCitation
from commands.rights import PAYMENT_EVENTS, RIGHT_EVENTS
from event_store.postgres import PostgresLog
from events.appeals import AppealDecided
from events.base import Event
from events.boundary import Boundary, Criterion
from events.citations import CitationIssued, CitationVoided
from events.policies import PolicyAdopted
from events.reads import PlateRead, PlateReadCorrected, PossibleMatchConfirmed, PossibleMatchDenied
from events.vocabulary import is_readable
from events.zones import ZoneRulesSet

SAID_LATER = timedelta(minutes=10)
"""A read that follows a citation by more than this was not what it was written on."""

_READS = (PlateRead, PlateReadCorrected, PossibleMatchConfirmed, PossibleMatchDenied)
_CASES = (CitationIssued, CitationVoided, AppealDecided)
_RIGHTS = frozenset(t.__name__ for t in (*RIGHT_EVENTS, *PAYMENT_EVENTS))
_TYPES = frozenset({*_RIGHTS, *(t.__name__ for t in (*_READS, *_CASES, ZoneRulesSet, PolicyAdopted))})
_OWNERS = ("permit", "session", "exemption")


class DueReviews:
    """The citations that something was appended about since they were last looked at.

    What stood in the log at `reviewed` was looked at before; citations up to there are only remembered.
    """

    together = False

    def __init__(self, log: PostgresLog, reviewed: int = 0) -> None:
        """Begin before the first event; `refresh` reads what stands in the log."""
        self._log = log
        self._read_to = 0
        self._reviewed = reviewed
        self._issued: dict[str, CitationIssued] = {}
        self._by_plate: defaultdict[str, set[str]] = defaultdict(set)
        self._by_read: defaultdict[str, set[str]] = defaultdict(set)
        self._touched: dict[str, None] = {}

    @property
    def position(self) -> int:
        """The position up to which all that was touched has been looked at, once `ready` is exhausted."""
        return self._read_to

    def refresh(self) -> None:
        """Read the log from where it was read to, and note which citations are touched."""
        for page in self._log.pages(self._read_to, types=_TYPES):
            for row in page:
                event = self._log.codec.revive(row).event
                self._read_to = row[0]
                if isinstance(event, CitationIssued):
                    self._remember(event)
                if self._read_to > self._reviewed:
                    self._touched |= dict.fromkeys(sorted(self._touches(event)))

    def ready(self, now: datetime) -> Iterator[tuple[AnyDecider, Command]]:
        """Yield each citation that has to be looked at."""
        names, self._touched = list(self._touched), {}
        for name in names:
            yield REEXAMINE_CITATION, ReexamineCitation(at=now, citation=name)

    def next_instant(self) -> datetime | None:
        """Return nothing: time alone changes no evidence."""
        return None

    def _remember(self, event: CitationIssued) -> None:
        self._issued[event.citation] = event
        if is_readable(event.plate):
            self._by_plate[event.plate].add(event.citation)
        for read in event.basis:
            self._by_read[read].add(event.citation)

    def _touches(self, event: Event) -> set[str]:
        match event:
            case CitationIssued() | CitationVoided():
                issued = self._issued.get(event.citation)
                near = self._by_plate.get(issued.plate, set()) if issued else set()
                return near if len(near) > 1 else set()  # one alone repeats nothing, and is not decided yet
            case AppealDecided():
                return {event.citation}
            case PlateRead():
                seen = self._by_plate.get(event.plate, set())
                return self._by_read.get(event.read, set()) | {
                    name for name in seen if event.at <= self._issued[name].at + SAID_LATER
                }
            case PlateReadCorrected() | PossibleMatchConfirmed() | PossibleMatchDenied():
                return self._by_read.get(event.read, set()) | self._of(_plates(event))
            case ZoneRulesSet() | PolicyAdopted():
                return self._since(event)
            case _:
                return self._of(self._vehicles(event)) if self._issued else set()

    def _of(self, plates: Iterable[str]) -> set[str]:
        return {name for plate in plates for name in self._by_plate.get(plate, ())}

    def _since(self, event: ZoneRulesSet | PolicyAdopted) -> set[str]:
        zone = event.zone if isinstance(event, ZoneRulesSet) else None
        return {
            name
            for name, issued in self._issued.items()
            if issued.at >= event.effective_from and zone in {None, issued.zone}
        }

    def _vehicles(self, event: Event) -> set[str]:
        """Return the plates of the rights that an event tells of, as far as the log names them."""
        plates, named = _plates(event), _named(event, ("payment",))
        owners = _named(event, _OWNERS)
        for entry in self._tagged(named):
            plates |= _plates(entry)
            owners |= _named(entry, _OWNERS)
        for entry in self._tagged(owners):
            plates |= _plates(entry)
        return plates

    def _tagged(self, tags: set[str]) -> Iterator[Event]:
        if tags:
            boundary: Boundary[Any] = Boundary(frozenset(Criterion(_RIGHTS, frozenset({t})) for t in tags))
            yield from (entry.event for entry in self._log.read(boundary).entries)


def _plates(event: Event) -> set[str]:
    return {tag.partition(":")[2] for tag in event.tags() if tag.startswith("plate:")}


def _named(event: Event, kinds: tuple[str, ...]) -> set[str]:
    return {tag for tag in event.tags() if tag.partition(":")[0] in kinds}
