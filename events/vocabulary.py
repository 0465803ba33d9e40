"""The words of the field as types: instants, plates, amounts and identities.

`Tag` marks a field whose value becomes a tag of the event, so that the log can be queried by it. `Personal`
marks a field that is personal data: the codec is the only place where such a field would be sealed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import cache
from typing import Annotated, NewType
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

UNKNOWN_REGION = "ZZ"
"""The region of a plate whose issuer nobody could read (ISO 3166 keeps ZZ for private use)."""

Plate = NewType("Plate", str)
"""`REGION NUMBER`, normalised: `ON CKTR482`; a plate that nobody could read is `ZZ ?`."""

Cents = NewType("Cents", int)
"""An amount in minor units of the office's currency."""

UNREADABLE = "?"
REDACTED = "REDACTED"
"""What stands where personal data was whose key is destroyed."""

MAX_AMOUNT = 100_000_00
_DROPPED = re.compile(r"[\s\-.·•]+")
_NUMBER = re.compile(r"[0-9A-Z]{1,16}")
_REGION = re.compile(r"[A-Z]{1,3}(-[A-Z0-9]{1,3})?")
_CARD = re.compile(
    r"(?<![0-9A-Za-z])(?:2[ -]?[2-7]|[34568][ -]?[0-9])[ -]?(?:[0-9][ -]?){10,16}[0-9](?![0-9A-Za-z])"
)
_BARE_NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]*)?\s*")
_LOCAL_TIME = re.compile(r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$")
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Tag:
    """The field's value (or each of its values) becomes the tag `name:value` of the event."""

    name: str


@dataclass(frozen=True, slots=True)
class Personal:
    """The field is personal data of `subject`: `plate`, `account`, `place` or `image`."""

    subject: str


def normalised_number(raw: str) -> str:
    """Return a plate number in upper case without spaces, hyphens and dots.

    Raises:
        ValueError: if a character other than a letter or digit remains, or more than 16 do.

    """
    number = _DROPPED.sub("", raw).upper()
    if number in {"", UNREADABLE}:
        return UNREADABLE
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"a plate number is 1 to 16 letters and digits, not {raw[:40]!r}")
    return number


def plate_of(region: str | None, number: str) -> Plate:
    """Return the normalised plate of `region` (`None` where unknown) and `number`.

    Raises:
        ValueError: if the region is not a short code in letters, or the number is not one of a plate.

    """
    code = (region or UNKNOWN_REGION).strip().upper()
    if not _REGION.fullmatch(code):
        raise ValueError(f"a region is a code of 1 to 3 letters, such as ON or US-CA, not {code[:40]!r}")
    return Plate(f"{code} {normalised_number(number)}")


def parse_plate(text: str) -> Plate:
    """Return the plate written as `REGION NUMBER`; further spaces and hyphens in the number are dropped.

    Raises:
        ValueError: if the text has no region, or is not a plate.

    """
    region, _, number = text.strip().partition(" ")
    if not number:
        raise ValueError(f"a plate is written REGION NUMBER, such as ON CKTR482, not {text[:40]!r}")
    return plate_of(region, number)


def region_of(plate: Plate) -> str:
    """Return the region of a normalised plate."""
    return plate.partition(" ")[0]


def number_of(plate: Plate) -> str:
    """Return the number of a normalised plate, `?` where it was unreadable."""
    return plate.partition(" ")[2]


def is_readable(plate: Plate) -> bool:
    """Tell whether the plate's number can be read; what nobody could or may read matches nothing."""
    return plate != REDACTED and number_of(plate) != UNREADABLE


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant needs an offset from UTC, such as 2026-03-05T09:02:11-05:00")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant lies within the years 1 to 9999 of UTC") from None


def _not_a_number(value: object) -> object:
    """Refuse ticks of a clock, as text too: nobody can tell seconds from milliseconds."""
    if isinstance(value, int | float) or (isinstance(value, str) and _BARE_NUMBER.fullmatch(value)):
        raise ValueError("an instant is written as RFC 3339 text, such as 2026-03-05T14:02:11Z")
    return value


def _local_time(value: object) -> object:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value):
        raise ValueError("a time of day is written HH:MM, such as 07:00")
    return "00:00" if value.startswith("24") else value


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of the IANA database, which take milliseconds to list."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _time_zones():
        raise ValueError(f"{name!r} is not a time zone of the IANA database, such as America/Toronto")
    return name


def looks_like_card_number(text: str) -> bool:
    """Tell whether the text holds 13 to 19 digits as card issuers give them, passing the Luhn check.

    Issuers' numbers begin with 22 to 27, 3, 4, 5, 6 or 8 (ISO/IEC 7812-1; the check is its Annex B).
    Dates and clock ticks begin otherwise, and one UUID in four thousand would pass the check by chance.
    """
    for found in _CARD.finditer(_UUID.sub("", text)):
        digits = [int(c) for c in found.group() if c.isdigit()]
        doubled = sum(sum(divmod(2 * d, 10)) for d in digits[-2::-2])
        if (sum(digits[-1::-2]) + doubled) % 10 == 0:
            return True
    return False


def _no_control(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text may not hold the character NUL")
    return text


Instant = Annotated[datetime, BeforeValidator(_not_a_number), AfterValidator(_aware)]
"""A moment with an offset, kept in UTC; a naive time is refused."""

LocalTime = Annotated[
    time,
    BeforeValidator(_local_time),
    WithJsonSchema({"type": "string", "pattern": _LOCAL_TIME.pattern, "examples": ["07:00", "24:00"]}),
]
"""A time of a zone's local day, `HH:MM` or `HH:MM:SS`; the day's end, `24:00`, is the next one's midnight."""

TimeZone = Annotated[str, AfterValidator(_known_zone)]
Amount = Annotated[Cents, Field(strict=True, ge=0, le=MAX_AMOUNT)]
PositiveAmount = Annotated[Cents, Field(strict=True, gt=0, le=MAX_AMOUNT)]
Identity = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
"""The name by which an office knows a thing: 1 to 100 characters, none of them a control character."""

Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_no_control)]
Word = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_no_control)
]
PlateText = Annotated[Plate, AfterValidator(parse_plate)]

ZoneId = Annotated[Identity, Tag("zone")]
PermitId = Annotated[Identity, Tag("permit")]
AccountId = Annotated[Identity, Tag("account"), Personal("account")]
SessionId = Annotated[Identity, Tag("session")]
ExemptionId = Annotated[Identity, Tag("exemption")]
ReadId = Annotated[Identity, Tag("read")]
DeviceId = Annotated[Identity, Tag("device")]
CitationId = Annotated[Identity, Tag("citation")]
PaymentId = Annotated[Identity, Tag("payment")]
AppealId = Annotated[Identity, Tag("appeal")]
EntryId = Annotated[Identity, Tag("entry")]
IncidentId = Annotated[Identity, Tag("incident")]
PlateTag = Annotated[PlateText, Tag("plate"), Personal("plate")]


def zone_info(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name."""
    return ZoneInfo(name)
