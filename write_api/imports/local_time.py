"""Times as people and old systems wrote them: local, without a zone, in pieces, as `1251` for 12:51.

A local time that a clock showed twice (the hour before clocks fall back) is taken as the first of the two;
one that no clock showed (the hour skipped in spring) as a clock not yet set forward would have shown it.
Both follow from `fold=0` (PEP 495), so that reading a file twice gives the same instants.
"""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)
"""How far in the future a fact may claim to have happened before the row is taken for an error."""

PLANNED = timedelta(days=3660)
"""How far in the future a right may end."""

_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_HMM = re.compile(r"(\d{1,4})(?:\.0+)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp])?\.?[Mm]?\.?")
_NOON = 12


class Unreadable(ValueError):
    """The value cannot be read; the sentence says what it should look like."""


class LocalClock:
    """How the times of one file are to be read."""

    def __init__(self, zone: tzinfo | None, now: datetime, *, day_first: bool = False) -> None:
        """Keep the zone of times without one (`None`: they are refused) and the order of day and month."""
        self._zone, self._now, self._day_first = zone, now, day_first

    def instant(self, text: str, *, planned: bool = False) -> datetime:
        """Return the instant, in UTC, of a date-time with or without offset; a planned one may be to come.

        Raises:
            Unreadable: if it is none, has no zone and none was given, or lies before 1970 or in the future.

        """
        found = _iso(text)
        if found is None:
            day, _, clock = text.replace(" - ", " ").partition(" ")
            return self.joined(self.day(day), self.clock(clock) if clock else time(), planned=planned)
        if found.tzinfo is not None:
            return self._checked(found, text, planned=planned)
        return self.joined(found.date(), found.time(), planned=planned)

    def local(self, instant: datetime) -> datetime:
        """Return an instant as local clocks showed it."""
        return instant.astimezone(self._zone)

    def joined(self, day: date, clock: time, *, planned: bool = False) -> datetime:
        """Return the instant of a local date and time, in UTC; raises as `instant`."""
        if self._zone is None:
            raise Unreadable(
                f"{day} {clock} has no time zone; name it with --timezone, such as America/Toronto"
            )
        return self._checked(datetime.combine(day, clock, self._zone), f"{day} {clock}", planned=planned)

    def day(self, text: str) -> date:
        """Return a date written `2015-12-21`, `20151221`, or `12/21/2015` (`21/12/2015` if days come first).

        Raises:
            Unreadable: if it is none.

        """
        return _day(text, day_first=self._day_first)

    @staticmethod
    def clock(text: str) -> time:
        """Return a time written `12:51`, `12:51:09`, `4:05 PM`, or as an integer: 5 is 00:05, 1251 is 12:51.

        Raises:
            Unreadable: if it is none.

        """
        try:
            if whole := _HMM.fullmatch(text):
                return time(*divmod(int(whole[1]), 100))
            if parts := _CLOCK.fullmatch(text.strip()):
                hours, minutes, seconds = (int(part or 0) for part in parts.group(1, 2, 3))
                return time(_hour(hours, parts[4]), minutes, seconds)
        except ValueError:
            pass
        raise Unreadable(f"{text[:40]!r} is no time of day, such as 12:51 or 1251")

    def _checked(self, found: datetime, text: str, *, planned: bool) -> datetime:
        try:
            instant = found.astimezone(UTC)
        except OverflowError:
            raise Unreadable(f"{text!r} is out of range") from None
        if instant < EARLIEST:
            raise Unreadable(f"{text} lies before 1970")
        if instant > self._now + (PLANNED if planned else AHEAD):
            raise Unreadable(f"{text} lies {'too far ' if planned else ''}in the future")
        return instant


def _iso(text: str) -> datetime | None:
    """Return a date-time in one of the forms of ISO 8601, which all begin with a year of four digits."""
    if text[:4].isdigit():
        with suppress(ValueError):
            return datetime.fromisoformat(text)
    return None


@lru_cache(maxsize=4096)
def _day(text: str, *, day_first: bool) -> date:
    """Return a date; many rows of a file are of one day."""
    try:
        if parts := _DATE.fullmatch(text):
            first, second, year = (int(part) for part in parts.groups())
            return date(year, second, first) if day_first else date(year, first, second)
        if parts := _COMPACT.fullmatch(text):
            return date(*(int(part) for part in parts.groups()))
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise Unreadable(f"{text[:40]!r} is no date, such as 2015-12-21") from None


def _hour(hours: int, half: str | None) -> int:
    """Return the hour of 24 that a clock of 12 hours shows before (`A`) or after (`P`) noon."""
    if half is None:
        return hours
    if not 1 <= hours <= _NOON:
        raise ValueError(hours)
    return hours % _NOON + (_NOON if half in "Pp" else 0)
