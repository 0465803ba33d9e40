"""A city's year in facts: mostly plate reads, with citations, payments, appeals and permits among them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from random import Random
from uuid import UUID

from event_store.bulk import SIZE, Bulk
from event_store.identifiers import uuid7
from events.appeals import AppealDecided, AppealFiled
from events.base import Event
from events.citations import CitationIssued, CitationVoided
from events.envelope import Append, Origin
from events.payments import PaymentReceived, PaymentRefunded
from events.permits import PermitPurchased
from events.reads import PlateRead
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
ZONES, LOTS, VEHICLES = 40, 8, 60_000
_ORIGIN = Origin("import", "import")


def facts(count: int) -> Iterator[Event]:
    """Yield about so many facts in the order in which they happened: 3 % citations and what follows them."""
    chance = Random(3)  # noqa: S311 - a city, not a secret
    for number in range(ZONES):
        zone, lot = f"Z{number}", f"Lot {number % LOTS}"
        yield ZoneOpened(at=BEGIN, zone=zone, name=zone, timezone="America/Toronto", spaces=120, lot=lot)
    step = YEAR / count
    for number in range(count - ZONES):
        at = BEGIN + number * step
        plate = Plate(f"ON {chance.randrange(VEHICLES):06d}")
        zone = f"Z{chance.randrange(ZONES)}"
        kind = chance.random()
        if kind < 0.03:
            yield from _cited(chance, f"PV-{number}", at, plate, zone)
        elif kind < 0.04:
            yield from _bought(chance, number, at, plate, zone)
        else:
            yield PlateRead(
                at=at, read=f"R-{number}", plate=plate, zone=zone, device=f"V-{number % 12}",
                officer=f"officer {number % 30}", session=f"patrol {number // 400}",
            )  # fmt: skip


def _cited(chance: Random, name: str, at: datetime, plate: Plate, zone: str) -> Iterator[Event]:
    officer = f"officer {chance.randrange(30)}"
    yield CitationIssued(
        at=at, citation=name, plate=plate, zone=zone, code="NO_PERMIT", fine=Cents(6000), officer=officer
    )
    told = chance.random()
    if told < 0.6:
        amount = Cents(3000 if told < 0.3 else 6000)
        yield PaymentReceived(at=at + timedelta(days=5), payment=f"P-{name}", amount=amount, citation=name)
        if told < 0.02:
            yield PaymentRefunded(at=at + timedelta(days=9), payment=f"P-{name}", amount=amount)
    elif told < 0.65:
        yield CitationVoided(at=at + timedelta(days=1), citation=name, reason="error")
    elif told < 0.75:
        yield AppealFiled(at=at + timedelta(days=3), appeal=f"A-{name}", citation=name)
        outcome = chance.choice(("upheld", "dismissed"))
        yield AppealDecided(
            at=at + timedelta(days=20), appeal=f"A-{name}", citation=name, outcome=outcome, reason="evidence"
        )


def _bought(chance: Random, number: int, at: datetime, plate: Plate, zone: str) -> Iterator[Event]:
    kind, payment = chance.choice(("commuter", "resident", "visitor")), f"P-T-{number}"
    yield PermitPurchased(
        at=at, permit=f"T-{number}", permit_type=kind, zones=(zone,), plates=(plate,), valid_from=at,
        valid_until=at + timedelta(days=30), price=Cents(5000), payment=payment,
    )  # fmt: skip
    yield PaymentReceived(at=at, payment=payment, amount=Cents(5000), permit=f"T-{number}")


def load(dsn: str, count: int) -> None:
    """Put the year into a log, in batches, as an import does."""
    way_in = Bulk(dsn)
    for batch in batched(facts(count), SIZE):
        way_in.submit([Append([fact], _id(), origin=_ORIGIN, fingerprint=b"f" * 32) for fact in batch])
    way_in.close()


def _id() -> UUID:
    return uuid7()
