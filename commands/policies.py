"""Policies: adopted as a named version with an effective time."""

from collections.abc import Mapping, Sequence

from commands.decider import Command, Decider, Refusal
from commands.policy import Policy
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.policies import PolicyAdopted
from events.vocabulary import Instant, Word


class AdoptPolicy(Command):
    """Decide by these values from `effective_from`, at once where none is given."""

    policy: Word
    effective_from: Instant | None = None
    values: Mapping[str, int | bool | str] = {}


class PolicyAlreadyAdopted(Refusal):
    """A policy version of that name was adopted before, with other values or another effective time."""


type Adopted = tuple[PolicyAdopted, ...]


def _boundary(command: AdoptPolicy, _: Adopted) -> Boundary[PolicyAdopted]:
    return on(PolicyAdopted, policy=command.policy)


def _nothing() -> Adopted:
    return ()


def _evolve(adopted: Adopted, entry: Recorded[PolicyAdopted]) -> Adopted:
    return (*adopted, entry.event)


def _adopt(command: AdoptPolicy, adopted: Adopted) -> Sequence[Event]:
    Policy.of(command.values, command.policy)
    since = command.effective_from or command.at
    values = dict(command.values)
    for known in adopted:
        if known.values == values and command.effective_from in {None, known.effective_from}:
            return ()
        raise PolicyAlreadyAdopted(f"The policy version {command.policy!r} was adopted before.")
    return (PolicyAdopted(at=command.at, policy=command.policy, effective_from=since, values=values),)


ADOPT_POLICY = Decider(AdoptPolicy, _boundary, _nothing, _evolve, _adopt)
DECIDERS = (ADOPT_POLICY,)
