"""Says in an office's words what an event is: its kind (for colour), a title, and one line of detail."""

import re
from dataclasses import dataclass
from functools import singledispatch
from typing import Literal
from zoneinfo import ZoneInfo

from events.appeals import (
    AppealDecided,
    AppealFiled,
    HearingAdjourned,
    HearingHeld,
    HearingScheduled,
    LateFilingAccepted,
    LateFilingRefused,
    LateFilingRequested,
)
from events.base import Event
from events.citations import (
    CitationEscalated,
    CitationIssued,
    CitationVoided,
    LateFeeAssessed,
    LateFeeReinstated,
    LateFeeReversed,
    ReturnedItemFeeAssessed,
)
from events.payments import PaymentAllocated, PaymentAuthorised, PaymentReceived, PaymentRefunded
from events.permits import (
    ActivePlateSelected,
    PermitCancelled,
    PermitPurchased,
    PermitReinstated,
    PermitRenewed,
    PermitRevoked,
    PermitSuspended,
    PlateAdded,
    PlateAssociationCorrected,
    PlateRemoved,
)
from events.reads import PlateRead, PlateReadCorrected
from events.security import WatchlistEntryAdded
from events.sessions import ExemptionGranted, SessionStarted
from read_api.pages.figures import instant_text, money_text

type Kind = Literal["read", "right", "money", "case", "office"]

ANSWERS = {
    "valid": "Valid",
    "in_grace": "In grace",
    "no_right": "No right",
    "possible_match": "Check plate",
    "exempt": "Exempt",
}
"""The headline of each answer on an officer's screen."""

KIND_OF_AREA: dict[str, Kind] = {
    "reads": "read",
    "permits": "right",
    "sessions": "right",
    "payments": "money",
    "citations": "case",
}
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Wording:
    """An event in words."""

    kind: Kind
    title: str
    detail: str = ""


def wording(event: Event, zone: ZoneInfo | None) -> Wording:
    """Return the event in words, instants in the zone's local time."""
    name = _WORDS.sub(" ", type(event).__name__).capitalize()
    return Wording(KIND_OF_AREA.get(event.area, "office"), _title(event, name), _detail(event, zone))


def _title(event: Event, name: str) -> str:
    match event:
        case PlateRead():
            return f"Plate read by {event.device}"
        case CitationIssued(kind="warning"):
            return f"Warning {event.citation} issued"
        case CitationIssued():
            return f"Citation {event.citation} issued"
        case AppealFiled():
            return "Appeal filed" if event.level == 1 else "Second-level appeal filed"
        case AppealDecided():
            return f"Appeal decided: {event.outcome}"
        case _:
            return name


@singledispatch
def _detail(event: Event, zone: ZoneInfo | None) -> str:
    """Return what is worth saying of the event beyond its title; of most there is nothing."""
    del event, zone
    return ""


@_detail.register
def _(event: PlateRead, _: ZoneInfo | None) -> str:
    shown = event.shown
    screen = (
        f"the screen showed \u201c{ANSWERS[shown.answer]}\u201d from position {shown.position}"
        if shown
        else None
    )
    raw = f"raw {event.raw}" if event.raw else None
    offline = None if event.online else "offline"
    moved = None if event.direction == "none" else event.direction
    version = None if event.list_version is None else f"list {event.list_version}"
    return _joined(event.plate, f"zone {event.zone}", moved, raw, offline, version, screen)


@_detail.register
def _(event: PlateReadCorrected, _: ZoneInfo | None) -> str:
    return _joined(
        f"{event.was} is really {event.plate}" if event.was else f"it is {event.plate}", event.basis
    )


@_detail.register
def _(event: CitationIssued, _: ZoneInfo | None) -> str:
    fine = None if event.fine is None else f"fine {money_text(event.fine)}"
    return _joined(event.code, f"zone {event.zone}", fine, f"by {event.officer}" if event.officer else None)


@_detail.register
def _(event: CitationVoided, _: ZoneInfo | None) -> str:
    return _joined(event.reason, f"duplicate of {event.duplicate_of}" if event.duplicate_of else None)


@_detail.register
def _(event: CitationEscalated, _: ZoneInfo | None) -> str:
    return event.stage


@_detail.register(LateFeeAssessed)
@_detail.register(LateFeeReversed)
@_detail.register(LateFeeReinstated)
@_detail.register(ReturnedItemFeeAssessed)
def _(event: LateFeeAssessed, _: ZoneInfo | None) -> str:
    return _joined(money_text(event.amount), event.reason)


@_detail.register(PaymentAuthorised)
@_detail.register(PaymentReceived)
def _(event: PaymentAuthorised, _: ZoneInfo | None) -> str:
    return _joined(event.payment, money_text(event.amount), event.method)


@_detail.register(PaymentAllocated)
@_detail.register(PaymentRefunded)
def _(event: PaymentRefunded, _: ZoneInfo | None) -> str:
    return _joined(event.payment, money_text(event.amount))


@_detail.register
def _(event: AppealFiled, _: ZoneInfo | None) -> str:
    count = len(event.evidence or ())
    attached = f"{count} piece{'' if count == 1 else 's'} of evidence attached" if count else None
    return _joined(_quoted(event.statement), attached)


@_detail.register(LateFilingRequested)
@_detail.register(LateFilingAccepted)
@_detail.register(LateFilingRefused)
def _(event: LateFilingRequested, _: ZoneInfo | None) -> str:
    return _quoted(event.reason) or ""


@_detail.register(HearingScheduled)
@_detail.register(HearingAdjourned)
@_detail.register(HearingHeld)
def _(event: HearingScheduled, zone: ZoneInfo | None) -> str:
    return f"for {instant_text(event.hearing_at, zone)}" if event.hearing_at else ""


@_detail.register
def _(event: AppealDecided, _: ZoneInfo | None) -> str:
    return _joined(None if event.amount is None else f"to {money_text(event.amount)}", event.reason)


@_detail.register
def _(event: PermitPurchased, zone: ZoneInfo | None) -> str:
    span = f"{instant_text(event.valid_from, zone)} to {instant_text(event.valid_until, zone)}"
    return _joined(event.permit, f"zones {', '.join(event.zones)}", span)


@_detail.register
def _(event: PermitRenewed, zone: ZoneInfo | None) -> str:
    return _joined(event.permit, f"until {instant_text(event.valid_until, zone)}")


@_detail.register(PermitRevoked)
@_detail.register(PermitSuspended)
@_detail.register(PermitCancelled)
def _(event: PermitRevoked, zone: ZoneInfo | None) -> str:
    return _joined(event.permit, f"effective {instant_text(event.effective_at, zone)}", event.reason)


@_detail.register
def _(event: PermitReinstated, zone: ZoneInfo | None) -> str:
    back = f"back to {instant_text(event.retroactive_to, zone)}" if event.retroactive_to else None
    return _joined(event.permit, f"effective {instant_text(event.effective_at, zone)}", back)


@_detail.register(PlateAdded)
@_detail.register(PlateRemoved)
@_detail.register(ActivePlateSelected)
@_detail.register(PlateAssociationCorrected)
def _(event: PlateAdded, _: ZoneInfo | None) -> str:
    return _joined(event.permit, event.plate)


@_detail.register
def _(event: SessionStarted, zone: ZoneInfo | None) -> str:
    return _joined(event.session, f"until {instant_text(event.until, zone)}", event.channel)


@_detail.register
def _(event: ExemptionGranted, zone: ZoneInfo | None) -> str:
    until = f"until {instant_text(event.until, zone)}" if event.until else None
    return _joined(event.exemption, until, event.reason)


@_detail.register
def _(event: WatchlistEntryAdded, _: ZoneInfo | None) -> str:
    return event.reason


def _quoted(words: str | None) -> str | None:
    return f"\u201c{words}\u201d" if words else None


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)
