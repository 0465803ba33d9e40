"""Facts that the tests of the read models are told with, at minutes after a fixed start."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from event_store.log import Log
from events.appeals import AppealDecided, AppealFiled
from events.base import Event
from events.citations import CitationIssued
from events.envelope import Append, Appended, Recorded
from events.payments import PaymentAuthorised, PaymentDishonoured
from events.permits import ActivePlateSelected, PermitPurchased, PermitRevoked, PlateAdded
from events.policies import PolicyAdopted
from events.reads import PlateRead, PlateReadCorrected
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled
from events.sessions import ExemptionGranted, SessionStarted
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened

START = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
NOBODY = UUID(int=0)
VEHICLE = "ON CKTR482"


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def told(log: Log, *events: Event) -> Appended:
    return log.append(Append(events, uuid4()))


def entries(events: Iterable[Event]) -> list[Recorded[Event]]:
    """The events as a log would hold them, recorded a minute apart."""
    return [
        Recorded(position, minute(position), event, "tests", "tests", NOBODY)
        for position, event in enumerate(events, start=1)
    ]


def read(name: str, plate: str = VEHICLE, at: float = 0, zone: str = "F", device: str = "H3") -> PlateRead:
    return PlateRead(at=minute(at), read=name, plate=Plate(plate), zone=zone, device=device)


def corrected(name: str, plate: str, at: float = 1) -> PlateReadCorrected:
    return PlateReadCorrected(at=minute(at), read=name, plate=Plate(plate))


def bought(
    permit: str,
    plates: Sequence[str] = (VEHICLE,),
    zones: Sequence[str] = ("F",),
    at: float = 0,
    until: float = 60 * 24,
    payment: str | None = None,
    account: str | None = None,
) -> PermitPurchased:
    return PermitPurchased(
        at=minute(at),
        permit=permit,
        account=account,
        plates=tuple(map(Plate, plates)),
        zones=tuple(zones),
        valid_from=minute(at),
        valid_until=minute(until),
        payment=payment,
    )


def added(permit: str, plate: str, at: float = 1) -> PlateAdded:
    return PlateAdded(at=minute(at), permit=permit, plate=Plate(plate), effective_from=minute(at))


def selected(permit: str, plate: str, at: float = 2) -> ActivePlateSelected:
    return ActivePlateSelected(at=minute(at), permit=permit, plate=Plate(plate))


def paid(
    payment: str, at: float = 0, permit: str | None = None, citation: str | None = None, amount: int = 24000
) -> PaymentAuthorised:
    return PaymentAuthorised(
        at=minute(at), payment=payment, amount=Cents(amount), permit=permit, citation=citation
    )


def bounced(payment: str, at: float = 100) -> PaymentDishonoured:
    return PaymentDishonoured(at=minute(at), payment=payment)


def revoked(permit: str, effective: float, at: float | None = None) -> PermitRevoked:
    return PermitRevoked(
        at=minute(effective if at is None else at), permit=permit, effective_at=minute(effective)
    )


def parked_in(session: str, plate: str = VEHICLE, at: float = 0, until: float = 60) -> SessionStarted:
    return SessionStarted(
        at=minute(at),
        session=session,
        plate=Plate(plate),
        zone="F",
        start=minute(at),
        until=minute(until),
        channel="app",
    )


def exempted(exemption: str, plate: str = VEHICLE, at: float = 0, until: float = 60) -> ExemptionGranted:
    return ExemptionGranted(
        at=minute(at), exemption=exemption, plate=Plate(plate), start=minute(at), until=minute(until)
    )


def cited(
    citation: str, plate: str = VEHICLE, at: float = 10, basis: Sequence[str] = (), zone: str = "F"
) -> CitationIssued:
    return CitationIssued(
        at=minute(at), citation=citation, plate=Plate(plate), zone=zone, code="NO_PERMIT", basis=tuple(basis)
    )


def appealed(appeal: str, citation: str, at: float = 20) -> AppealFiled:
    return AppealFiled(at=minute(at), appeal=appeal, citation=citation, level=1)


def dismissed(appeal: str, citation: str, at: float = 30) -> AppealDecided:
    return AppealDecided(at=minute(at), appeal=appeal, citation=citation, outcome="dismissed")


def watched(
    entry: str, plate: str = VEHICLE, at: float = 0, expires: float | None = None
) -> WatchlistEntryAdded:
    return WatchlistEntryAdded(
        at=minute(at),
        entry=entry,
        plate=Plate(plate),
        reason="stolen",
        expires=None if expires is None else minute(expires),
    )


def unwatched(entry: str, at: float = 5) -> WatchlistEntryCancelled:
    return WatchlistEntryCancelled(at=minute(at), entry=entry)


def adopted(policy: str, effective: float = 0, **values: int) -> PolicyAdopted:
    return PolicyAdopted(
        at=minute(effective), policy=policy, effective_from=minute(effective), values=dict(values)
    )


def opened(zone: str = "F", at: float = 0) -> ZoneOpened:
    return ZoneOpened(at=minute(at), zone=zone, name=f"Zone {zone}", timezone="America/Toronto")
