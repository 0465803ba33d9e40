"""The order of entries leaves no trace in facts that promise so, as far as any decision can tell."""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.decider import AnyDecider, Command, Refusal
from commands.registry import COMMANDS
from event_store.memory import MemoryLog
from events.envelope import Recorded
from tests.commands.garage_days import commands, days
from write_api.execute import settle

FOLDED = [name for name, decider in COMMANDS.items() if decider.folds_in_any_order]


def test_permits_sessions_and_waiting_lists_promise_it() -> None:
    assert {"PurchasePermit", "RenewPermit", "AddPlate", "JoinWaitlist", "StartSession"} <= set(FOLDED)


def come_to(decider: AnyDecider, command: Command, facts: Any) -> object:
    """Return what is decided on the facts, and what the decision would rest on."""
    wanted = decider.boundary(command, facts)
    try:
        return wanted, decider.decide(command, facts)
    except Refusal as refusal:
        return wanted, refusal.rule


def folded(decider: AnyDecider, entries: Sequence[Recorded[Any]]) -> Any:
    facts = decider.initial()
    for entry in entries:
        facts = decider.evolve(facts, entry)
    return facts


@settings(max_examples=150)
@given(days, commands, st.randoms(use_true_random=False))
def test_a_decision_does_not_depend_on_the_order_in_which_facts_were_folded(
    story: MemoryLog, command: Command, random: Random
) -> None:
    decider = COMMANDS[type(command).__name__]
    assert decider.folds_in_any_order
    facts, boundary, _ = settle(story, decider, command)
    entries = list(story.read(boundary).entries)
    random.shuffle(entries)
    assert come_to(decider, command, folded(decider, entries)) == come_to(decider, command, facts)


@settings(max_examples=100)
@given(days, commands)
def test_knowing_more_than_was_asked_for_does_no_harm(story: MemoryLog, command: Command) -> None:
    """What was folded for another moment stays among the facts, though nobody follows it any more."""
    decider = COMMANDS[type(command).__name__]
    assert decider.folds_in_any_order
    facts, boundary, _ = settle(story, decider, command)
    entries = list(story.read(boundary).entries)
    later = command.model_copy(update={"at": command.at.replace(year=2027)})
    _, wider, _ = settle(story, decider, later)
    more = list(story.read(boundary | wider).entries)
    assert len(more) >= len(entries)
    assert come_to(decider, command, folded(decider, more)) == come_to(decider, command, facts)
