"""The forms of the pages, as data: which command each tells the write API, and how its fields are read."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from read_api.asking import plate as plate_in
from read_api.asking import unusable

_THOUSANDS = re.compile(r",(?=[0-9]{3}(?![0-9]))")
_AMOUNT = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,2}))?")

type Read = Callable[[str, str], Any]
"""Turns the text of a field, by name, into what the command takes."""


def text(_: str, value: str) -> str:
    """Return a text without blanks around it."""
    return value.strip()


def money(name: str, value: str) -> int:
    """Return minor units of an amount written with at most two decimals, thousands set off or not.

    Raises:
        Problem: 422, if it is not one.

    """
    written = _AMOUNT.fullmatch(_THOUSANDS.sub("", value.strip()).replace(",", "."))
    if written is None:
        raise unusable(name, "an amount is written like 30 or 30.00")
    return int(written[1]) * 100 + int((written[2] or "").ljust(2, "0"))


def number(name: str, value: str) -> int:
    """Return a whole number.

    Raises:
        Problem: 422, if it is not one.

    """
    stripped = value.strip()
    if not stripped.isascii() or not stripped.isdigit() or len(stripped) > 9:  # noqa: PLR2004 - a billion
        raise unusable(name, "it is written in digits")
    return int(stripped)


def plate(_: str, value: str) -> str:
    """Return a plate, region before number."""
    return plate_in(value)


def plates(_: str, value: str) -> list[str]:
    """Return the one plate of a form as the list that the command takes."""
    return [plate_in(value)]


def words(_: str, value: str) -> list[str]:
    """Return what stands between commas."""
    return [one.strip() for one in value.split(",") if one.strip()]


def zoned(name: str, value: str, timezone: str) -> str:
    """Return a date and time of a clock in a time zone as an instant with its offset.

    Raises:
        Problem: 422, if it is none, or there is no such zone.

    """
    try:
        local = datetime.fromisoformat(value.strip())
        return (local if local.tzinfo else local.replace(tzinfo=ZoneInfo(timezone))).isoformat()
    except (ValueError, KeyError, OSError):
        raise unusable(name, "it is written like 2026-12-20T14:00") from None


@dataclass(frozen=True, slots=True)
class Step:
    """One command: where it is told, and which fields of the form it takes; `said` is fixed."""

    path: str
    reads: Mapping[str, Read]
    said: Mapping[str, Any] = field(default_factory=dict)
    drops_blank: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """A form: its commands in their order, and what is said once they are done."""

    steps: Sequence[Step]
    done: str
    local: Sequence[str] = ()
    """Fields that say a date and time as a clock of the form's `timezone` shows them."""


_REASON: Mapping[str, Read] = {"reason": text}
_PAY_PERMIT = Step(
    "/v1/payments",
    {"payment": text, "permit": text, "amount": number, "reference": text},
    {"kind": "authorised", "method": "card"},
)

FORMS: Mapping[str, Form] = {
    "buy-permit": Form(
        (
            Step("/v1/permits", {"permit": text, "permit_type": text, "plates": plates, "payment": text}),
            _PAY_PERMIT,
        ),
        "The permit is yours and paid.",
    ),
    "renew-permit": Form(
        (Step("/v1/permits/{permit}/renewals", {"payment": text}), _PAY_PERMIT),
        "The permit is renewed and paid.",
    ),
    "add-plate": Form((Step("/v1/permits/{permit}/plates", {"plate": plate}),), "The vehicle is registered."),
    "remove-plate": Form(
        (Step("/v1/permits/{permit}/plates/removal", {"plate": plate}),), "The vehicle is taken off."
    ),
    "select-plate": Form(
        (Step("/v1/permits/{permit}/active-plate", {"plate": plate}),), "That vehicle is active from now on."
    ),
    "join-waitlist": Form((Step("/v1/waitlists/{permit_type}", {}),), "You are on the waiting list."),
    "accept-place": Form(
        (Step("/v1/waitlists/{permit_type}/offers/{offer}/acceptance", {}),), "The place is yours."
    ),
    "pay-citation": Form(
        (
            Step(
                "/v1/citations/{citation}/payments",
                {"amount": money, "reference": text},
                {"kind": "authorised", "method": "card"},
            ),
        ),
        "The payment counts from this moment.",
    ),
    "file-appeal": Form(
        (Step("/v1/appeals", {"citation": text, "statement": text, "level": number}),), "The appeal is filed."
    ),
    "request-late-filing": Form(
        (Step("/v1/appeals/{appeal}/late-filing", {"citation": text, **_REASON}, {"step": "requested"}),),
        "The request is filed.",
    ),
    "settle-late-filing": Form(
        (Step("/v1/appeals/{appeal}/late-filing", {"citation": text, "step": text, **_REASON}),),
        "It is settled whether the late appeal is heard.",
    ),
    "tell-hearing": Form(
        (Step("/v1/appeals/{appeal}/hearing", {"step": text, "hearing_at": text}),),
        "The hearing is noted.",
        local=("hearing_at",),
    ),
    "withdraw-appeal": Form((Step("/v1/appeals/{appeal}/withdrawal", {}),), "The appeal is withdrawn."),
    "erase-words": Form((Step("/v1/erasure-requests", {}),), "Your words are erased, for everybody."),
    "decide-appeal": Form(
        (Step("/v1/appeals/{appeal}/decision", {"outcome": text, "amount": money, **_REASON}),),
        "The decision is made, and its notice dated.",
    ),
    "void-citation": Form((Step("/v1/citations/{citation}/void", _REASON),), "The citation is void."),
    "add-watch": Form(
        (Step("/v1/watchlist", {"plate": plate, "source": text, **_REASON}),), "Whoever reads it is alerted."
    ),
    "cancel-watch": Form((Step("/v1/watchlist/{entry}/cancellation", _REASON),), "It alerts no longer."),
    "open-incident": Form(
        (Step("/v1/incidents", {"summary": text, "place": text, "plate": plate}),), "The incident is open."
    ),
    "note-incident": Form((Step("/v1/incidents/{incident}/notes", {"summary": text}),), "Noted."),
    "link-incident": Form(
        (Step("/v1/incidents/{incident}/links", {"plate": plate, "account": text, "links": words}),),
        "Linked.",
    ),
    "amend-incident": Form((Step("/v1/incidents/{incident}/amendments", {"summary": text}),), "Amended."),
    "close-incident": Form((Step("/v1/incidents/{incident}/closure", {}),), "The report is locked."),
}
"""Every form by the name that its page sends it under."""
