"""The drawing of a story with two clocks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from read_api.pages.tracks import MARK, Axis, Mark, Moment, Span, draw

TORONTO = ZoneInfo("America/Toronto")
NINE = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def moment(position: int, minutes: float, late: float = 0.02) -> Moment:
    return Moment(position, at(minutes), at(minutes + late), "read", f"entry {position}")


LATE = [moment(1, -2), moment(4, 2, late=29), moment(2, 5), moment(3, 6)]


def test_entries_are_numbered_in_the_order_in_which_they_happened() -> None:
    drawing = draw(LATE, [], TORONTO, known=4, known_at=at(31))
    assert [(m.number, m.moment.position) for m in drawing.marks] == [(1, 1), (2, 4), (3, 2), (4, 3)]


def test_what_was_recorded_late_leans_over_what_happened_after_it() -> None:
    late, read = draw(LATE, [], TORONTO, known=4, known_at=at(31)).marks[1:3]
    assert late.x_at < read.x_at
    assert late.x_recorded > read.x_recorded


def test_only_what_was_recorded_by_then_is_known() -> None:
    drawing = draw(LATE, [], TORONTO, known=3, known_at=at(6.02))
    assert [m.moment.position for m in drawing.marks if not m.known] == [4]
    assert drawing.x_known == drawing.marks[3].x_recorded


def test_a_right_without_end_reaches_beyond_the_drawing() -> None:
    (band,) = draw(LATE, [Span("T-1", "permit", at(2), None)], TORONTO, known=4, known_at=at(31)).bands
    assert band.open
    assert band.x + band.width == draw(LATE, [], TORONTO, known=4, known_at=at(31)).width


def test_a_right_that_ended_before_the_story_is_not_drawn() -> None:
    spans = [Span("T-0", "permit", at(-90), at(-60))]
    assert draw(LATE, spans, TORONTO, known=4, known_at=at(31)).bands == []


def test_a_story_of_nothing_can_be_drawn() -> None:
    drawing = draw([], [], TORONTO, known=0, known_at=NINE)
    assert not drawing.marks
    assert drawing.ticks


def test_ticks_are_local_and_name_each_new_day() -> None:
    story = [moment(1, 0), moment(2, 60), moment(3, 16 * 60)]
    ticks = draw(story, [], TORONTO, known=3, known_at=at(16 * 60 + 1)).ticks
    assert ticks[0].label == "09:00"
    assert [tick.day for tick in ticks if tick.day] == ["Thu 5 Mar", "Fri 6 Mar"]


moments = st.lists(
    st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)).map(
        lambda pair: (NINE + timedelta(seconds=pair[0]), NINE + timedelta(seconds=pair[1]))
    ),
    min_size=1,
    max_size=40,
).map(
    lambda pairs: [
        Moment(n, at, recorded, "read", "")
        for n, (at, recorded) in enumerate(sorted(pairs, key=lambda pair: pair[1]), 1)
    ]
)


@given(moments)
def test_no_mark_covers_another_on_its_track(story: list[Moment]) -> None:
    marks = draw(story, [], TORONTO, known=1, known_at=NINE).marks

    def apart(one: Mark, other: Mark) -> bool:
        return (abs(one.x_at - other.x_at) >= 2 * MARK or abs(one.y_at - other.y_at) >= 2 * MARK) and (
            abs(one.x_recorded - other.x_recorded) >= 2 * MARK
            or abs(one.y_recorded - other.y_recorded) >= 2 * MARK
        )

    assert all(apart(a, b) for i, a in enumerate(marks) for b in marks[i + 1 :])


@given(moments, st.lists(st.integers(0, 100_000), min_size=2, max_size=20))
def test_later_never_stands_left_of_earlier(story: list[Moment], seconds: list[int]) -> None:
    axis = Axis.of([m.at for m in story], 1000.0)
    xs = [axis.x(NINE + timedelta(seconds=s)) for s in sorted(seconds)]
    assert all(a <= b + 1e-6 for a, b in pairwise(xs))
