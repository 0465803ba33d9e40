"""What people type into a form, as the write API takes it."""

import pytest

from operations.problems import Problem
from read_api.pages.figures import decimal_text
from read_api.pages.forms import money, zoned


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("30", 3000),
        ("30.5", 3050),
        ("30,50", 3050),
        ("1,234.00", 123400),
        ("1,234", 123400),
        ("1,234,567.89", 123456789),
        (" 0.01 ", 1),
    ],
)
def test_an_amount_is_read_as_it_is_written(typed: str, cents: int) -> None:
    assert money("amount", typed) == cents


@pytest.mark.parametrize("typed", ["", "-1", "1.234.5", "12,34,567", "30.505", "1e3", "\u0663"])
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(Problem):
        money("amount", typed)


@pytest.mark.parametrize("cents", [0, 1, 99, 100, 3000, 123400, 100_000_000])
def test_what_a_page_asks_for_can_be_sent_back(cents: int) -> None:
    assert money("amount", decimal_text(cents)) == cents


@pytest.mark.parametrize(
    ("typed", "instant"),
    [("2026-07-20T14:00", "2026-07-20T14:00:00-04:00"), ("2026-12-20T14:00", "2026-12-20T14:00:00-05:00")],
)
def test_a_time_of_a_form_is_one_of_its_zone(typed: str, instant: str) -> None:
    assert zoned("hearing_at", typed, "America/Toronto") == instant


@pytest.mark.parametrize(
    ("typed", "zone"), [("soon", "UTC"), ("2026-07-20T14:00", "No/Where"), ("2026-07-20T14:00", "../etc")]
)
def test_a_time_that_is_none_is_refused(typed: str, zone: str) -> None:
    with pytest.raises(Problem):
        zoned("hearing_at", typed, zone)
