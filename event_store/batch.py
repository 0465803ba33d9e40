"""A batch: appends that go in one transaction because none of them rests on what another of them adds.

An append whose boundary covers an event of a member, or that carries a member's command id, is a rival of
that member: it is held back until the member's outcome is known, which then decides it too.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from event_store.packing import array, bigint_of, blob, int4, int8
from event_store.recent import Recent
from event_store.waiting import Answer, Waiting, any_of, repeated
from events.boundary import Criterion
from events.envelope import Appended, BoundaryMoved

MAX_APPENDS = 512
MAX_EVENTS = 4_000

ANY_HEAD = -1
"""Said where a batch expects no particular head."""

EVENT_COLUMNS = (
    "smallint", "text", "smallint", "timestamptz", "text", "jsonb", "bytea",  # step to digest
    "text", "text", "uuid", "bigint", "bytea",  # actor to fingerprint
)  # fmt: skip
"""Types of the columns of events, in the order of log.append's parameters and of `Waiting.rows`."""

_KINDS = ("uuid", "integer", "bigint", "text", "text", "integer", *EVENT_COLUMNS)
_ARRAYS = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_KINDS, 2))
APPEND = f"select head, instant, known, moved from log.append($1::bigint, {_ARRAYS})"


class Verdict(NamedTuple):
    """What log.append returned: the head before the batch, its instant, and who was not taken, from 1.

    Without an instant nothing was done: another process had appended, so that the head was a surprise.
    """

    head: int
    instant: datetime | None
    known: Sequence[int]
    moved: Sequence[int]


class Batch:
    """Members, in the order in which they came, and the rivals that each of them holds back."""

    def __init__(self) -> None:
        """Start empty."""
        self.members: list[Waiting] = []
        self.rivals: list[tuple[Waiting, Waiting]] = []
        """Each rival with the member that it waits for."""
        self._size = 0
        self._commands: dict[UUID, Waiting] = {}
        self._types: dict[str, Waiting] = {}
        self._tags: set[str] = set()

    @property
    def is_full(self) -> bool:
        """Whether another append has to wait for the next batch."""
        return self._size >= MAX_EVENTS or len(self.members) + len(self.rivals) >= MAX_APPENDS

    @property
    def everybody(self) -> list[Waiting]:
        """The members, then their rivals."""
        return [*self.members, *(rival for rival, _ in self.rivals)]

    def admit(self, waiting: Waiting) -> None:
        """Take the append in, as a member or as a member's rival."""
        member = self._rival_of(waiting)
        if member is not None:
            self.rivals.append((waiting, member))
            return
        self.members.append(waiting)
        self._size += waiting.size
        self._commands[waiting.append.command_id] = waiting
        for event in waiting.events:
            self._types.setdefault(event.type, waiting)
            self._tags.update(event.tags)

    def _rival_of(self, waiting: Waiting) -> Waiting | None:
        twin = self._commands.get(waiting.append.command_id)
        if twin or not self.members:
            return twin
        return next(filter(None, map(self._covered, waiting.criteria)), None)

    def _covered(self, criterion: Criterion) -> Waiting | None:
        """Return a member with an event that the criterion covers."""
        if not criterion.tags:
            found = (self._types.get(name) for name in criterion.types or self._types)
            return next(filter(None, found), None)
        if not criterion.tags <= self._tags:
            return None  # so it is almost always; only what may lie inside is worth a closer look
        for member in self.members:
            for event in member.events:
                if criterion.tags.issubset(event.tags) and criterion.covers(event.type, criterion.tags):
                    return member
        return None

    def parameters(self, recent: Recent | None = None) -> list[bytes]:
        """Return the parameters of `APPEND`, in binary format, without the conditions that memory settles.

        Rivals lend their command ids only, to be looked up in the same round trip.
        """
        members, commands = self.members, self.everybody
        open_checks = [
            (n, after, criterion)
            for n, m in enumerate(members, 1)
            for after, criterion in zip(m.afters, m.criteria, strict=True)
            if recent is None or not recent.settles(criterion, after)
        ]
        size = len(open_checks)
        settled = sum(len(m.criteria) for m in members) - size
        expected = recent.head if recent and recent.head is not None and settled else ANY_HEAD
        owned = [int4(n) * m.size for n, m in enumerate(members, 1)]
        rows = zip(EVENT_COLUMNS, zip(*[m.rows for m in members], strict=True), strict=True)
        return [
            bigint_of(expected),
            array("uuid", len(commands), [blob(w.append.command_id.bytes) for w in commands]),
            array("integer", size, [int4(n) for n, _, _ in open_checks]),
            array("bigint", size, [int8(after) for _, after, _ in open_checks]),
            array("text", size, [any_of(criterion.tags) for _, _, criterion in open_checks]),
            array("text", size, [any_of(criterion.types) for _, _, criterion in open_checks]),
            array("integer", self._size, owned),
            *(array(kind, self._size, column) for kind, column in rows),
        ]

    def judge(
        self, verdict: Verdict, recent: Recent
    ) -> tuple[list[tuple[Waiting, Answer]], list[Waiting], list[Waiting]]:
        """Return the answers, those whose first answer has to be looked up, and those to be tried again."""
        recent.begin(verdict.head)
        known, moved = set(verdict.known), set(verdict.moved)
        outcomes: dict[Waiting, Answer] = {}
        position, instant = verdict.head, verdict.instant or datetime.max.replace(tzinfo=UTC)
        for n, member in enumerate(self.members, 1):
            if n in known:
                continue
            if n in moved:
                outcomes[member] = BoundaryMoved()
            else:
                position += member.size
                recent.learn(position, member.events)
                outcomes[member] = Appended(position, member.size, instant)
        answers = list(outcomes.items())
        again: list[Waiting] = []
        for n, (rival, member) in enumerate(self.rivals, len(self.members) + 1):
            answer = None if n in known else _rival_answer(rival, member, outcomes.get(member))
            if answer:
                answers.append((rival, answer))
            elif n not in known:
                again.append(rival)
        return answers, [self.everybody[n - 1] for n in sorted(known)], again


def _rival_answer(rival: Waiting, member: Waiting, outcome: Answer | None) -> Answer | None:
    """Return what the member's outcome means for its rival; None where the rival has to be tried itself."""
    if not isinstance(outcome, Appended):
        return None
    if rival.append.command_id == member.append.command_id:
        return repeated(rival.append, outcome, member.append.fingerprint)
    return BoundaryMoved() if rival.append.after <= outcome.position - outcome.count else None
