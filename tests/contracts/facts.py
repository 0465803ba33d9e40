"""Facts for tests of logs: short to write, and of several types and tags."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from event_store.log import Log
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Appended, Origin
from events.permits import PermitPurchased
from events.policies import PolicyAdopted
from events.reads import PlateRead
from events.sessions import SessionStarted
from events.vocabulary import Plate

NINE = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
PLATE = Plate("ON CKTR482")


def read(name: str = "r1", plate: str = PLATE, zone: str = "F") -> PlateRead:
    return PlateRead(at=NINE, read=name, plate=Plate(plate), zone=zone, device="H0")


def session(name: str = "s1", plate: str = PLATE, zone: str = "F") -> SessionStarted:
    return SessionStarted(
        at=NINE, session=name, plate=Plate(plate), zone=zone, start=NINE, until=NINE, channel="app"
    )


def permit(name: str = "T-1", *plates: str, zones: Sequence[str] = ("F", "G")) -> PermitPurchased:
    return PermitPurchased(
        at=NINE, permit=name, zones=tuple(zones), plates=tuple(Plate(p) for p in plates or (PLATE,)),
        valid_from=NINE, valid_until=NINE,
    )  # fmt: skip


def policy(name: str = "standard-1") -> PolicyAdopted:
    return PolicyAdopted(at=NINE, policy=name, effective_from=NINE, values={"fine": 6000})


def append(
    log: Log,
    *events: Event,
    boundary: Boundary[Event] | None = None,
    after: int = 0,
    command_id: UUID | None = None,
    origin: Origin | None = None,
    fingerprint: bytes = b"",
) -> Appended:
    wanted = Append(events, command_id or uuid4(), boundary, after, origin or Origin(), fingerprint)
    return log.append(wanted)


def names(entries: Sequence[object]) -> list[str]:
    """Return what distinguishes entries at a glance: the name that the office knows each by."""
    found: list[str] = []
    for entry in entries:
        event = entry.event  # type: ignore[attr-defined]
        values = {field: getattr(event, field, None) for field in ("read", "session", "permit", "policy")}
        found.append(next(value for value in values.values() if value))
    return found
