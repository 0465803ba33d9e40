"""A fold that is carried on holds every entry of what was ever asked for once, whatever it followed when."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from commands.decider import Decider
from event_store.memory import MemoryLog
from events.boundary import Boundary, Criterion, on
from events.envelope import Append, Recorded
from events.payments import PaymentAuthorised, PaymentRefunded
from events.vocabulary import Cents
from write_api.folds import Criteria, Fold, Folds, Key, inside, with_entries

NOON = datetime(2026, 3, 5, 17, tzinfo=UTC)


def _told(facts: tuple[int, ...], entry: Recorded[Any]) -> tuple[int, ...]:
    return (*facts, entry.position)


POSITIONS: Any = Decider(PaymentAuthorised, None, tuple, _told, None)  # type: ignore[arg-type, type-var]
"""Folds the positions of entries; nothing else of it is used."""

CRITERIA: Sequence[Criterion] = [
    one
    for boundary in (
        on(PaymentAuthorised, payment="P"),
        on(PaymentRefunded, payment="P"),
        on(PaymentAuthorised, PaymentRefunded, payment="P"),
        on(PaymentAuthorised, PaymentRefunded, payment="Q"),
        on(PaymentAuthorised, permit="T"),
        on(PaymentRefunded),
    )
    for one in boundary.criteria
]

_events = st.one_of(
    st.builds(
        lambda payment, permit: PaymentAuthorised(at=NOON, payment=payment, amount=Cents(5), permit=permit),
        st.sampled_from("PQ"),
        st.sampled_from(["T", None]),
    ),
    st.builds(
        lambda payment: PaymentRefunded(at=NOON, payment=payment, amount=Cents(5)), st.sampled_from("PQ")
    ),
)
_steps = st.tuples(st.lists(_events, max_size=4), st.frozensets(st.sampled_from(CRITERIA)))


def carried_on(log: MemoryLog, fold: Fold, wanted: Criteria) -> Fold:
    """Return the fold as of now, following what is wanted, as the settling of commands does it."""
    fold = fold.following(wanted)
    newer = log.read(Boundary(fold.followed), after=fold.head)
    fold = fold.newer(POSITIONS, newer.entries, newer.head)
    unknown = wanted - fold.followed
    before = min((fold.past.get(one, 0) for one in unknown), default=0)
    entries = log.read(Boundary(unknown), after=before, upto=fold.head).entries if unknown else []
    return fold.wider(POSITIONS, unknown, entries)


@given(st.lists(_steps, max_size=8))
def test_every_entry_is_folded_once_however_often_its_criteria_come_and_go(
    steps: Sequence[tuple[Sequence[Any], Criteria]],
) -> None:
    log, fold, asked = MemoryLog(), Fold(()), frozenset[Criterion]()
    for events, wanted in steps:
        for event in events:
            log.append(Append([event], uuid4()))
        fold = carried_on(log, fold, wanted)
        asked |= wanted
        entries = log.read(Boundary(wanted)).entries if wanted else []
        assert fold.head == log.head()
        assert fold.followed == wanted
        assert fold.shared == with_entries(wanted, entries)
        assert {entry.position for entry in entries} <= set(fold.facts)
        assert len(fold.facts) == len(set(fold.facts)) == fold.weight
        everything = log.read().entries
        assert set(fold.facts) <= {entry.position for entry in inside(asked, everything)}


def key(name: str) -> Key:
    """Return a key for a fold that rests on one payment."""
    return Key(tuple, _told, on(PaymentAuthorised, payment=name).criteria)


def test_memory_lets_go_of_what_was_used_longest_ago_when_folds_grow_too_heavy() -> None:
    folds = Folds(most=10, heaviest=100, heavy=50)
    folds.remember(key("A"), Fold((), 1, weight=60))
    folds.remember(key("B"), Fold((), 1, weight=30))
    assert folds.get(key("A")) is not None
    folds.remember(key("C"), Fold((), 1, weight=30))
    assert folds.get(key("B")) is None
    folds.remember(key("C"), Fold((), 2, weight=200))
    assert folds.get(key("A")) is None
    assert folds.get(key("C")) is not None  # the latest one stays, however heavy


def test_memory_keeps_the_fold_that_knows_more() -> None:
    folds = Folds(most=10, heaviest=100, heavy=50)
    folds.remember(key("A"), Fold("newer", 7))
    folds.remember(key("A"), Fold("older", 5))
    found = folds.get(key("A"))
    assert found is not None
    assert found.facts == "newer"


def test_who_rests_on_more_finds_the_largest_heavy_fold_of_a_part_of_it() -> None:
    folds, one, two = Folds(most=3, heaviest=10_000, heavy=50), key("A"), key("B")
    both = one._replace(shared=one.shared | two.shared)
    three = both._replace(shared=both.shared | key("C").shared)
    for name, weight in ((one, 60), (both, 60), (two, 40)):
        folds.remember(name, Fold((), 1, weight=weight))
    assert folds.parts(three) == [both, one]
    assert folds.parts(both) == [one]
    folds.remember(three, Fold((), 1, weight=60))
    assert folds.parts(three) == [both]  # the first one was used longest ago
