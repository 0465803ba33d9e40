"""How figures are written for people: instants, durations, amounts, coordinates."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_CENTS = 100
_MINUTE = 60


def instant_text(value: datetime, zone: ZoneInfo | None) -> str:
    """Return an instant as an office writes it, in the zone's local time with its offset."""
    local = value.astimezone(zone or UTC)
    minutes = int((local.utcoffset() or UTC.utcoffset(None)).total_seconds()) // 60
    sign = "\N{MINUS SIGN}" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f"{local.day} {local:%b %Y %H:%M:%S} {offset}"


def duration_text(span: timedelta) -> str:
    """Return a duration by its two largest units: `28 min 53 s`, `1 d 3 h`."""
    left = int(span.total_seconds())
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def seconds_text(seconds: float) -> str:
    """Return a number of seconds, to the tenth below a minute."""
    return f"{seconds:.1f} s" if seconds < _MINUTE else duration_text(timedelta(seconds=seconds))


def money_text(cents: int) -> str:
    """Return an amount of minor units with two decimals."""
    sign = "\N{MINUS SIGN}" if cents < 0 else ""
    return f"{sign}{abs(cents) // _CENTS:,}.{abs(cents) % _CENTS:02}"


def decimal_text(cents: int) -> str:
    """Return an amount of minor units as a form sends it, without separators."""
    return f"{cents // _CENTS}.{cents % _CENTS:02}"


def number_text(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def over_text(numerator: float, denominator: float | None, *, of_money: bool) -> str:
    """Return what a ratio is made of, `30 / 66`; of minor units as amounts."""
    if denominator is None:
        return ""
    both = (numerator, denominator)
    return " / ".join(f"{value / _CENTS:,.2f}" if of_money else f"{value:,.0f}" for value in both)
