"""The day-counting clocks of a citation: local dates that count, and holds that do not.

Day 0 is the local date of service (else of issue). A clock counts the dates after it, and passes over those
inside a hold (DOMAIN §4). What the counted date means as an instant is the calendar's to say.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec


class Hold(msgspec.Struct, frozen=True):
    """Local dates that do not count, both ends included; an open hold has no last date yet."""

    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        """Tell whether the date is held."""
        return self.first <= day and (self.last is None or day <= self.last)


def counted_day(day_0: date, days: int, holds: Iterable[Hold] = ()) -> date | None:
    """Return the date that is the `days`-th counted one after `day_0`; `None` while an open hold stops it."""
    day, left = day_0, days
    for hold in sorted(holds, key=lambda hold: hold.first):
        before = max((hold.first - day).days - 1, 0)
        if left <= before:
            break  # it begins after the day
        if hold.last is None:
            return None
        if hold.last >= hold.first and hold.last > day:
            day, left = hold.last, left - before
    return day + timedelta(days=left)
