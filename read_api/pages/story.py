"""A timeline as its page shows it: numbered entries, the steps of the slider, the drawing. No I/O."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from commands.rights import Interval
from events.base import Event
from events.catalogue import CATALOGUE
from projections.timeline import TimelineEntry
from read_api.pages.figures import duration_text, instant_text
from read_api.pages.tracks import Drawing, Moment, Span, draw
from read_api.pages.words import ANSWERS, Wording, wording

MOST = 80
"""Entries that one drawing has room for; those closest in time to the citation are kept."""
LATE = timedelta(minutes=2)
"""A delay between the two clocks that is worth a word."""


@dataclass(frozen=True, slots=True)
class Step:
    """A place of the slider: a position at which something of the story became known."""

    position: int
    recorded: datetime
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the list shows it."""

    number: int
    position: int
    at: datetime
    recorded: datetime
    kind: str
    title: str
    detail: str
    known: bool
    delay: str
    device_time: datetime | None
    then: str


@dataclass(frozen=True, slots=True)
class Story:
    """The entries of a timeline in the order of what happened, with their words."""

    entries: tuple[tuple[TimelineEntry, Wording], ...]
    zone: ZoneInfo
    hidden: int

    @classmethod
    def of(cls, entries: Sequence[TimelineEntry], zone: ZoneInfo, about: datetime) -> "Story":
        """Return the story of these entries, or of as many around an instant as a drawing has room for."""
        near = sorted(entries, key=lambda e: abs(e.at - about))[:MOST]
        kept = sorted(near, key=lambda e: (e.at, e.position))
        worded = tuple((entry, wording(_event(entry), zone)) for entry in kept)
        return cls(worded, zone, len(entries) - len(kept))

    @property
    def numbers(self) -> dict[int, int]:
        """The number of each entry by its position."""
        return {entry.position: number for number, (entry, _) in enumerate(self.entries, 1)}

    def steps(self) -> list[Step]:
        """Return the steps of the slider, in the order in which things became known."""
        ordered = sorted((entry for entry, _ in self.entries), key=lambda e: e.position)
        return [
            Step(
                entry.position,
                entry.recorded,
                f"{instant_text(entry.recorded, self.zone)} \N{MIDDLE DOT} position {entry.position}",
            )
            for entry in ordered
        ]

    def lines(self, known: int) -> list[Line]:
        """Return the entries as the list shows them, as of a position."""
        return [
            Line(
                number,
                entry.position,
                entry.at,
                entry.recorded,
                words.kind,
                words.title,
                words.detail,
                entry.position <= known,
                _delay(entry),
                entry.device_time,
                _then(entry),
            )
            for number, (entry, words) in enumerate(self.entries, 1)
        ]

    def drawing(self, intervals: Iterable[Interval], step: Step, observed: datetime) -> Drawing:
        """Return the drawing as of a step, with the rights that were known then."""
        moments = [
            Moment(entry.position, entry.at, entry.recorded, words.kind, words.title)
            for entry, words in self.entries
        ]
        spans = [
            Span(f"{i.right} valid" if i.kind != "exemption" else f"{i.right} exempt", i.kind, i.start, i.end)
            for i in intervals
        ]
        return draw(moments, spans, self.zone, known=step.position, known_at=step.recorded, observed=observed)


def step_at(steps: Sequence[Step], position: int) -> int:
    """Return the index of the last step at or before a position; the first where there is none."""
    return max(0, bisect_right([step.position for step in steps], position) - 1)


def _event(entry: TimelineEntry) -> Event:
    return CATALOGUE[entry.type].revive(msgspec.json.encode(entry.fields), entry.at)


def _delay(entry: TimelineEntry) -> str:
    late = entry.recorded - entry.at
    return f"{duration_text(late)} later" if late >= LATE else ""


def _then(entry: TimelineEntry) -> str:
    """Return what the log knew of the plate when it took a read or citation, where it knows better now."""
    then, now = entry.known_then, entry.known_now
    if then is None or now is None or then.answer == now.answer:
        return ""
    words = [ANSWERS[one.answer].lower() for one in (then, now)]
    return f"By what was known then: {words[0]}. By what is known now: {words[1]}."
