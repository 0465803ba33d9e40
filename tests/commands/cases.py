"""A citation in a zone of Toronto, told by its facts; local times are written without their offset."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from commands.evidence import Evidence
from commands.ledger import CitationLedger, evolve_ledger
from events.base import Event
from events.citations import CitationIssued
from events.envelope import Recorded
from events.reads import PlateRead
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened, ZoneRule, ZoneRulesSet

TORONTO = ZoneInfo("America/Toronto")
SECOND = timedelta(seconds=1)
CAR = Plate("ON CKTR482")


def t(text: str) -> datetime:
    """Return the Toronto time written so: `2026-03-05 09:06:30`, or a date alone for its 00:00."""
    return datetime.fromisoformat(text).replace(tzinfo=TORONTO).astimezone(UTC)


def cents(amount: int) -> Cents:
    return Cents(amount)


ZONE = ZoneOpened(at=t("2026-01-01"), zone="F", name="Lot F", timezone="America/Toronto")
PERMITS_ONLY = ZoneRulesSet(
    at=t("2026-01-01"), zone="F", effective_from=t("2026-01-01"), rules=(ZoneRule("NO_PERMIT", "permit"),)
)


def cited(at: str = "2026-03-05 09:06:30", citation: str = "C-1", **further: Any) -> CitationIssued:
    named = {"plate": CAR, "zone": "F", "code": "NO_PERMIT"} | further
    return CitationIssued(at=t(at), citation=citation, **named)


def seen(at: str, read: str = "r1", **further: Any) -> PlateRead:
    named = {"plate": CAR, "zone": "F", "device": "H3"} | further
    return PlateRead(at=t(at), read=read, **named)


def entry(position: int, event: Event, recorded: datetime | None = None) -> Recorded[Any]:
    return Recorded(position, recorded or event.at + SECOND, event, "tests", "tests", UUID(int=0))


def docket(*facts: Event, citation: str = "C-1") -> CitationLedger:
    """Return the docket of these facts, in the order in which the log took them."""
    entries = [entry(position, fact) for position, fact in enumerate(facts, start=1)]
    return reduce(evolve_ledger, entries, CitationLedger(citation))


def evidence(*facts: Event | tuple[str, Event]) -> Evidence:
    """Return the evidence of these facts; `(when, fact)` is one that the log took later than it occurred."""
    dated = [(t(f[0]), f[1]) if isinstance(f, tuple) else (f.at + SECOND, f) for f in facts]
    ordered = sorted(dated, key=lambda fact: fact[0])
    return Evidence.of(entry(n, fact, when) for n, (when, fact) in enumerate(ordered, start=1))
