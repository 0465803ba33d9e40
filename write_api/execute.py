"""The execute loop: the only place where a decision meets the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from commands.decider import Command, Decider
from event_store.log import Log
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, BoundaryMoved, Origin, Recorded

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
    for _ in range(ATTEMPTS):
        facts, boundary, head = settle(log, decider, command)  # 1. read and fold what the decision rests on
        events = decider.decide(command, facts)  # 2. decide: the rules are pure
        if not events:
            return Outcome((), head)  # 3. nothing new: fulfilled already
        append = Append(events, command_id, boundary, head, origin or Origin(), fingerprint)
        try:
            appended = log.append(append)  # 4. append, provided that nothing inside the boundary moved
        except BoundaryMoved:
            continue  # 5. it moved: decide on what is true now
        return Outcome(events, appended.position, appended.known_already)
    raise StillMoving
