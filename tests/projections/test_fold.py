"""The fold draws bitemporal rows, the same ones however the log is cut and whatever was forgotten."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.base import Event
from events.reads import PlateRead
from projections.cells import Broken, Cells, Entry
from projections.changes import Changes, OpenRow
from projections.fold import Fold, Nowhere
from projections.near_plates import NEAR_PLATES
from projections.projection import Projection, Thing, types
from projections.sightings import SIGHTINGS
from projections.table import OPEN, Table
from projections.validity import VALIDITY
from tests.projections.facts import (
    added,
    adopted,
    bought,
    bounced,
    corrected,
    entries,
    minute,
    paid,
    parked_in,
    read,
    revoked,
    selected,
)


class Paper:
    """A table on paper, and the history that a fold is brought back from."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.rows: dict[tuple[str, int, int], tuple[Any, ...]] = {}
        self.past: list[Entry | Broken] = []

    def take(self, batch: Sequence[Entry | Broken], changes: Changes) -> None:
        for key, known_from, part, until in changes.closed:
            row = self.rows[key, known_from, part]
            assert row[3] == OPEN
            self.rows[key, known_from, part] = (*row[:3], until, *row[4:])
        for row in changes.opened:
            identity = (str(row[0]), int(str(row[1])), int(str(row[2])))
            assert identity not in self.rows
            self.rows[identity] = row
        self.past += batch

    def history(self, keys: Sequence[str]) -> Sequence[Entry | Broken]:
        cells = Cells(self.projection)
        return [entry for entry in self.past if not set(keys).isdisjoint(cells.keys_of(entry))]

    def open_rows(self, keys: Sequence[str]) -> Iterable[OpenRow]:
        return [
            OpenRow(key, known_from, part, row[4:])
            for (key, known_from, part), row in self.rows.items()
            if key in keys and row[3] == OPEN
        ]

    def known(self, position: int) -> set[tuple[Any, ...]]:
        return {row[4:] for row in self.rows.values() if row[1] <= position < row[3]}


def folded(projection: Projection, log: Sequence[Entry | Broken], cuts: Iterable[int] = ()) -> Paper:
    """The table after folding the log in batches, forgetting everything between them."""
    paper = Paper(projection)
    bounds = [0, *sorted(set(cuts)), len(log)]
    fold = Fold(projection, complete=True)
    for begin, end in itertools.pairwise(bounds):
        batch = log[begin:end]
        paper.take(batch, fold.apply(batch, paper))
        fold.forget()
    return paper


PERMITS = st.sampled_from(["T-1", "T-2", "T-3"])
PAYMENTS = st.sampled_from(["P-1", "P-2"])
PLATES = st.sampled_from(["ON A1", "ON B2"])
MINUTES = st.integers(0, 300)
EVENTS = st.one_of(
    st.builds(
        lambda permit, plates, at, payment: bought(permit, plates, at=at, payment=payment),
        PERMITS,
        st.lists(PLATES, max_size=2, unique=True),
        MINUTES,
        st.none() | PAYMENTS,
    ),
    st.builds(paid, PAYMENTS, MINUTES, st.none() | PERMITS),
    st.builds(bounced, PAYMENTS, MINUTES),
    st.builds(revoked, PERMITS, MINUTES),
    st.builds(added, PERMITS, PLATES, MINUTES),
    st.builds(selected, PERMITS, PLATES, MINUTES),
    st.builds(parked_in, st.sampled_from(["S-1"]), PLATES, MINUTES),
    st.builds(lambda at: adopted("p", at, max_active=2), MINUTES),
)


@given(st.lists(EVENTS, max_size=25), st.lists(st.integers(0, 25), max_size=6))
def test_the_rows_do_not_depend_on_how_the_log_was_cut(events: list[Event], cuts: list[int]) -> None:
    log = entries(events)
    whole = folded(VALIDITY, log)
    cut = folded(VALIDITY, log, [cut for cut in cuts if cut <= len(log)])
    assert cut.rows == whole.rows


@given(st.lists(EVENTS, max_size=25), st.integers(1, 5), st.integers(0, 6))
def test_the_rows_do_not_depend_on_how_much_is_kept_in_memory(
    events: list[Event], size: int, kept: int
) -> None:
    log = entries(events)
    projection = replace(VALIDITY, kept=kept)
    paper = Paper(projection)
    fold = Fold(projection, complete=True)
    for begin in range(0, len(log), size):
        batch = log[begin : begin + size]
        paper.take(batch, fold.apply(batch, paper))
    assert paper.rows == folded(VALIDITY, log).rows


def test_a_right_that_is_kept_is_drawn_with_the_payments_that_were_let_go_of() -> None:
    log = entries(
        [
            paid("P-1", 0, "T-1"),
            paid("P-2", 0, "T-1"),
            bought("T-1", ["ON A1"]),
            bounced("P-1", 0),
            paid("P-1", 0),
        ]
    )
    projection = replace(VALIDITY, kept=2)
    paper = Paper(projection)
    fold = Fold(projection, complete=True)
    for entry in log:
        paper.take([entry], fold.apply([entry], paper))
    assert paper.rows == folded(VALIDITY, log).rows


@given(st.lists(EVENTS, max_size=25), st.integers(0, 25))
def test_what_was_known_never_changes_afterwards(events: list[Event], upto: int) -> None:
    log = entries(events)
    then = folded(VALIDITY, log[:upto])
    now = folded(VALIDITY, log)
    for position in range(min(upto, len(log)) + 1):
        assert now.known(position) == then.known(position)


def test_a_payment_that_arrives_late_makes_its_permit_valid_from_then_on() -> None:
    log = entries([bought("T-1", payment="P-1"), paid("P-1", at=2)])
    paper = folded(VALIDITY, log, [1])
    assert paper.known(1) == set()
    (row,) = paper.known(2)
    assert row[4] == minute(2)


def test_a_payment_that_arrives_before_its_permit_counts_as_well() -> None:
    paper = folded(VALIDITY, entries([paid("P-1", at=2), bought("T-1", payment="P-1")]), [1])
    assert len(paper.known(2)) == 1


def test_a_bounced_payment_closes_the_row_and_keeps_what_was_known() -> None:
    log = entries([bought("T-1", payment="P-1"), paid("P-1"), bounced("P-1")])
    paper = folded(VALIDITY, log, [2])
    assert len(paper.known(2)) == 1
    assert paper.known(3) == set()


def test_a_correction_moves_a_sighting_to_the_plate_that_it_was_of() -> None:
    paper = folded(SIGHTINGS, entries([read("r1", "ON A1"), corrected("r1", "ON B2")]), [1])
    assert {row[1] for row in paper.known(1)} == {"ON A1"}
    ((_, plate, *_, was),) = paper.known(2)
    assert (plate, was) == ("ON B2", "ON A1")


def test_a_correction_may_arrive_before_its_read() -> None:
    paper = folded(SIGHTINGS, entries([corrected("r1", "ON B2"), read("r1", "ON A1")]))
    assert {row[1] for row in paper.known(2)} == {"ON B2"}


def test_an_event_that_changes_nothing_opens_no_row() -> None:
    paper = folded(NEAR_PLATES, entries([bought("T-1"), bought("T-2")]), [1])
    assert {row[1] for row in paper.rows.values()} == {1}


def fragile(zones: tuple[str, ...], entry: Entry) -> tuple[str, ...]:
    event = entry.event
    assert isinstance(event, PlateRead)
    if event.plate.endswith("BAD"):
        raise ValueError("cannot take this plate")
    return (*zones, event.zone)


FRAGILE = Projection(
    name="fragile",
    version=1,
    table=Table({"count": "int4"}),
    things=(Thing("device", types(PlateRead), lambda _: (), fragile),),
    rooted=frozenset({"device"}),
    rows=lambda _, state, __: [(len(state),)] if state else [],
)


def test_a_poison_event_stops_its_key_and_nothing_else() -> None:
    log = entries(
        [
            read("1", device="H1"),
            read("2", "ON BAD", device="H1"),
            read("3", device="H2"),
            read("4", device="H1"),
            read("5", device="H2"),
        ]
    )
    fold = Fold(FRAGILE, complete=True)
    changes = fold.apply(log, Nowhere())
    assert [(parked.key, parked.position, parked.wire_name) for parked in changes.parked] == [
        ("device:H1", 2, "PlateRead")
    ]
    assert changes.parked[0].error == "ValueError: cannot take this plate"
    assert changes.waiting == {"device:H1": 1}
    standing = {(row[0], row[4]) for row in changes.opened if row[3] == OPEN}
    assert standing == {("device:H1", 1), ("device:H2", 2)}


@given(st.lists(st.integers(0, 6), max_size=4))
def test_a_parked_key_stands_the_same_however_the_log_was_cut(cuts: list[int]) -> None:
    plates = ["ON A1", "ON BAD", "ON A1", "ON BAD", "ON A1", "ON A1"]
    log = entries(read(str(n), plate, device=f"H{n % 2}") for n, plate in enumerate(plates))
    assert folded(FRAGILE, log, cuts).rows == folded(FRAGILE, log).rows


def test_an_event_that_cannot_be_revived_parks_the_keys_of_its_tags() -> None:
    broken = Broken(2, "PlateRead", ("read:2", "plate:ON A1", "device:H1"), "NewerEvent: upgrade it")
    fold = Fold(FRAGILE, complete=True)
    changes = fold.apply([entries([read("1", device="H1")])[0], broken], Nowhere())
    assert [(parked.key, parked.position) for parked in changes.parked] == [("device:H1", 2)]
