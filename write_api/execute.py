"""The execute loop: the only place where a decision meets the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from commands.decider import AnyDecider, Command, Decider, Refusal
from event_store.log import Log, Slice
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, BoundaryMoved, Origin, Recorded
from write_api.folds import NO_CRITERIA, Criteria, Fold, inside, newer_of, with_entries

ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: its events (none where nothing changed) and the position it rests on."""

    events: Sequence[Event]
    position: int
    known_already: bool = False


class StillMoving(RuntimeError):
    """The decision's boundary moved at every attempt; the caller may try again later."""


def settle[C: Command, E: Event, F](
    log: Log, decider: Decider[C, E, F], command: C, upto: int | None = None
) -> tuple[F, Boundary[E], int]:
    """Return the facts of a command, the whole boundary that they rest on, and the head they were read at.

    That is the head of the log, or the position `upto`. The boundary is read, folded and asked for again
    until it stands still; see `commands.decider`.
    """
    fold = _from_scratch(log, decider, command, upto)
    return fold.facts, Boundary(fold.followed), fold.head


def execute[C: Command, E: Event, F](
    log: Log,
    decider: Decider[C, E, F],
    command: C,
    command_id: UUID,
    origin: Origin | None = None,
    fingerprint: bytes = b"",
) -> Outcome:
    """Read, fold, decide, append; and decide again when the boundary moved meanwhile.

    Raises:
        Refusal: if a rule of the domain forbids the command.
        CommandIdReused: if the command id stands for another request.
        LogUnavailable: if the log cannot be reached; nothing was appended.
        StillMoving: if the boundary moved at every attempt.

    """
    return InTurn(log).execute(decider, command, command_id, origin, fingerprint)


class InTurn:
    """Decides one command after another; what they have in common is not read again for the next.

    Hundreds of places of a garage are offered to hundreds who wait, and lapse for those who do not answer, by
    decisions that rest on the same facts but for a few. Only the log says whether these still hold: where it
    refuses an append, what is newer is read.
    """

    def __init__(self, log: Log) -> None:
        """Remember nothing yet."""
        self._log = log
        self._last: tuple[object, Fold] | None = None

    def execute[C: Command, E: Event, F](
        self,
        decider: Decider[C, E, F],
        command: C,
        command_id: UUID,
        origin: Origin | None = None,
        fingerprint: bytes = b"",
    ) -> Outcome:
        """Read, fold, decide, append; raises what `execute` raises."""
        origin, way = origin or Origin(), _way(decider)
        fold, events = self._remembered(decider, command)
        for _ in range(ATTEMPTS):
            if fold is None:
                fold = self._fresh(decider, command)  # 1. read and fold
                self._last = way, fold
                events = decider.decide(command, fold.facts)  # 2. decide: the rules are pure
            if not events:
                return Outcome((), fold.head)  # 3. nothing new: fulfilled already
            append = Append(events, command_id, Boundary(fold.followed), fold.head, origin, fingerprint)
            try:
                done = self._log.append(append)  # 4. append, provided that nothing inside the boundary moved
            except BoundaryMoved:
                fold = None  # 5. it moved: decide on what is true now
                continue
            told = inside(fold.followed, append.entries(done))
            self._last = None if done.known_already else (way, fold.newer(decider, told, done.position))
            return Outcome(events, done.position, done.known_already)
        raise StillMoving

    def _remembered(self, decider: AnyDecider, command: Command) -> tuple[Fold | None, Sequence[Event]]:
        """Return what is remembered and what follows from it; nothing where it does not lead to events."""
        fold = self._last[1] if self._last is not None and self._last[0] == _way(decider) else None
        fold = _wider(self._log, decider, command, fold) if fold is not None else None
        if fold is None:
            return None, ()
        self._last = _way(decider), fold
        try:
            events = decider.decide(command, fold.facts)
        except Refusal:
            return None, ()  # only facts that were just read may refuse
        return (fold, events) if events else (None, ())

    def _fresh(self, decider: AnyDecider, command: Command) -> Fold:
        """Return the facts as of now: what is remembered with what is newer, or all of it."""
        known, self._last = self._last, None
        if known is not None and known[0] == _way(decider) and decider.folds_in_any_order:
            fold = known[1].following(decider.boundary(command, known[1].facts).criteria)
            newer = newer_of(self._log, fold.followed, fold.head)
            grown = _wider(self._log, decider, command, fold.newer(decider, newer.entries, newer.head))
            if grown is not None:
                return grown
        return _from_scratch(self._log, decider, command)


def _way(decider: AnyDecider) -> object:
    """Return what two deciders have in common that make the same facts of the same entries."""
    return decider.initial, decider.evolve


def _wider(log: Log, decider: AnyDecider, command: Command, fold: Fold) -> Fold | None:
    """Return the fold with what else the command rests on, as of its head; nothing if it is of no use."""
    wanted = decider.boundary(command, fold.facts).criteria
    if not decider.folds_in_any_order:
        return fold if wanted == fold.followed else None
    fold = fold.following(wanted)
    while unknown := decider.boundary(command, fold.facts).criteria - fold.followed:
        entries: list[Recorded[Any]] = []
        for criteria, after in fold.missing(unknown):
            entries += log.read(Boundary(criteria), after=after, upto=fold.head).entries
        if fold.foreign > fold.own:
            return None  # too much of what only others asked for
        fold = fold.wider(decider, unknown, entries)
    return fold


def _from_scratch(log: Log, decider: AnyDecider, command: Command, upto: int | None = None) -> Fold:
    """Return the facts folded from everything in the boundary, read until it stands still."""
    facts = decider.initial()
    covered: Criteria = NO_CRITERIA
    entries: dict[int, Recorded[Any]] = {}
    head = upto
    while missing := decider.boundary(command, facts).criteria - covered:
        part: Slice[Any] = log.read(Boundary(missing), upto=head)
        head = part.head if head is None else head
        entries.update((entry.position, entry) for entry in part.entries)
        covered |= missing
        facts = decider.initial()
        for position in sorted(entries):
            facts = decider.evolve(facts, entries[position])
    shared = with_entries(covered, entries.values())
    return Fold(facts, head or 0, shared, covered - shared, weight=len(entries))
