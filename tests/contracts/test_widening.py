"""A boundary that widens with the facts it leads to is read whole, as of one position, from every log."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from event_store.log import Log, Slice
from event_store.widening import ROUNDS, Widening, folding, settled, widen_together, widened
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.reads import PlateRead
from tests.contracts.facts import append, names, read

type Reads = tuple[Recorded[PlateRead], ...]


def chain(first: str) -> Any:
    """Return the boundary of a read's name, of the plate that it tells, of the read named so, and so on."""

    def boundary(known: Reads) -> Boundary[PlateRead]:
        wanted = on(PlateRead, read=first)
        for entry in known:
            wanted |= on(PlateRead, read=entry.event.plate.removeprefix("ON "))
        return wanted

    return boundary


def kept(entries: Iterable[Recorded[PlateRead]]) -> Reads:
    return tuple(entries)


def told(log: Log, *steps: str) -> None:
    for name, follows in zip(steps, (*steps[1:], "END"), strict=True):
        append(log, read(name, f"ON {follows}"))


def test_what_was_read_leads_to_what_is_read_next(any_log: Log) -> None:
    told(any_log, "A1", "B2", "C3")
    append(any_log, read("D4"))
    assert names(settled(any_log, chain("A1"), kept)) == ["A1", "B2", "C3"]


def test_facts_are_folded_in_the_order_of_the_log_whatever_led_to_them(any_log: Log) -> None:
    told(any_log, "C3")
    told(any_log, "A1", "C3X")
    append(any_log, read("C3X", "ON C3"))
    assert names(settled(any_log, chain("A1"), kept)) == ["C3", "A1", "C3X", "C3X"]


def test_all_is_read_up_to_one_position(any_log: Log) -> None:
    told(any_log, "A1", "B2", "C3")
    assert names(settled(any_log, chain("A1"), kept, upto=2)) == ["A1", "B2"]


def test_what_is_appended_between_two_rounds_is_not_seen(any_log: Log) -> None:
    told(any_log, "A1", "B2")
    known = Widening(chain("A1"), kept)
    while known.missing:
        part: Slice[PlateRead] = any_log.read(Boundary(known.missing), upto=known.head)
        append(any_log, read("B2", "ON LATE"))
        known.take(part)
    assert names(known.facts) == ["A1", "B2"]
    assert known.head == 2


def test_nothing_wanted_is_nothing_read(any_log: Log) -> None:
    told(any_log, "A1")
    known = widened(any_log, lambda _: Boundary(), kept)
    assert (known.facts, known.head, known.covered) == ((), None, frozenset())


def test_several_are_read_together_as_of_one_head(any_log: Log) -> None:
    told(any_log, "A1", "B2")
    told(any_log, "X1", "Y2", "Z3")
    growing = [Widening(chain(first), kept) for first in ("A1", "X1", "NEVER")]
    widen_together(any_log, growing)
    assert [names(one.facts) for one in growing] == [["A1", "B2"], ["X1", "Y2", "Z3"], []]
    assert {one.head for one in growing} == {5}


def test_a_boundary_that_never_stands_still_is_at_fault(any_log: Log) -> None:
    def boundary(asked: int) -> Boundary[PlateRead]:
        wanted = on(PlateRead, read="A1")
        for number in range(2, asked + 2):
            wanted |= on(PlateRead, read=f"A{number}")
        return wanted

    def fold(entries: Iterable[object]) -> int:
        del entries
        return next(rounds)

    rounds = iter(range(1, ROUNDS + 10))
    told(any_log, *(f"A{number}" for number in range(1, ROUNDS + 10)))
    with pytest.raises(RuntimeError, match="does not stand still"):
        settled(any_log, boundary, fold)


def test_entries_are_folded_one_by_one_onto_the_facts_of_none() -> None:
    def evolve(count: int, entry: Recorded[PlateRead]) -> int:
        del entry
        return count + 1

    entries: Sequence[Any] = ["one", "two"]
    assert folding(int, evolve)(entries) == 2
