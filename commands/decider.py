"""What a decision is made of: four pure functions, and the refusals that they answer with.

A decider's `boundary` names the events that the decision rests on. It sees the facts folded so far, so
that a boundary may widen: a citation's begins at the plate and grows by the permits that carry it. It must
only ever grow with the facts; `execute` reads until it stands still, and appends on the condition that
nothing inside the whole of it has moved.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from events.base import Event
from events.boundary import Boundary
from events.envelope import Recorded
from events.vocabulary import Instant


class Command(BaseModel):
    """A wish, in the imperative of the event that it may lead to. `at` is when it was uttered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Instant


class Refusal(Exception):
    """A rule of the domain refuses the command. The class is named as the rule; its docstring explains it."""

    def __init__(self, detail: str = "", **facts: object) -> None:
        """Keep the sentence for the person who asked, and the facts that the rule rests on."""
        super().__init__(detail or (type(self).__doc__ or "").strip())
        self.facts = facts

    @property
    def rule(self) -> str:
        """The name that clients and scenario files know the refusal by."""
        return type(self).__name__

    @property
    def detail(self) -> str:
        """The sentence that a person reads."""
        return str(self)


_IN_ANY_ORDER: set[Callable[..., Any]] = set()


def in_any_order[V: Callable[..., Any]](evolve: V) -> V:
    """Promise of an `evolve` that entries give the same facts in whatever order they are folded.

    Then what is remembered of a garage's thousands of facts can be folded on with the few older ones that
    only one command rests on; `tests/commands/test_facts_in_any_order.py` holds it to its word.
    """
    _IN_ANY_ORDER.add(evolve)
    return evolve


@dataclass(frozen=True, slots=True)
class Decider[C: Command, E: Event, F]:
    """How a command is decided: `decide(command, fold of the boundary)`.

    `evolve` returns the facts after one more entry and never changes those it was given in place.
    `decide` returns the new events, none where the command is fulfilled already, and raises a `Refusal`
    where a rule forbids it. Deciding the same command on its own outcome yields nothing new.
    """

    command: type[C]
    boundary: Callable[[C, F], Boundary[E]]
    initial: Callable[[], F]
    evolve: Callable[[F, Recorded[E]], F]
    decide: Callable[[C, F], Sequence[Event]]
    name: ClassVar[str] = "decider"

    @property
    def folds_in_any_order(self) -> bool:
        """Whether `evolve` promises that the order of entries leaves no trace in the facts."""
        return self.evolve in _IN_ANY_ORDER


type AnyDecider = Decider[Any, Any, Any]


def fact_of[E: Event](command: Command, event: type[E], **further: object) -> E:
    """Return the event of what a command says in fields of the same names, with `further` fields over it."""
    values = command.__dict__
    said = {name: values[name] for name in _shared(type(command), event)}
    return event(**said | further)


@cache
def _shared(command: type[Command], event: type[Event]) -> tuple[str, ...]:
    return tuple(name for name in event.model_fields if name in command.model_fields)
