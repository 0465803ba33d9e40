"""What every log can do, whichever store it stands on; `tests/contracts` holds for each of them."""

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from event_store.codec import Codec, Row
from event_store.unavailable import LogUnavailable
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Appended, Recorded

__all__ = ["Log", "LogUnavailable", "Reading", "Slice"]


@dataclass(frozen=True, slots=True)
class Slice[E: Event]:
    """The entries of a boundary in the order of positions, and the head of the log when they were read."""

    entries: Sequence[Recorded[E]]
    head: int


@dataclass(frozen=True, slots=True)
class Reading[E: Event]:
    """What one of several readings asks for: a boundary, after one position and up to another."""

    boundary: Boundary[E]
    after: int = 0
    upto: int | None = None


class Log(Protocol):
    """One immutable, totally ordered sequence of events.

    Positions count from 1 without gaps in the order of commits, and `recorded` never decreases.
    """

    codec: Codec
    """Turns what the log keeps into events, with the keys of this log."""

    def read[E: Event](
        self,
        boundary: Boundary[E] | None = None,
        *,
        after: int = 0,
        upto: int | None = None,
        limit: int | None = None,
    ) -> Slice[E]:
        """Return what lies in the boundary (all where none is given) after one position and up to another."""
        ...

    def read_many(self, readings: Sequence[Reading[Any]]) -> Sequence[Slice[Any]]:
        """Return what each reading asks for, in their order, all as of one head, in one round trip."""
        ...

    def pages(
        self,
        after: int = 0,
        *,
        types: Collection[str] | None = None,
        upto: int | None = None,
        size: int = 5000,
    ) -> Iterator[Sequence[Row]]:
        """Yield what stands in the log now as raw rows, `size` at a time, of all types or of some.

        `codec.revive` turns a row into its entry; whoever needs less reads it from the row's payload.
        """
        ...

    def submit(self, append: Append) -> Future[Appended]:
        """Queue an append; the future answers once it is durable, or refused.

        The future raises:
            BoundaryMoved: if an event after `append.after` lies inside `append.boundary`, or any event inside
                `append.absent`.
            CommandIdReused: if the command id was used with another fingerprint.
            LogUnavailable: if the database could not be reached, or its answer never came. Sending the append
                again is safe: its command id is taken once.
            Unstorable: if the database cannot keep what an event holds; see `event_store.codec`.

        """
        ...

    def append(self, append: Append) -> Appended:
        """Append and wait until it is durable; raises what `submit`'s future raises."""
        ...

    async def append_async(self, append: Append) -> Appended:
        """Append without blocking the event loop; raises what `submit`'s future raises."""
        ...

    def find(self, command_id: UUID) -> Appended | None:
        """Return what an earlier append under this command id came to, if there was one."""
        ...

    def head(self) -> int:
        """Return the position of the newest event, 0 in an empty log."""
        ...

    def position_at(self, instant: datetime) -> int:
        """Return the newest position recorded at or before the instant, 0 where there is none."""
        ...

    def follow(self, after: int = 0) -> Iterator[Sequence[Recorded[Event]]]:
        """Yield batches in order for ever: what stands there, then what is appended; never skipping any.

        An empty batch is yielded at least every second, so that a follower can prove that it is alive.
        """
        ...

    def close(self) -> None:
        """Finish what is queued and let go of all connections."""
        ...
