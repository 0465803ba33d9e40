"""The story of a permit that was paid at 9:02 and posted at 9:31, after the citation of 9:06."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from events.appeals import AppealFiled
from events.base import Event
from events.citations import CitationIssued
from events.payments import PaymentAuthorised, PaymentCaptured
from events.permits import PermitPurchased
from events.reads import PlateRead, Shown
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened, ZoneRule, ZoneRulesSet

TORONTO = ZoneInfo("America/Toronto")
PLATE = Plate("ON CKTR482")
CITATION = "PV-50001"


class Told(NamedTuple):
    """An event, and when the log accepts it."""

    recorded: datetime
    event: Event


def day(hour: int, minute: int, second: int = 0, *, date: int = 5) -> datetime:
    return datetime(2026, 3, date, hour, minute, second, tzinfo=TORONTO)


def read(name: str, at: datetime) -> PlateRead:
    return PlateRead(
        at=at, read=name, plate=PLATE, zone="F", device="H3", shown=Shown("no_right", 2), officer="O-7"
    )


def story() -> list[Told]:
    """Return the story in the order in which the log learned of it."""
    posted = day(9, 31, 4)
    opened = day(0, 0) - timedelta(days=30)
    rule = ZoneRule("NO_PERMIT", "permit")
    events: list[tuple[Event, datetime | None]] = [
        (ZoneOpened(at=opened, zone="F", name="Faculty", timezone="America/Toronto"), None),
        (ZoneRulesSet(at=opened, zone="F", effective_from=opened, rules=(rule,)), None),
        (read("e1", day(8, 58, 20)), None),
        (read("e4", day(9, 5, 40)), None),
        (
            CitationIssued(
                at=day(9, 6, 30), citation=CITATION, plate=PLATE, zone="F", code="NO_PERMIT", basis=("e4",),
                fine=Cents(6000), officer="O-7",
            ),
            None,
        ),
        (
            PaymentAuthorised(at=day(9, 2, 11), payment="T-1001", amount=Cents(24000), permit="T-1001"),
            posted,
        ),
        (
            PermitPurchased(
                at=day(9, 2, 11), permit="T-1001", plates=(PLATE,), zones=("F",), payment="T-1001",
                valid_from=day(9, 2, 11), valid_until=datetime(2026, 5, 1, tzinfo=TORONTO),
            ),
            posted,
        ),
        (AppealFiled(at=day(11, 15), appeal="AP-1", citation=CITATION), None),
        (PaymentCaptured(at=day(0, 10, date=6), payment="T-1001"), None),
    ]  # fmt: skip
    return [Told(recorded or event.at + timedelta(seconds=1), event) for event, recorded in events]
