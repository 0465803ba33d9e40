"""Plate reads as they are to be understood now: which vehicle stood where, when, and what the screen said.

A read's row is superseded when a person corrects the plate. A read that arrives late takes its place by
`at`; `known_from` tells when it became known. When the key of its bucket is destroyed, its plate is redacted
(`projections.redacting`).
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
    """A read, and the plate that a person made of it later."""

    read: Recorded[PlateRead] | None = None
    corrected: str | None = None


def evolve(state: Sighting, entry: Recorded[Any]) -> Sighting:
    """Fold a read, or what a person saw in its image; the first read of an identity is the read."""
    match entry.event:
        case PlateRead() if state.read is None:
            return state._replace(read=entry)
        case PlateReadCorrected():
            return state._replace(corrected=entry.event.plate)
        case PossibleMatchConfirmed():
            return state._replace(corrected=entry.event.candidate)
        case _:
            return state


def rows(read: str, state: Sighting, _: Neighbours) -> Iterable[Row]:
    """Return the one row of a read, none while only its correction has arrived."""
    if state.read is None:
        return ()
    event = state.read.event
    shown = event.shown
    return (
        (
            read,
            state.corrected or event.plate,
            event.zone,
            event.device,
            event.at,
            state.read.recorded,
            event.device_time,
            event.direction,
            event.online,
            shown.answer if shown else None,
            shown.position if shown else None,
            shown.right if shown else None,
            event.confidence,
            event.officer,
            event.session,
            event.plate if state.corrected else None,
        ),
    )


SIGHTINGS = Projection(
    name="sightings",
    version=1,
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
