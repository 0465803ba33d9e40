"""The execute loop: the only place where a decision meets the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from commands.decider import AnyDecider, Command, Decider, Refusal
from event_store.log import Log
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, BoundaryMoved, Origin
from write_api.carrying import Wanted, fresh, from_scratch, wider
from write_api.folds import Fold, inside

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
    fold = from_scratch(log, decider, _wanted(decider, command), upto)
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
                wanted = _wanted(decider, command)
                fold = fresh(self._log, decider, wanted, self._known(decider))  # 1. read and fold
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
        fold = self._known(decider)
        fold = wider(self._log, decider, _wanted(decider, command), fold) if fold is not None else None
        if fold is None:
            return None, ()
        self._last = _way(decider), fold
        try:
            events = decider.decide(command, fold.facts)
        except Refusal:
            return None, ()  # only facts that were just read may refuse
        return (fold, events) if events else (None, ())

    def _known(self, decider: AnyDecider) -> Fold | None:
        return self._last[1] if self._last is not None and self._last[0] == _way(decider) else None


def _wanted(decider: AnyDecider, command: Command) -> Wanted:
    return lambda facts: decider.boundary(command, facts).criteria


def _way(decider: AnyDecider) -> object:
    """Return what two deciders have in common that make the same facts of the same entries."""
    return decider.initial, decider.evolve
