"""Folds that are read from the log, or carried on where one is remembered, by who may wait for it."""

from collections.abc import Callable
from typing import Any

from commands.decider import AnyDecider
from event_store.log import Log
from event_store.widening import folding, widened
from events.boundary import Boundary, Criteria
from events.envelope import Recorded
from write_api.folds import Fold, newer_of

type Wanted = Callable[[Any], Criteria]
"""What is rested on, by the facts that are known so far; it only ever grows with them."""


def fresh(log: Log, decider: AnyDecider, wanted: Wanted, known: Fold | None = None) -> Fold:
    """Return the facts as of now: what is known with what is newer, or all of it."""
    if known is not None and decider.folds_in_any_order:
        fold = known.following(wanted(known.facts))
        newer = newer_of(log, fold.followed, fold.head)
        grown = wider(log, decider, wanted, fold.newer(decider, newer.entries, newer.head))
        if grown is not None:
            return grown
    return from_scratch(log, decider, wanted)


def wider(log: Log, decider: AnyDecider, wanted: Wanted, fold: Fold) -> Fold | None:
    """Return the fold with what else is wanted, as of its head; nothing if it is of no use."""
    asked = wanted(fold.facts)
    if not decider.folds_in_any_order:
        return fold if asked == fold.followed else None
    fold = fold.following(asked)
    while unknown := wanted(fold.facts) - fold.followed:
        if fold.foreign > fold.own:
            return None  # too much of what only others asked for
        entries: list[Recorded[Any]] = []
        for criteria, after in fold.missing(unknown):
            entries += log.read(Boundary(criteria), after=after, upto=fold.head).entries
        fold = fold.wider(decider, unknown, entries)
    return fold


def from_scratch(log: Log, decider: AnyDecider, wanted: Wanted, upto: int | None = None) -> Fold:
    """Return the facts folded from everything that is wanted, up to a position or the head."""
    return Fold.of(
        widened(log, lambda facts: Boundary(wanted(facts)), folding(decider.initial, decider.evolve), upto)
    )
