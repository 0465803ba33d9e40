"""Zones: where a vehicle may stand, and under which rules, from when."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from events.base import Event
from events.vocabulary import Instant, LocalTime, TimeZone, Word, ZoneId

type Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
type RuleKind = Literal["permit", "paid", "time_limit", "no_parking"]


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """A rule of a zone, in force on `days` from `start` to `end` of the zone's local day.

    Without days it holds every day; without hours, all day. An `end` at or before `start` is on the next day.
    """

    code: Word
    kind: RuleKind
    days: tuple[Day, ...] | None = None
    start: LocalTime | None = None
    end: LocalTime | None = None
    limit_minutes: Annotated[int, Field(strict=True, gt=0, le=60 * 24 * 365)] | None = None


class ZoneOpened(Event):
    """A zone exists from now on. `capacity` bounds the rights in force at once, `spaces` are its stalls."""

    zone: ZoneId
    name: Word
    timezone: TimeZone
    capacity: Annotated[int, Field(ge=0)] | None = None
    spaces: Annotated[int, Field(ge=0)] | None = None
    lot: Word | None = None


class ZoneRulesSet(Event):
    """From `effective_from` the zone's rules are these, and no others."""

    zone: ZoneId
    effective_from: Instant
    rules: tuple[ZoneRule, ...]


class ZoneClosed(Event):
    """The zone is no longer used."""

    zone: ZoneId
