"""The day-counting clocks of a citation: local dates that count, and holds that do not.

Day 0 is the local date of service (else of issue). A clock counts the dates after it, and passes over those
inside a hold (DOMAIN §4). What the counted date means as an instant is the calendar's to say.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

ONE_DAY = timedelta(days=1)


class Hold(msgspec.Struct, frozen=True):
    """Local dates that do not count, both ends included; an open hold has no last date yet."""

    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        """Tell whether the date is held."""
        return self.first <= day and (self.last is None or day <= self.last)


def counted_day(day_0: date, days: int, holds: Iterable[Hold] = ()) -> date | None:
    """Return the date that is the `days`-th counted one after `day_0`; `None` while an open hold stops it."""
    held = tuple(holds)
    day = day_0
    counted = 0
    while counted < days:
        day += ONE_DAY
        hold = next((h for h in held if h.covers(day)), None)
        if hold is None:
            counted += 1
        elif hold.last is None:
            return None
        else:
            day = hold.last
    return day
