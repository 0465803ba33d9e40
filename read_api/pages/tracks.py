"""Draws a story with two clocks: when things happened above, when they were recorded below.

Both tracks share one time axis. Knots are the instants of the story; the space between two neighbouring
knots grows with a root of the time between them, so that a second beside a night can still be told apart,
and what arrived late leans visibly. Everything here is arithmetic; the template only prints it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

WIDTH = 1000.0
MARGIN = 44.0
NAMES = 40.0
"""Room for the names of the tracks, left of the first knot."""
MARK = 12.0
"""Radius of an entry's mark, in the drawing's units."""

_ROOT = 0.3
_STEP = 2 * MARK + 4
_TICK_ROOM = 74.0
_HEAD = 46.0
_LEAN = 130.0
_FOOT = 18.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of the story: its two instants, and what kind of thing it is (for colour and shape)."""

    position: int
    at: datetime
    recorded: datetime
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a right was valid, as far as known; `end` is None where it is open."""

    label: str
    kind: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Where an entry stands on both tracks. `number` is its place in the order of what happened."""

    moment: Moment
    number: int
    known: bool
    x_at: float
    y_at: float
    x_recorded: float
    y_recorded: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A label of the axis; `day` names the local date where it begins to be another."""

    x: float
    label: str
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """A valid time on the upper track; an `open` end lies beyond the drawing."""

    x: float
    width: float
    label: str
    kind: str
    open: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything that the template prints, in the units of its `width` by `height`."""

    width: float
    height: float
    y_at: float
    y_recorded: float
    marks: Sequence[Mark]
    ticks: Sequence[Tick]
    bands: Sequence[Band]
    x_known: float
    x_observed: float | None


@dataclass(slots=True)
class Axis:
    """Places instants: `knots` in order of time stand at `xs`, what lies between is interpolated."""

    knots: list[datetime]
    xs: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, instants: Iterable[datetime], width: float) -> "Axis":
        """Return the axis of these instants, of which there is at least one."""
        knots = sorted(set(instants))
        rooms = [(b - a).total_seconds() ** _ROOT for a, b in pairwise(knots)]
        unit = (width - NAMES - 2 * MARGIN) / (sum(rooms) or 1.0)
        xs = [NAMES + MARGIN if rooms else width / 2]
        for room in rooms:
            xs.append(xs[-1] + room * unit)
        return cls(knots, xs)

    def x(self, instant: datetime) -> float:
        """Return where the instant stands; what lies outside stands a little beyond the ends."""
        after = bisect_right(self.knots, instant)
        if after == 0:
            return self.xs[0] - MARGIN * 0.6
        if after == len(self.knots):
            return self.xs[-1] if instant == self.knots[-1] else self.xs[-1] + MARGIN * 0.6
        left, right = self.knots[after - 1], self.knots[after]
        share = (instant - left) / (right - left)
        return self.xs[after - 1] + share * (self.xs[after] - self.xs[after - 1])


def draw(
    moments: Sequence[Moment],
    spans: Sequence[Span],
    zone: ZoneInfo,
    *,
    known: int,
    known_at: datetime,
    observed: datetime | None = None,
) -> Drawing:
    """Return the drawing of a story of which positions up to `known` (recorded by `known_at`) are known."""
    ordered = sorted(moments, key=lambda m: (m.at, m.position))
    width = max(WIDTH, NAMES + 2 * MARGIN + 30.0 * len(ordered))
    instants = [i for m in ordered for i in (m.at, m.recorded)] or [known_at]
    axis = Axis.of([*instants, *([observed] if observed else [])], width)
    above = _stacked([axis.x(m.at) for m in ordered])
    by_recorded = sorted(range(len(ordered)), key=lambda i: ordered[i].position)
    levels = _stacked([axis.x(ordered[i].recorded) for i in by_recorded])
    below = dict(zip(by_recorded, levels, strict=True))
    y_at = _HEAD + _STEP * (max(above, default=0) + 1) + MARK
    y_recorded = y_at + _LEAN
    marks = [
        Mark(
            moment,
            i + 1,
            moment.position <= known,
            axis.x(moment.at),
            y_at - _STEP * (above[i] + 1),
            axis.x(moment.recorded),
            y_recorded + _STEP * (below[i] + 1),
        )
        for i, moment in enumerate(ordered)
    ]
    height = y_recorded + _STEP * (max(levels, default=0) + 1) + MARK + _FOOT
    return Drawing(
        width,
        height,
        y_at,
        y_recorded,
        marks,
        _ticks(axis, [m.at for m in ordered], zone),
        _bands(spans, axis, width),
        axis.x(known_at),
        axis.x(observed) if observed else None,
    )


def _stacked(xs: Sequence[float]) -> list[int]:
    """Return for each x the lowest level on which its mark touches none before it."""
    taken: list[float] = []
    levels = []
    for x in xs:
        level = next((n for n, last in enumerate(taken) if x - last >= _STEP), len(taken))
        if level == len(taken):
            taken.append(x)
        taken[level] = x
        levels.append(level)
    return levels


def _bands(spans: Sequence[Span], axis: Axis, width: float) -> list[Band]:
    bands = []
    for span in spans:
        beyond = span.end is None or span.end > axis.knots[-1]
        left = axis.x(span.start)
        right = width if beyond or span.end is None else axis.x(span.end)
        if right > left and (span.end is None or span.end > axis.knots[0]):
            bands.append(Band(left, right - left, span.label, span.kind, beyond))
    return bands


def _ticks(axis: Axis, preferred: Sequence[datetime], zone: ZoneInfo) -> list[Tick]:
    """Return labels in local time, as many as have room, of the preferred instants first.

    Each new local date is named; seconds are told where two labels would read alike without them.
    """
    chosen: list[datetime] = []
    for knot in dict.fromkeys((*preferred, *axis.knots)):
        if all(abs(axis.x(knot) - axis.x(other)) >= _TICK_ROOM for other in chosen):
            chosen.append(knot)
    ticks: list[Tick] = []
    day = ""
    minutes = {knot.replace(second=0, microsecond=0) for knot in chosen}
    clock = "%H:%M" if len(minutes) == len(chosen) else "%H:%M:%S"
    for knot in sorted(chosen):
        local = knot.astimezone(zone)
        today = f"{local:%a} {local.day} {local:%b}"
        ticks.append(Tick(axis.x(knot), f"{local:{clock}}", today if today != day else None))
        day = today
    return ticks
