"""The execute loop: the only place where a decision meets the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from commands.decider import AnyDecider, Command, Decider, Refusal
from event_store.log import Log
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Appended, BoundaryMoved, Origin, Recorded

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
    facts = decider.initial()
    boundary: Boundary[E] = Boundary()
    entries: dict[int, Recorded[E]] = {}
    head = upto
    while True:
        wanted = decider.boundary(command, facts)
        missing: Boundary[E] = Boundary(wanted.criteria - boundary.criteria)
        if not missing.criteria:
            return facts, boundary, head or 0
        part = log.read(missing, upto=head)
        head = part.head if head is None else head
        entries.update((entry.position, entry) for entry in part.entries)
        boundary = Boundary(boundary.criteria | wanted.criteria)
        facts = decider.initial()
        for position in sorted(entries):
            facts = decider.evolve(facts, entries[position])


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


class _Folded(NamedTuple):
    """What a decision rested on, and the position that it was true at."""

    rests_on: Any
    """How it was folded, and what the boundary began with."""
    facts: Any
    boundary: Boundary[Any]
    head: int


class InTurn:
    """Decides one command after another; what the last one rested on is not read again for the next.

    Hundreds of places of a garage are offered to hundreds who wait by decisions that all rest on the same
    facts. Only the log says whether these still hold: where it refuses an append, they are read anew.
    """

    def __init__(self, log: Log) -> None:
        """Remember nothing yet."""
        self._log = log
        self._last: _Folded | None = None

    def execute[C: Command, E: Event, F](
        self,
        decider: Decider[C, E, F],
        command: C,
        command_id: UUID,
        origin: Origin | None = None,
        fingerprint: bytes = b"",
    ) -> Outcome:
        """Read, fold, decide, append; raises what `execute` raises."""
        origin = origin or Origin()
        rests_on = decider.initial, decider.evolve, decider.boundary(command, decider.initial()).criteria
        folded, events = self._remembered(decider, command, rests_on)
        for _ in range(ATTEMPTS):
            if folded is None:
                folded = _Folded(rests_on, *settle(self._log, decider, command))  # 1. read and fold
                events = decider.decide(command, folded.facts)  # 2. decide: the rules are pure
            if not events:
                self._last = folded
                return Outcome((), folded.head)  # 3. nothing new: fulfilled already
            append = Append(events, command_id, folded.boundary, folded.head, origin, fingerprint)
            try:
                done = self._log.append(append)  # 4. append, provided that nothing inside the boundary moved
            except BoundaryMoved:
                folded = None  # 5. it moved: decide on what is true now
                continue
            self._last = None if done.known_already else _grown(decider, folded, append, done)
            return Outcome(events, done.position, done.known_already)
        raise StillMoving

    def _remembered(
        self, decider: AnyDecider, command: Command, rests_on: object
    ) -> tuple[_Folded | None, Sequence[Event]]:
        """Return what is remembered and what follows from it; nothing where it does not lead to events."""
        known, self._last = self._last, None
        if known is None or known.rests_on != rests_on:
            return None, ()
        if decider.boundary(command, known.facts).criteria != known.boundary.criteria:
            return None, ()
        try:
            events = decider.decide(command, known.facts)
        except Refusal:
            return None, ()  # only facts that were just read may refuse
        return (known, events) if events else (None, ())


def _grown(decider: AnyDecider, folded: _Folded, append: Append, done: Appended) -> _Folded:
    """Fold what was just appended into what it rested on: nothing else moved that, the log says."""
    facts = folded.facts
    for entry in append.entries(done):
        if folded.boundary.covers(entry.event):
            facts = decider.evolve(facts, entry)
    return folded._replace(facts=facts, head=done.position)
