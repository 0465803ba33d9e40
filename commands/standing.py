"""How a plate stands in a zone at an instant, by the intervals of all its rights."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from commands.right_intervals import Interval
from events.reads import Answer
from events.vocabulary import Plate, is_readable


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer to "may this vehicle stand here?", by business time.

    `valid` where a permit or session covers the instant, `exempt` where an exemption does. In grace neither
    holds: `right` is then the one that ended at `end`. `grace_until` is the last instant at which citing is
    improper, and is given wherever `end` is.
    """

    valid: bool
    exempt: bool
    right: Interval | None
    start: datetime | None
    end: datetime | None
    grace_until: datetime | None
    answer: Answer


_LAST = datetime.max.replace(tzinfo=UTC)

NO_RIGHT = Standing(
    valid=False, exempt=False, right=None, start=None, end=None, grace_until=None, answer="no_right"
)


def standing(
    intervals: Iterable[Interval], plate: str, zone: str, at: datetime, grace_minutes: int
) -> Standing:
    """Return how the plate stands in the zone at the instant.

    Citing is proper only if the read is later than end + grace, so the instant end + grace is in grace. Of
    several rights the one that ends last is named, a permit or session before an exemption. A plate that
    nobody could read has no right.
    """
    if not is_readable(Plate(plate)):
        return NO_RIGHT
    grace = timedelta(minutes=grace_minutes)
    here = [i for i in intervals if i.plate == plate and i.zone in {zone, None} and i.start <= at]
    covering = [i for i in here if i.end is None or at < i.end]
    rights = [i for i in covering if i.kind != "exemption"]
    exempt = len(rights) < len(covering)
    if covering:
        return _standing(rights or covering, grace, "valid" if rights else "exempt", exempt=exempt)
    ended = [i for i in here if i.end is not None and at <= _until(i.end, grace)]
    return _standing(ended, grace, "in_grace", exempt=False) if ended else NO_RIGHT


def _standing(found: list[Interval], grace: timedelta, answer: Answer, *, exempt: bool) -> Standing:
    right = max(found, key=_ends_last)
    until = _until(right.end, grace) if right.end is not None else None
    return Standing(
        valid=answer == "valid",
        exempt=exempt,
        right=right,
        start=right.start,
        end=right.end,
        grace_until=until,
        answer=answer,
    )


def _until(end: datetime, grace: timedelta) -> datetime:
    """Return end + grace; a right said to end with the calendar itself (9999-12-31) has no grace after it."""
    return end + grace if end <= _LAST - grace else end


def _ends_last(interval: Interval) -> tuple[bool, float, bool, str]:
    end = interval.end
    return end is None, end.timestamp() if end else 0.0, interval.kind == "permit", interval.right
