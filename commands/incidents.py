"""Incidents: opened, noted and linked while open, locked when closed, amended ever after.

A hit on the watchlist is no incident; a person opens one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from commands.decider import Command, Decider, Refusal, fact_of
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.security import (
    IncidentAmended,
    IncidentClosed,
    IncidentLinked,
    IncidentNoted,
    IncidentOpened,
)
from events.vocabulary import AccountId, IncidentId, Plate, PlateTag, Text, Word, parse_plate


class _OnIncident(Command):
    """What every entry of an incident may say."""

    incident: IncidentId
    summary: Text | None = None
    plate: PlateTag | None = None
    account: AccountId | None = None
    place: Text | None = None
    links: Annotated[tuple[Word, ...], Field(max_length=200)] | None = None


class OpenIncident(_OnIncident):
    """Begin a record of something that happened."""


class NoteIncident(_OnIncident):
    """Add an entry to the dispatch log."""


class LinkIncident(_OnIncident):
    """Link a further vehicle, person, place or case."""


class AmendIncident(_OnIncident):
    """Add an amendment; what it amends stays as it is."""


class CloseIncident(_OnIncident):
    """Lock the report."""


class NoSuchIncident(Refusal):
    """No incident of that name was ever opened."""


class IncidentAlreadyOpened(Refusal):
    """An incident of that name was opened before, with other particulars."""


class IncidentLocked(Refusal):
    """The report is locked: it can only be amended."""


type IncidentEvent = IncidentOpened | IncidentNoted | IncidentLinked | IncidentAmended | IncidentClosed


@dataclass(frozen=True, slots=True)
class Incidents:
    """The entries of each incident, in the order in which they were recorded."""

    entries: Mapping[str, tuple[IncidentEvent, ...]] = field(default_factory=dict)

    def opened(self, incident: str) -> IncidentOpened | None:
        """Return how the incident was opened."""
        found = self.entries.get(incident, ())
        return next((entry for entry in found if isinstance(entry, IncidentOpened)), None)

    def is_locked(self, incident: str) -> bool:
        """Tell whether the report was closed."""
        return any(isinstance(entry, IncidentClosed) for entry in self.entries.get(incident, ()))


def _boundary(command: _OnIncident, _: Incidents) -> Boundary[IncidentEvent]:
    return on(
        IncidentOpened,
        IncidentNoted,
        IncidentLinked,
        IncidentAmended,
        IncidentClosed,
        incident=command.incident,
    )


def _evolve(incidents: Incidents, entry: Recorded[IncidentEvent]) -> Incidents:
    event = entry.event
    found = (*incidents.entries.get(event.incident, ()), event)
    return Incidents({**incidents.entries, event.incident: found})


def _open(command: OpenIncident, incidents: Incidents) -> Sequence[Event]:
    opened, before = fact_of(command, IncidentOpened), incidents.opened(command.incident)
    if before is None:
        return (opened,)
    if before.model_copy(update={"at": command.at}) != opened:
        raise IncidentAlreadyOpened(f"An incident {command.incident!r} was opened before.")
    return ()


def _note(command: NoteIncident, incidents: Incidents) -> Sequence[Event]:
    return _added(fact_of(command, IncidentNoted), incidents)


def _link(command: LinkIncident, incidents: Incidents) -> Sequence[Event]:
    return _added(fact_of(command, IncidentLinked), incidents)


def _amend(command: AmendIncident, incidents: Incidents) -> Sequence[Event]:
    return _added(fact_of(command, IncidentAmended), incidents, locked=True)


def _added(
    entry: IncidentNoted | IncidentLinked | IncidentAmended, incidents: Incidents, *, locked: bool = False
) -> Sequence[Event]:
    _refuse_unopened(entry.incident, incidents)
    if entry in incidents.entries[entry.incident]:
        return ()
    if incidents.is_locked(entry.incident) and not locked:
        raise IncidentLocked(f"The report of the incident {entry.incident!r} is locked.")
    return (entry,)


def _close(command: CloseIncident, incidents: Incidents) -> Sequence[Event]:
    _refuse_unopened(command.incident, incidents)
    return () if incidents.is_locked(command.incident) else (fact_of(command, IncidentClosed),)


def _refuse_unopened(incident: str, incidents: Incidents) -> None:
    if incidents.opened(incident) is None:
        raise NoSuchIncident(f"No incident {incident!r} was ever opened.", incident=incident)


OPEN = Decider(OpenIncident, _boundary, Incidents, _evolve, _open)
NOTE = Decider(NoteIncident, _boundary, Incidents, _evolve, _note)
LINK = Decider(LinkIncident, _boundary, Incidents, _evolve, _link)
AMEND = Decider(AmendIncident, _boundary, Incidents, _evolve, _amend)
CLOSE = Decider(CloseIncident, _boundary, Incidents, _evolve, _close)
DECIDERS = (OPEN, NOTE, LINK, AMEND, CLOSE)


def plates_linked(event: IncidentEvent) -> Iterator[Plate]:
    """Yield the vehicles that an entry links: its own, and those among its links (`plate:ON B2`, `ON B2`)."""
    if event.plate is not None:
        yield event.plate
    for link in event.links or ():
        kind, colon, named = link.partition(":")
        try:
            plate = parse_plate(named if colon and kind == "plate" else link)
        except ValueError:
            continue
        if colon or plate == link:  # `Lot 4` is a place, however much it is written like a plate
            yield plate
