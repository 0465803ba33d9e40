"""Two-pass time limits: the first and next observation of a vehicle in one place make a stay.

A gate exit or entry between them restarts it, and so does a read in another zone or at another place. Where
a vehicle was not seen for longer than a day (or twice the limit, where that is longer) the next read begins
a new stay: nobody can tell that it stood there all the time.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

import msgspec

from commands.calendar import local_date, local_time
from events.zones import ZoneRule

UNSEEN = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class Sighting(msgspec.Struct, frozen=True):
    """One observation of the vehicle, in occurred time."""

    read: str
    zone: str
    at: datetime
    position: int
    direction: str = "none"
    place: str | None = None


class Stay(msgspec.Struct, frozen=True):
    """That the vehicle stood in one place from `since` to the last observation of it there, at `until`.

    `restarted_at` is since when it counts anew, where it had been seen in the zone before and left.
    """

    since: datetime
    until: datetime
    restarted_at: datetime | None = None

    @property
    def minutes(self) -> float:
        """Elapsed minutes, two decimals."""
        return round((self.until - self.since) / _MINUTE, 2)


def stay(
    sightings: Iterable[Sighting], zone: str, at: datetime, limit_minutes: int | None = None
) -> Stay | None:
    """Return the stay that the vehicle is in at an instant, `None` where it has left or was never seen.

    The exit itself still belongs to the stay: a gate sees how long the vehicle that it lets out has stood.
    """
    unseen = max(UNSEEN, 2 * timedelta(minutes=limit_minutes or 0))
    seen = sorted((s for s in sightings if s.at <= at), key=lambda s: (s.at, s.position, s.read))
    current: Stay | None = None
    place: str | None = None
    known_here = False
    for sighting in seen:
        here = sighting.zone == zone
        if not here or sighting.direction == "exit":
            seen_off = current is not None and here and sighting.at == at
            current = msgspec.structs.replace(current, until=at) if current and seen_off else None
            known_here = known_here or here
            continue
        if current is None or _moved(current, place, sighting, unseen):
            current = Stay(sighting.at, sighting.at, sighting.at if known_here else None)
            place = None
        else:
            current = msgspec.structs.replace(current, until=sighting.at)
        place = _stands_at(sighting) or place
        known_here = True
    return current


def _stands_at(sighting: Sighting) -> str | None:
    """Return the place that a vehicle stood at; a gate's own place is passed, not stood at."""
    return sighting.place if sighting.direction == "none" else None


def _moved(current: Stay, place: str | None, sighting: Sighting, unseen: timedelta) -> bool:
    elsewhere = place is not None and sighting.place is not None and place != sighting.place
    return sighting.direction == "entry" or elsewhere or sighting.at - current.until > unseen


def moved_between(sightings: Iterable[Sighting], zone: str, first: datetime, last: datetime) -> bool:
    """Tell whether there is evidence that the vehicle left between two instants at which it stood there."""
    seen = sorted((s for s in sightings if first <= s.at <= last), key=lambda s: (s.at, s.position, s.read))
    inner = [s for s in seen if first < s.at < last]
    if any(s.zone != zone or s.direction != "none" for s in inner):
        return True
    if any(s.direction == "exit" and s.at == first for s in seen) or any(
        s.direction == "entry" and s.at == last for s in seen
    ):
        return True
    places = {_stands_at(s) for s in seen if s.zone == zone} - {None}
    return len(places) > 1


def counted_since(rule: ZoneRule, since: datetime, at: datetime, timezone: str) -> datetime:
    """Return from when the limit counts: the stay's begin, but not before the rule's hours of that day."""
    begin = hours_begin(rule, at, timezone)
    return since if begin is None else max(since, begin)


def hours_begin(rule: ZoneRule, at: datetime, timezone: str) -> datetime | None:
    """Return when the rule's hours that hold at the instant began; `None` for a rule that holds all day."""
    if rule.start is None and rule.end is None and not rule.days:
        return None
    opens, closes = rule.start or time(), rule.end or time()
    local = local_time(at, timezone)
    day = local_date(at, timezone)
    overnight = opens >= closes and local.time() < opens
    begin = datetime.combine(day - timedelta(days=1) if overnight else day, opens, local.tzinfo)
    return begin.astimezone(at.tzinfo)


def over_limit(rule: ZoneRule, since: datetime, at: datetime, grace: timedelta) -> bool:
    """Tell whether the vehicle overstays: later than the limit and the grace after the stay began."""
    return at > since + timedelta(minutes=rule.limit_minutes or 0) + grace


def within_limit(rule: ZoneRule, since: datetime, at: datetime) -> bool:
    """Tell whether the limit itself, without any grace, has not run out."""
    return at <= since + timedelta(minutes=rule.limit_minutes or 0)
