"""given(facts).when(command).then(events): a decision as a sentence.

`when` reads the boundary from an in-memory log until it stands still, as the execute loop does, and fails if
a given fact lies outside of it: a decision that does not look at a fact cannot rest on it. Facts that are
there only to show that they do not matter are given `beside`. `then` also decides the same command again on
its own outcome, which has to yield nothing new.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from commands.decider import Command, Refusal
from commands.registry import COMMANDS
from event_store.memory import MemoryLog
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Recorded
from write_api.execute import settle

NOBODY = UUID(int=0)
SECOND = timedelta(seconds=1)


def recorded(facts: Sequence[Event], start: int = 1) -> list[Recorded[Any]]:
    """Return the facts as a log would hold them, each recorded a second after it occurred."""
    return [
        Recorded(position, fact.at + SECOND, fact, "tests", "tests", NOBODY)
        for position, fact in enumerate(facts, start=start)
    ]


class Given:
    """A log with some facts in it, and what a command comes to on it."""

    def __init__(self, facts: Sequence[Event]) -> None:
        self._now = datetime.min.replace(tzinfo=UTC)
        self.log = MemoryLog(lambda: self._now)
        self._within = list(facts)
        self._append(facts)
        self.command: Command
        self.outcome: Sequence[Event] | Refusal

    def _append(self, facts: Sequence[Event]) -> None:
        for fact in facts:
            self._now = fact.at + SECOND
            self.log.append(Append((fact,), UUID(int=self.log.head() + 1)))

    def beside(self, *facts: Event) -> Self:
        """Add facts that do not matter to the decision."""
        self._append(facts)
        return self

    def when(self, command: Command) -> Self:
        """Decide the command, and check that every given fact lies inside its boundary."""
        self.command = command
        self.outcome, boundary = self._decide()
        for fact in self._within:
            assert boundary.covers(fact), f"{type(command).__name__} does not look at {fact!r}"
        return self

    def _decide(self) -> tuple[Sequence[Event] | Refusal, Boundary[Any]]:
        decider = COMMANDS[type(self.command).__name__]
        facts, boundary, _ = settle(self.log, decider, self.command)
        try:
            return decider.decide(self.command, facts), boundary
        except Refusal as refused:
            return refused, boundary

    @property
    def events(self) -> Sequence[Event]:
        """What was decided; fails where it was refused."""
        assert not isinstance(self.outcome, Refusal), f"refused: {self.outcome!r}"
        return self.outcome

    def then(self, *expected: Event | type[Refusal]) -> Self:
        """Check the events that were decided, or the rule that refused."""
        if len(expected) == 1 and isinstance(expected[0], type):
            assert isinstance(self.outcome, expected[0]), f"not refused so: {self.outcome!r}"
            assert str(self.outcome), "a refusal says in a sentence what it is about"
            return self
        assert list(self.events) == list(expected)
        return self.and_nothing_more()

    def and_nothing_more(self) -> Self:
        """Check that the same command, decided on its own outcome, yields nothing new."""
        self._append(self.events)
        again, _ = self._decide()
        assert not isinstance(again, Refusal), f"refused the second time: {again!r}"
        assert list(again) == []
        return self


def given(*facts: Event) -> Given:
    """Begin with a log that holds these facts, in this order."""
    return Given(facts)
