"""Local days and hours as instants: deadlines, due days, and when a rule's hours hold.

A day belongs to a time zone of the IANA database. Day 0 is the local date of an event; a last day ends at
24:00 local, so a deadline is an exclusive instant: what happens at the deadline itself is too late.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from events.zones import Day

_ONE_DAY = timedelta(days=1)
WEEK: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@lru_cache(maxsize=1024)
def _zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)


def local_date(instant: datetime, timezone: str) -> date:
    """Return the date that the wall calendar shows at the instant."""
    return instant.astimezone(_zone(timezone)).date()


def local_time(instant: datetime, timezone: str) -> datetime:
    """Return the instant as the time zone writes it, with its offset."""
    return instant.astimezone(_zone(timezone))


@lru_cache(maxsize=16_384)
def start_of_day(day: date, timezone: str) -> datetime:
    """Return the first instant of a local day, in UTC; where 00:00 is skipped, the instant of the skip.

    A wall time inside a gap read with the offset before it (`fold=0`, PEP 495) is the instant of the gap;
    of a 00:00 that comes twice it is the first.
    """
    return datetime.combine(day, time(), _zone(timezone)).astimezone(UTC)


def end_of_day(day: date, timezone: str) -> datetime:
    """Return 24:00 of a local day, in UTC: the first instant that no longer belongs to it."""
    return start_of_day(day + _ONE_DAY, timezone)


def deadline(day_0: date, days: int, timezone: str) -> datetime:
    """Return the exclusive instant of a period that runs through the end of its last day, `day_0 + days`."""
    return end_of_day(day_0 + timedelta(days=days), timezone)


def due(day_0: date, days: int, timezone: str) -> datetime:
    """Return 00:00 of the day `day_0 + days`: when something falls due on that day."""
    return start_of_day(day_0 + timedelta(days=days), timezone)


def after_days(instant: datetime, days: int, timezone: str) -> datetime:
    """Return the instant of the same wall time so many local days later, in UTC."""
    local = instant.astimezone(_zone(timezone))
    moved = datetime.combine(local.date() + timedelta(days=days), local.time(), _zone(timezone))
    return moved.astimezone(UTC)


def local_days(start: datetime, end: datetime, timezone: str) -> int:
    """Return how many local dates `[start, end)` touches; 0 where it is empty."""
    if end <= start:
        return 0
    last = local_date(end - timedelta(microseconds=1), timezone)
    return (last - local_date(start, timezone)).days + 1


def hours_hold(
    instant: datetime,
    timezone: str,
    days: Collection[Day] | None = None,
    start: time | None = None,
    end: time | None = None,
) -> bool:
    """Tell whether a rule for these days and hours holds at the instant, by the zone's wall clock.

    The sign says wall time, so the wall time is what is compared: 02:00-06:00 lasts three hours on the night
    that clocks spring forward and five when they fall back. Hours that end at or before their start run into
    the next day, and `days` are then those on which they start.
    """
    now = instant.astimezone(_zone(timezone))
    clock, today = now.time(), now.weekday()
    opens, closes = start or time(), end or time()
    if opens < closes:
        return opens <= clock < closes and _is_one(today, days)
    return (clock >= opens and _is_one(today, days)) or (clock < closes and _is_one(today - 1, days))


def _is_one(weekday: int, days: Collection[Day] | None) -> bool:
    return not days or WEEK[weekday % 7] in days
