from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.calendar import (
    after_days,
    deadline,
    due,
    end_of_day,
    local_date,
    local_days,
    start_of_day,
)

TORONTO = "America/Toronto"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_deadline_is_the_instant_after_its_last_day() -> None:
    assert deadline(date(2026, 3, 5), 14, TORONTO) == utc("2026-03-20T00:00:00-04:00")


def test_what_is_due_is_due_at_the_start_of_its_day() -> None:
    assert due(date(2026, 3, 5), 29, TORONTO) == utc("2026-04-03T00:00:00-04:00")


@pytest.mark.parametrize(
    ("day", "timezone", "hours"),
    [
        (date(2026, 3, 8), TORONTO, 23),
        (date(2026, 11, 1), TORONTO, 25),
        (date(2026, 3, 9), TORONTO, 24),
        (date(2026, 10, 4), "Australia/Lord_Howe", 23.5),
    ],
)
def test_a_day_lasts_as_long_as_its_clocks_say(day: date, timezone: str, hours: float) -> None:
    assert end_of_day(day, timezone) - start_of_day(day, timezone) == timedelta(hours=hours)


def test_a_day_whose_midnight_is_skipped_starts_at_the_skip() -> None:
    start = start_of_day(date(2026, 9, 6), "America/Santiago")
    assert start == utc("2026-09-06T01:00:00-03:00")
    assert local_date(start - timedelta(microseconds=1), "America/Santiago") == date(2026, 9, 5)


@given(
    st.dates(date(1990, 1, 1), date(2037, 12, 30)),
    st.sampled_from([TORONTO, "America/Santiago", "Africa/Cairo", "Asia/Beirut", "Pacific/Chatham"]),
)
def test_a_day_is_all_and_only_the_instants_of_its_date(day: date, timezone: str) -> None:
    start, end = start_of_day(day, timezone), end_of_day(day, timezone)
    assert local_date(start, timezone) == day == local_date(end - timedelta(microseconds=1), timezone)
    assert local_date(end, timezone) == day + timedelta(days=1)


def test_a_term_of_days_keeps_the_wall_time_across_a_change_of_clocks() -> None:
    start = utc("2026-03-05T09:00:00-05:00")
    assert after_days(start, 30, TORONTO) == utc("2026-04-04T09:00:00-04:00")


def test_days_are_counted_by_the_local_dates_that_are_touched() -> None:
    start, end = utc("2026-03-01T00:00:00-05:00"), utc("2026-05-01T00:00:00-04:00")
    assert local_days(start, end, TORONTO) == 61
    assert local_days(start, start + timedelta(seconds=1), TORONTO) == 1
    assert local_days(start, start, TORONTO) == 0
