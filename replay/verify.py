"""Every answer that an officer's screen ever showed, recomputed from the log at the position it rested on.

The log is read once, in order. Rights are folded into the same intervals that answered, each with the
positions between which it was known, so an answer is found among the intervals of its plate as they were
known then. `commands.standing` and `commands.confusable` decide, as they did for the screen; no read model is
asked. What an offline device showed rests on its list: a list knows the rights of a day around its making,
and a device need not look for near matches.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic
from typing import Any

from commands.confusable import filed_under, likeness, sought_under
from commands.policy import STANDARD, policy_at
from commands.right_intervals import Interval
from commands.rights import standing
from event_store.codec import Codec
from events.envelope import Recorded
from events.policies import PolicyAdopted
from events.reads import Answer, DeviceSynced, PlateRead, Shown
from events.vocabulary import REDACTED, Plate
from projections.cells import Broken
from projections.changes import Changes
from projections.connection import connect
from projections.device_list import AHEAD, BEFORE
from projections.fold import Fold, Nowhere
from projections.table import FOREVER, OPEN
from projections.validity import EVERY_ZONE, VALIDITY
from replay.pages import PAGE, ahead, head_of

TYPES = sorted(VALIDITY.types | {"PlateRead", "DeviceSynced"})
PENDING = 200_000
"""Answers without a right that are kept until their near matches are looked for together."""


@dataclass(frozen=True, slots=True)
class Differing:
    """An answer that the log does not lead to; `reason` says more where that is not the answer alone."""

    position: int
    read: str
    device: str
    plate: str
    shown: Shown
    answer: Answer | None
    right: str | None
    reason: str = ""


@dataclass(slots=True)
class Verified:
    """How many answers were recomputed, by what they rested on, and those that differ."""

    answers: int = 0
    offline: int = 0
    redacted: int = 0
    """Answers about plates that may be read no longer: nobody can tell what they rested on."""
    position: int = 0
    seconds: float = 0.0
    unreadable: list[int] = field(default_factory=list)
    differing: list[Differing] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every answer could be read, and is the one that was shown."""
        return not self.differing and not self.unreadable


class Knowledge:
    """The intervals of each plate, each with the positions from and until which it was known."""

    def __init__(self) -> None:
        """Know nothing."""
        self._fold = Fold(replace(VALIDITY, kept=2**62), complete=True)
        self._of: defaultdict[str, list[list[Any]]] = defaultdict(list)
        self._open: dict[tuple[str, int, int], list[Any]] = {}
        self._adopted: list[tuple[int, PolicyAdopted]] = []

    def learn(self, entries: Sequence[Recorded[Any] | Broken]) -> None:
        """Fold the next entries of the log."""
        changes: Changes = self._fold.apply(entries, Nowhere())
        opened: Sequence[Any] = changes.opened
        for row in opened:
            key, known_from, part, known_until, kind, right, plate, zone, start, until, ended_by = row
            end = None if until == FOREVER else until
            interval = Interval(
                right, kind, plate, None if zone == EVERY_ZONE else zone, start, end, ended_by
            )
            known = [known_from, known_until, interval]
            self._of[plate].append(known)
            if known_until == OPEN:
                self._open[key, known_from, part] = known
        for key, known_from, part, position in changes.closed:
            self._open.pop((key, known_from, part))[1] = position
        self._adopted += [
            (entry.position, entry.event)
            for entry in entries
            if not isinstance(entry, Broken) and isinstance(entry.event, PolicyAdopted)
        ]

    @property
    def plates(self) -> Iterator[str]:
        """Every plate that ever had a right."""
        yield from self._of

    def intervals(self, plate: str, known: int) -> list[Interval]:
        """Return the intervals of a plate as they were known at a position."""
        found = self._of.get(plate, ())
        return [interval for since, until, interval in found if since <= known < until]

    def grace(self, at: datetime, known: int) -> int:
        """Return the grace in force at an instant, by the policies known at a position, in minutes."""
        if not self._adopted:
            return STANDARD.grace_minutes
        return policy_at(
            (policy for position, policy in self._adopted if position <= known), at
        ).grace_minutes


class Verifier:
    """Recomputes answers as the log goes by."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.found = Verified()
        self._known = Knowledge()
        self._made: dict[tuple[str, int], datetime] = {}
        self._pending: list[tuple[Recorded[PlateRead], Shown]] = []

    def take(self, entries: Sequence[Recorded[Any] | Broken]) -> None:
        """Fold the next entries of the log, and recompute the answers among them."""
        self._known.learn(entries)
        for entry in entries:
            if isinstance(entry, Broken):
                self.found.unreadable += [entry.position] * (entry.wire_name == "PlateRead")
            elif isinstance(entry.event, PlateRead) and entry.event.shown is not None:
                if entry.event.plate == REDACTED:
                    self.found.redacted += 1
                    continue
                self._recompute(entry, entry.event.shown)
            elif isinstance(entry.event, DeviceSynced):
                self._made.setdefault((entry.event.device, entry.event.list_version), entry.event.at)
        if len(self._pending) >= PENDING:
            self.settle()

    def _recompute(self, entry: Recorded[PlateRead], shown: Shown) -> None:
        read = entry.event
        self.found.answers += 1
        self.found.offline += not read.online
        if shown.position >= entry.position:
            self._differs(entry, shown, None, None, "it names a position that the log had not come to")
            return
        known = self._known
        intervals = known.intervals(read.plate, shown.position)
        made = None if read.online else self._made.get((read.device, shown.position))
        if made is not None:
            intervals = [i for i in intervals if _is_listed(i, made)]
        grace = known.grace(read.at, shown.position)
        found = standing(intervals, read.plate, read.zone, read.at, grace)
        right = found.right.right if found.right else None
        if found.answer == "no_right" and shown.answer in {"no_right", "possible_match"} and not right:
            if read.online or shown.answer == "possible_match":
                self._pending.append((entry, shown))
        elif (found.answer, right) != (shown.answer, shown.right):
            self._differs(entry, shown, found.answer, right)

    def settle(self) -> None:
        """Look for the near matches of all plates that had no right, one pass over the plates for all."""
        by_key: defaultdict[str, set[str]] = defaultdict(set)
        for plate in {str(entry.event.plate) for entry, _ in self._pending}:
            for key in sought_under(Plate(plate)):
                by_key[key].add(plate)
        near: defaultdict[str, set[str]] = defaultdict(set)
        for other in self._known.plates:
            for key in filed_under(Plate(other)):
                for plate in by_key.get(key, ()):
                    if likeness(Plate(plate), Plate(other)) is not None:
                        near[plate].add(other)
        for entry, shown in self._pending:
            answer: Answer = "possible_match" if self._has_match(entry, shown, near) else "no_right"
            if answer != shown.answer or shown.right is not None:
                self._differs(entry, shown, answer, None)
        self._pending = []

    def _has_match(self, entry: Recorded[PlateRead], shown: Shown, near: Mapping[str, set[str]]) -> bool:
        read = entry.event
        return any(
            interval.zone in {read.zone, None}
            and interval.start <= read.at
            and (interval.end is None or interval.end > read.at)
            for other in near.get(read.plate, ())
            for interval in self._known.intervals(other, shown.position)
        )

    def _differs(
        self,
        entry: Recorded[PlateRead],
        shown: Shown,
        answer: Answer | None,
        right: str | None,
        reason: str = "",
    ) -> None:
        read = entry.event
        self.found.differing.append(
            Differing(entry.position, read.read, read.device, read.plate, shown, answer, right, reason)
        )


def verify(
    dsn: str,
    *,
    upto: int | None = None,
    page: int = PAGE,
    codec: Codec | None = None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Verified:
    """Recompute every answer in the log up to a position (its head), in memory that rights and plates fill.

    `tell(position, upto)` hears how far it has come.
    """
    began = monotonic()
    verifier = Verifier()
    with connect(dsn, name="parkledger verify") as connection:
        end = head_of(connection) if upto is None else min(upto, head_of(connection))
    for read in ahead(dsn, TYPES, end, page, codec):
        verifier.take(read.entries)
        tell(read.upto, end)
    verifier.settle()
    found = verifier.found
    found.differing.sort(key=lambda one: one.position)
    found.position, found.seconds = end, monotonic() - began
    return found


def _is_listed(interval: Interval, made: datetime) -> bool:
    """Tell whether a list that was made at an instant held the interval."""
    return interval.start < made + AHEAD and (interval.end is None or interval.end > made - BEFORE)
