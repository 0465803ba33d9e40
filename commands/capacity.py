"""Capacity: how many rights of a zone or a permit type are in force at once, over an interval.

A right takes its place from its start to its end, paid for or not, and keeps it while it is suspended; it is
free again once the right expired, ended, was cancelled or revoked. What takes a place is found by the tag of
the zone or the type. What frees one (and an extension reported without its zone) carries only the right's own
identity, so such rights are followed one by one, where that can change the answer: those that overlap once
the places are all taken or kept, and the few that lapsed last, in case they were extended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from commands.right_collection import Key, KnownRights, Tenure
from commands.right_facts import Kind
from events.boundary import Boundary, Criterion, on
from events.permits import PermitCancelled, PermitPurchased, PermitReinstated, PermitRenewed, PermitRevoked
from events.sessions import SessionEnded, SessionExtended, SessionStarted

FOLLOWED = 50
"""How many lapsed rights are looked at for an extension that does not name its zone."""

_LAPSES: Mapping[Kind, timedelta] = {"permit": timedelta(days=400), "session": timedelta(days=1)}
"""For how long after its end a right may be extended without its zone being named."""

type TakesPlace = (
    PermitPurchased
    | PermitRenewed
    | PermitReinstated
    | PermitRevoked
    | PermitCancelled
    | SessionStarted
    | SessionExtended
    | SessionEnded
)


@dataclass(frozen=True, slots=True)
class Places:
    """So many places of a zone, or of a permit type."""

    of: Literal["zone", "permit_type"]
    name: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Window:
    """The interval `[start, end)` that a place is wanted for; an open end is `None`."""

    start: datetime
    end: datetime | None

    def meets(self, start: datetime, end: datetime | None) -> bool:
        """Tell whether it overlaps another interval."""
        return (self.end is None or start < self.end) and (end is None or self.start < end)


def bought_for(
    start: datetime, until: datetime, at: datetime, payment: str | None, known: KnownRights
) -> Window:
    """Return when what is bought at the instant needs a place: it reaches back to its payment at most.

    A payment that is not known yet may turn out to be as early as the start.
    """
    paid = known.payments.get(payment) if payment is not None else None
    since = at if payment is None else (paid.counts_from if paid is not None else None) or start
    return Window(max(start, min(since, until)), until)


def places_boundary(
    places: Places, window: Window, known: KnownRights, *, kept: int = 0
) -> Boundary[TakesPlace]:
    """Return what decides whether a place is free, by what is known so far; so many places may be `kept`."""
    boundary: Boundary[TakesPlace] = (
        on(
            PermitPurchased,
            PermitRenewed,
            PermitReinstated,
            SessionStarted,
            SessionExtended,
            zone=places.name,
        )
        if places.of == "zone"
        else on(PermitPurchased, PermitRenewed, PermitReinstated, permit_type=places.name)
    )
    followed = [_criteria_of(key) for key in _followed(places, window, known, kept)]
    return Boundary(boundary.criteria.union(*followed))  # at once: a full garage follows a thousand rights


@lru_cache(maxsize=20_000)
def _criteria_of(key: Key) -> frozenset[Criterion]:
    """Return what tells that a right, whose place and type are known, ended otherwise than it was to."""
    kind, right = key
    if kind == "permit":
        return on(PermitRenewed, PermitRevoked, PermitCancelled, PermitReinstated, permit=right).criteria
    return on(SessionExtended, SessionEnded, session=right).criteria


def has_room(
    places: Places, window: Window, known: KnownRights, besides: Key | None = None, *, kept: int = 0
) -> bool:
    """Tell whether a place is free all through the window; `kept` places are not for this one.

    `besides` is the right that the question is asked for: its own place is not in its way.
    """
    overlapping = sum(
        window.meets(start, end)
        for tenure in _holders(places, known, window.start)
        if tenure.key != besides
        for start, end, _ in tenure.spans
    )
    free = places.capacity - kept
    return overlapping < free or most_taken(places, window, known, besides) < free


def most_taken(places: Places, window: Window, known: KnownRights, besides: Key | None = None) -> int:
    """Return how many places are taken at once, at the fullest instant of the window."""
    changes: list[tuple[datetime, int]] = []
    for tenure in _holders(places, known, window.start):
        if tenure.key == besides:
            continue
        for start, end, _ in tenure.spans:
            if window.meets(start, end):
                changes.append((max(start, window.start), 1))
                if end is not None:
                    changes.append((end, -1))
    taken = fullest = 0
    for _, change in sorted(changes):
        taken += change
        fullest = max(fullest, taken)
    return fullest


def _holders(
    places: Places, known: KnownRights, since: datetime, kinds: tuple[Kind, ...] = ("permit", "session")
) -> Iterator[Tenure]:
    """Yield who holds such places by a right of these kinds that is not over by an instant."""
    for kind in kinds:
        yield from known.holders((places.of, places.name, kind), since)


def _followed(places: Places, window: Window, known: KnownRights, kept: int) -> Iterator[Key]:
    """Yield the rights to follow one by one.

    What stopped a right is left out of account, so that more facts never take one out of the boundary.
    """
    overlapping: list[Key] = []
    lapsed: list[tuple[datetime, Key]] = []
    for kind, lapse in _LAPSES.items():
        for tenure in _holders(places, known, window.start - lapse, (kind,)):
            if window.meets(tenure.start, tenure.last_end):
                overlapping.append(tenure.key)
            if tenure.first_end <= window.start < tenure.first_end + lapse:
                lapsed.append((tenure.first_end, tenure.key))
    left = places.capacity - kept
    if len(overlapping) >= left:
        yield from overlapping
    if len(overlapping) + len(lapsed) >= left:
        yield from (key for _, key in sorted(lapsed)[-FOLLOWED:])
