"""A finding as one line that settles a dispute: what to do, why, and what the officer's screen had said.

DISMISS: permit T-1001 was paid at 9:02:11 and posted at 9:31:04; the officer's screen at 9:05:40 showed
"No right" and was right by what was known.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from commands.findings import Finding
from projections.timeline import TimelineEntry
from read_api.pages.finding_words import REASONS, cause_text
from read_api.pages.words import ANSWERS

ACTS = {
    "UPHELD": "UPHOLD",
    "REDUCED": "REDUCE",
    "DISMISSED": "DISMISS",
    "VOID": "VOID",
    "REVIEW_REQUIRED": "REVIEW",
}
"""What staff do about each disposition."""

_PAID = ("PaymentAuthorised", "PaymentReceived")
_BOUGHT = {"PermitPurchased": "bought", "PermitRenewed": "renewed", "SessionStarted": "started"}
_LATE = frozenset({"POSTING_LAG", "CLERK_GAP"})


def first_line(found: Finding, entries: Sequence[TimelineEntry], zone: ZoneInfo) -> str:
    """Return the line; times are the zone's local ones, with the day where it is another than the read's."""
    rests_on = [entry for entry in entries if entry.position in set(found.positions)]
    read = _last(entry for entry in rests_on if entry.type == "PlateRead")
    day = read.at if read else None
    because = _because(found, rests_on, zone, day)
    screen = _screen(found, read, zone)
    return f"{ACTS[found.disposition]}: {'; '.join(filter(None, (because, screen)))}."


def _because(found: Finding, rests_on: Sequence[TimelineEntry], zone: ZoneInfo, day: datetime | None) -> str:
    late = _posted(rests_on) if found.cause and found.cause.kind in _LATE else None
    if late is not None:
        word = "paid" if late.type in _PAID else _BOUGHT[late.type]
        posted = "posted" if late.type in _PAID else "recorded"
        right = f"{_kind_of(rests_on)} {found.right}" if found.right else "the right"
        at, known = (_time(instant, zone, day) for instant in (late.at, late.recorded))
        return f"{right} was {word} at {at} and {posted} at {known}"
    sentence = REASONS.get(found.reason, found.reason)
    told = [sentence[:1].lower() + sentence[1:].rstrip(".")]
    if found.cause is not None:
        cause = cause_text(found.cause).rstrip(".")
        told.append(cause[:1].lower() + cause[1:])
    return "; ".join(told)


def _posted(rests_on: Sequence[TimelineEntry]) -> TimelineEntry | None:
    """Return the fact that reached the log latest after it happened: the payment before what it pays for."""
    paid = [entry for entry in rests_on if entry.type in _PAID]
    return max(
        paid or [entry for entry in rests_on if entry.type in _BOUGHT],
        key=lambda entry: entry.recorded - entry.at,
        default=None,
    )


def _kind_of(rests_on: Sequence[TimelineEntry]) -> str:
    return "session" if any(entry.type == "SessionStarted" for entry in rests_on) else "permit"


def _screen(found: Finding, read: TimelineEntry | None, zone: ZoneInfo) -> str:
    if read is None:
        return "the officer erred, given the screen" if found.officer_erred else ""
    when = _time(read.at, zone, read.at)
    if read.shown is None:
        return f"what the screen showed at {when} is not known"
    word = f"the officer\u2019s screen at {when} showed \u201c{ANSWERS[read.shown.answer]}\u201d"
    if found.officer_erred:
        return f"{word}, and the officer cited nevertheless"
    then = read.known_then
    agrees = then is not None and then.answer == read.shown.answer
    return f"{word} and was right by what was known" if agrees else word


def _time(instant: datetime, zone: ZoneInfo, day: datetime | None) -> str:
    local = instant.astimezone(zone)
    clock = f"{local.hour}:{local:%M:%S}"
    if day is not None and day.astimezone(zone).date() != local.date():
        return f"{clock} on {local.day} {local:%b}"
    return clock


def _last(entries: Iterable[TimelineEntry]) -> TimelineEntry | None:
    return max(entries, key=lambda entry: (entry.at, entry.position), default=None)
