"""What the log adds to an event: where it stands, when it was accepted, who sent it and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from events.base import Event
from events.boundary import Boundary


@dataclass(frozen=True, slots=True)
class Recorded[E: Event]:
    """An event as the log holds it.

    `position` counts from 1 without gaps in the order of commits; `recorded` never decreases with it.
    """

    position: int
    recorded: datetime
    event: E
    actor: str
    channel: str
    command_id: UUID
    correlation: UUID | None = None
    causation: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a command, by which way in, and in which conversation."""

    actor: str = "system"
    channel: str = "internal"
    correlation: UUID | None = None
    causation: int | None = None


_NOBODY = Origin()


class Append(msgspec.Struct, frozen=True):
    """Events to be appended whole or not at all.

    The append is refused if an event after position `after` lies inside `boundary`, or any event at all
    inside `absent`: what was taken to be new without reading. `command_id` is unique in the log: a second
    append under it adds nothing and answers with the first one's positions. `fingerprint` is a digest of the
    request, to tell a repeat from another request under the same id.
    """

    events: Sequence[Event]
    command_id: UUID
    boundary: Boundary[Event] | None = None
    after: int = 0
    origin: Origin = _NOBODY
    fingerprint: bytes = b""
    absent: Boundary[Event] | None = None

    def entries(self, done: "Appended") -> Iterator[Recorded[Any]]:
        """Yield the entries that the append became."""
        origin = self.origin
        for position, event in enumerate(self.events, done.position - done.count + 1):
            yield Recorded(
                position,
                done.recorded,
                event,
                origin.actor,
                origin.channel,
                self.command_id,
                origin.correlation,
                origin.causation,
            )


class Appended(msgspec.Struct, frozen=True, gc=False):
    """What became of an append: its last position, its events' count, and whether it was there before."""

    position: int
    count: int
    recorded: datetime
    known_already: bool = False


class BoundaryMoved(Exception):
    """Something inside the decision's boundary was appended since it was read; decide again."""


class CommandIdReused(Exception):
    """The command id was used before, by a request with another body."""
