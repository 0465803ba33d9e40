"""How full a zone is, at any moment of both clocks."""

from datetime import UTC, datetime, timedelta

from events.permits import PermitPurchased
from events.reads import PlateRead
from events.sessions import SessionStarted
from events.vocabulary import Plate
from events.zones import ZoneOpened
from tests.read_api.office import Office

NOW = datetime.now(UTC) - timedelta(hours=1)


def seen(read: str, plate: str, minutes: float, zone: str = "F", direction: str = "none") -> PlateRead:
    at = NOW + timedelta(minutes=minutes)
    return PlateRead(
        at=at,
        read=read,
        plate=Plate(plate),
        zone=zone,
        device="H3",
        direction=direction,  # type: ignore[arg-type]
    )


def test_a_vehicle_stands_where_it_was_read_last(office: Office) -> None:
    office.report(
        ZoneOpened(at=NOW, zone="F", name="F", timezone="UTC", spaces=8, capacity=5),
        ZoneOpened(at=NOW, zone="G", name="G", timezone="UTC"),
        PermitPurchased(
            at=NOW,
            permit="T-1",
            plates=(Plate("ON A1"),),
            zones=("F",),
            valid_from=NOW,
            valid_until=NOW + timedelta(days=9),
        ),
        SessionStarted(
            at=NOW,
            session="S-1",
            plate=Plate("ON B2"),
            zone="F",
            start=NOW,
            until=NOW + timedelta(hours=2),
            channel="app",
        ),
        seen("r1", "ON A1", 1),
        seen("r2", "ON B2", 2),
        seen("r3", "ON C3", 3),
        seen("r4", "ON C3", 4, direction="exit"),
        seen("r5", "ON D4", 5),
        seen("r6", "ON D4", 6, zone="G"),
    )
    full = office.get("/v1/zones/F/occupancy", "director").json()
    assert (full["permits"], full["sessions"], full["vehicles"]) == (1, 1, 2)
    assert (full["spaces"], full["capacity"], full["occupancy"]) == (8, 5, 0.25)
    then = (NOW + timedelta(minutes=5, seconds=1)).isoformat()
    assert office.get("/v1/zones/F/occupancy", "director", at=then).json()["vehicles"] == 3
    assert office.get("/v1/zones/G/occupancy", "director").json()["occupancy"] is None
    assert office.get("/v1/zones/X/occupancy", "director").json()["rule"] == "NoSuchZone"
