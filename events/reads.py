"""Plate reads: what a device saw, what its screen answered, and what people said of it later."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from events.base import Event
from events.vocabulary import (
    DeviceId,
    Identity,
    Instant,
    Personal,
    PlateTag,
    PlateText,
    ReadId,
    Tag,
    Text,
    Word,
    ZoneId,
)

type Answer = Literal["valid", "in_grace", "no_right", "possible_match", "exempt"]
type Direction = Literal["entry", "exit", "none"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the officer's screen answered, and the position of the log that the answer rested on."""

    answer: Answer
    position: Annotated[int, Field(strict=True, ge=0)]
    right: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stood, WGS 84 degrees."""

    latitude: Annotated[float, Field(strict=True, ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(strict=True, ge=-180, le=180)] | None = None
    text: Text | None = None


def _described(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


type PlaceSaid = Annotated[Place, BeforeValidator(_described, json_schema_input_type=Place | Text)]
"""A place, or the words alone that it is known by: `stall 14`."""


class PlateRead(Event):
    """A device read a plate. `at` is corrected by the device's clock offset, `device_time` is its claim."""

    read: ReadId
    plate: PlateTag
    zone: ZoneId
    device: DeviceId
    raw: Annotated[Text, Personal("plate")] | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    candidates: Annotated[tuple[Word, ...], Personal("plate")] | None = None
    image: Annotated[Word, Personal("image")] | None = None
    place: Annotated[PlaceSaid, Personal("place")] | None = None
    direction: Direction = "none"
    online: bool = True
    device_time: Instant | None = None
    list_version: Annotated[int, Field(ge=0)] | None = None
    shown: Shown | None = None
    officer: Word | None = None
    session: Identity | None = None


class PlateReadCorrected(Event):
    """A person read the image again: the plate is `plate` and `was` misread."""

    read: ReadId
    plate: PlateTag
    was: Annotated[PlateText, Tag("plate"), Personal("plate")] | None = None
    basis: Text | None = None


class PossibleMatchConfirmed(Event):
    """A person saw in the image that the read is of the candidate's plate."""

    read: ReadId
    candidate: Annotated[PlateText, Tag("plate"), Personal("plate")]


class PossibleMatchDenied(Event):
    """A person saw in the image that the read is not of the candidate's plate."""

    read: ReadId
    candidate: Annotated[PlateText, Tag("plate"), Personal("plate")]


class DeviceSynced(Event):
    """A device fetched the list as of log position `list_version`; its clock was that many seconds fast."""

    device: DeviceId
    list_version: Annotated[int, Field(ge=0)]
    clock_offset_seconds: float | None = None
