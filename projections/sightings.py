"""Plate reads as they are to be understood now: which vehicle stood where, when, and what the screen said.

The client's id of a read counts only together with its device. A read's row is superseded when a person
corrects the plate. A read that arrives late takes its place by `at`; `known_from` tells when it became known.
When the key of its bucket is destroyed, its plate is redacted (`projections.redacting`).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from events.envelope import Recorded
from events.privacy import RetentionKeyDestroyed
from events.reads import PlateRead, PlateReadCorrected, PossibleMatchConfirmed
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import Row, Table

TABLE = Table(
    {
        "read": "text",
        "plate": "text",
        "zone": "text",
        "device": "text",
        "at": "timestamptz",
        "recorded": "timestamptz",
        "device_time": "timestamptz",
        "direction": "text",
        "online": "bool",
        "answer": "text",
        "answer_position": "int8",
        "answer_right": "text",
        "confidence": "float8",
        "officer": "text",
        "session": "text",
        "was": "text",
    },
    indexes=("plate, at", "zone, at", "device, at"),
)


class Sighting(NamedTuple):
    """The reads of one client's id, one a device, and each correction as `(plate, what it was)`."""

    reads: tuple[Recorded[PlateRead], ...] = ()
    corrections: tuple[tuple[str, str | None], ...] = ()


def evolve(state: Sighting, entry: Recorded[Any]) -> Sighting:
    """Fold a read, or what a person saw in its image; the first read of an id and device is the read."""
    match entry.event:
        case PlateRead():
            known = any(read.event.device == entry.event.device for read in state.reads)
            return state if known else state._replace(reads=(*state.reads, entry))
        case PlateReadCorrected():
            said = (entry.event.plate, entry.event.was)
        case PossibleMatchConfirmed():
            said = (entry.event.candidate, None)
        case _:
            return state
    return state._replace(corrections=(*state.corrections, said))


def _corrected(state: Sighting) -> dict[str, str]:
    """Return the plate that a person made of a read last, by its device.

    A correction says the id alone: of several reads it is about the one whose plate it says was wrong, else
    about the first.
    """
    plates: dict[str, str] = {read.event.device: read.event.plate for read in state.reads}
    corrected: dict[str, str] = {}
    for plate, was in state.corrections:
        device = max(plates, key=lambda device: plates[device] == was)
        plates[device] = corrected[device] = plate
    return corrected


def rows(read: str, state: Sighting, _: Neighbours) -> Iterable[Row]:
    """Return a row for each read of the id, none while only its correction has arrived."""
    corrected = _corrected(state) if state.reads else {}
    return tuple(_row(read, seen, corrected.get(seen.event.device)) for seen in state.reads)


def _row(read: str, seen: Recorded[PlateRead], corrected: str | None) -> Row:
    event = seen.event
    shown = event.shown
    return (
        read,
        corrected or event.plate,
        event.zone,
        event.device,
        event.at,
        seen.recorded,
        event.device_time,
        event.direction,
        event.online,
        shown.answer if shown else None,
        shown.position if shown else None,
        shown.right if shown else None,
        event.confidence,
        event.officer,
        event.session,
        event.plate if corrected else None,
    )


SIGHTINGS = Projection(
    name="sightings",
    version=2,
    table=TABLE,
    things=(
        Thing(
            "read",
            types(PlateRead, PlateReadCorrected, PossibleMatchConfirmed),
            lambda _: Sighting(),
            evolve,
        ),
        Thing("bucket", types(RetentionKeyDestroyed), lambda _: None, lambda state, _: state),
    ),
    rooted=frozenset({"read"}),
    rows=rows,
    kept=0,
)
