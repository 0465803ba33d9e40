"""What every question may say of time: `at`, `known`, and `at_least`.

`at` is business time, `known` what the log held by then: an instant or a position. `at_least` asks for an
answer no older than a position, such as the one that one's own write answered with.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import Path, Query
from pydantic import BeforeValidator, TypeAdapter, ValidationError, WithJsonSchema
from starlette.types import Scope

from events.vocabulary import Identity, Instant, parse_plate, plate_of
from operations.problems import Problem

LATEST = "latest"
MAX_POSITION = 2**63 - 2
EARLIEST = 1900
"""The first year that is asked about: nothing was parked before, and weeks and days can be taken off it."""

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_DATED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$")

type Known = int | datetime | None
"""A position, an instant, or None: all that is known now."""


class BadParameter(ValueError):
    """A parameter cannot be used; the message says how it is written."""


def instant(text: str) -> datetime:
    """Return an instant of RFC 3339; a `+` of its offset that an address turned into a space is kept.

    Raises:
        BadParameter: if it is not one, has no offset, or lies before the first year that is asked about.

    """
    if not _DATED.match(text):
        raise BadParameter("an instant is written as RFC 3339 text, such as 2026-03-05T14:02:11Z")
    try:
        found = _INSTANT.validate_python(_LOST_PLUS.sub(r"+\1", text))
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadParameter(message) from None
    if found.year < EARLIEST:
        raise BadParameter(f"it lies before the year {EARLIEST}")
    return found


def known(text: str) -> Known:
    """Return what `known` says: a position, an instant, or `latest`.

    Raises:
        BadParameter: if it is none of them.

    """
    if text == LATEST:
        return None
    if text.isascii() and text.isdigit():
        return position(text)
    return instant(text)


def position(text: str) -> int:
    """Return a position of the log.

    Raises:
        BadParameter: if it is not a whole number from 0 on.

    """
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > MAX_POSITION:  # noqa: PLR2004
        raise BadParameter("a position is a whole number from 0 on")
    return int(text)


_AT = Query(
    description="The moment in the world that is asked about, with its offset; now where it is left out.",
    examples=["2026-03-05T14:05:40Z"],
)
_KNOWN = Query(
    description="Answer as it was known then: an instant, a position of the log, or `latest`.",
    examples=["2026-03-05T14:31:04Z", "1042", LATEST],
)
_AT_LEAST = Query(
    ge=0,
    le=MAX_POSITION,
    description="Wait until the answer rests on this position at least; 503 with `behind` if it does not.",
    examples=[1042],
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The moment that is asked about, and from how much knowledge it is to be answered."""

    at: datetime | None = None
    known: Known = None
    at_least: int | None = None


At = Annotated[datetime, BeforeValidator(instant)]
KnownThen = Annotated[
    int | datetime | None,
    BeforeValidator(known),
    WithJsonSchema({"type": "string", "pattern": r"^([0-9]+|latest|\d{4}-\d\d-\d\dT.+)$"}),
]


async def moment(
    at: Annotated[At | None, _AT] = None,
    known: Annotated[KnownThen, _KNOWN] = None,
    at_least: Annotated[int | None, _AT_LEAST] = None,
) -> Asked:
    """Return what the question says of time, for routes where history is meant."""
    return Asked(at, known, at_least)


async def recall(
    known: Annotated[KnownThen, _KNOWN] = None, at_least: Annotated[int | None, _AT_LEAST] = None
) -> Asked:
    """Return what the question says of time, for routes about all of history, as far as it was known."""
    return Asked(known=known, at_least=at_least)


async def freshness(at_least: Annotated[int | None, _AT_LEAST] = None) -> Asked:
    """Return what the question says of time, for routes that answer what is known now."""
    return Asked(at_least=at_least)


def plate(text: str, region: str | None = None) -> str:
    """Return a normalised plate from a part of an address, with its region there or apart.

    Raises:
        Problem: 422, if it is not a plate.

    """
    try:
        return plate_of(region, text) if region else parse_plate(text)
    except ValueError as error:
        raise unusable("plate", str(error)) from None


def tag_of(text: str) -> str:
    """Return a tag as the log has it: a plate may be written in any case, with spaces and hyphens.

    Raises:
        Problem: 422, if it is no tag.

    """
    name, colon, value = text.partition(":")
    if not colon or "\x00" in text:
        raise unusable("tag", "a tag is written name:value, such as citation:PV-50001")
    if name != "plate":
        return text
    try:
        return f"plate:{parse_plate(value)}"
    except ValueError as error:
        raise unusable("tag", str(error)) from None


def unusable(field: str, message: str) -> Problem:
    """Return the problem that one parameter cannot be used."""
    wrong = f"is refused: {message}"
    return Problem(422, "Unusable input", f"{field} {wrong}", errors=[{"field": field, "problem": wrong}])


SLASH = "\ue02f"
"""Stands, inside the app alone, for the slash of a name; no name holds it (it is for private use)."""


def whole_names(scope: Scope) -> Scope:
    """Return a request in whose path a slash inside a name (`%2F`) does not end the name."""
    raw = scope.get("raw_path", b"").partition(b"?")[0]
    if b"%2F" not in raw and b"%2f" not in raw:
        return scope
    kept = raw.replace(b"%2F", SLASH.encode()).replace(b"%2f", SLASH.encode())
    return {**scope, "path": unquote_to_bytes(kept).decode(errors="replace")}


def _with_slash(name: object) -> object:
    return name.replace(SLASH, "/") if isinstance(name, str) else name


Named = Annotated[
    Identity, BeforeValidator(_with_slash), Path(description="The name that the office knows it by.")
]
"""A part of an address that names a thing."""
