"""Instants and positions as people type them on the command line."""

from datetime import UTC, date, datetime, time

from operations.settings import BadSetting


def instant_of(option: str, text: str) -> datetime:
    """Return the instant that a text means; a date alone is its first instant in UTC.

    Raises:
        BadSetting: naming the option, where it is none, or has no offset from UTC.

    """
    try:
        if len(text) <= len("2026-03-05"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadSetting(f"{option} is an instant such as 2026-03-05T09:05:40-05:00, not {text!r}.") from None
    if found.tzinfo is None:
        raise BadSetting(f"{option} needs an offset from UTC, as in {text}Z or {text}-05:00.")
    return found.astimezone(UTC)


def known_of(option: str, text: str) -> int | datetime:
    """Return the position, or the instant, up to which the log is to be known.

    Raises:
        BadSetting: naming the option, where it is neither.

    """
    return int(text) if text.isascii() and text.isdigit() else instant_of(option, text)
