"""What happened, as Curb Data Specification JSON that its own schema accepts."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from events.reads import PlateRead
from events.sessions import SessionEnded, SessionStarted
from tests.commands.cases import CAR, cents, cited, seen, t
from tests.read_api.office import Office

SCHEMA = Path(__file__).parents[3] / "shared" / "data" / "cds"
MARCH = {"from_": "2026-03-01", "to": "2026-04-01"}
BEGIN = t("2026-03-05 09:00:00")


def told(office: Office) -> list[dict[str, Any]]:
    office.report(
        seen("2026-03-05 08:59:00", "r1", confidence=0.93),
        PlateRead(at=BEGIN, read="r2", plate=CAR, zone="F", device="gate 1", direction="exit"),
        SessionStarted(
            at=BEGIN, session="S-1", plate=CAR, zone="F", start=BEGIN, until=BEGIN + timedelta(hours=1),
            amount=cents(250),
        ),
        SessionEnded(at=BEGIN + timedelta(minutes=30), session="S-1"),
        cited(fine=cents(6000)),
        catch_up=False,
    )  # fmt: skip
    found: dict[str, Any] = office.get("/v1/curb-events", "analyst", **MARCH).json()
    assert found["version"] == "1.1.0"
    events: list[dict[str, Any]] = found["data"]["events"]
    return events


def test_each_fact_becomes_the_event_that_the_specification_has_for_it(office: Office) -> None:
    events = told(office)
    kinds = [event["event_type"] for event in events]
    assert sorted(kinds) == ["citation_issued", "exit_area", "park_end", "park_start", "vehicle_detected"]
    times = [event["event_time"] for event in events]
    assert times == sorted(times)
    begun, ended = (e for e in events if "event_session_id" in e)
    assert begun["event_session_id"] == ended["event_session_id"]
    assert begun["curb_zone_id"] == ended["curb_zone_id"]
    assert begun["actual_cost"] == 250


def test_no_plate_leaves_the_house(office: Office) -> None:
    assert "CKTR482" not in str(told(office))


@pytest.mark.shared
@pytest.mark.skipif(not SCHEMA.is_dir(), reason="the schema of CDS is in ../shared/data/cds, which is absent")
def test_the_schema_of_the_specification_accepts_every_event(office: Office) -> None:
    validator = jsonschema.Draft202012Validator(resolved(SCHEMA / "curb_event.yaml"))
    for event in told(office):
        validator.validate(event)
        assert event["event_id"]
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"event_type": "parked"})


def resolved(file: Path) -> Any:
    """Return a schema with the files that it names in their places; one that is absent allows anything."""
    return _with_files(yaml.safe_load(file.read_text()), file.parent)


def _with_files(node: Any, folder: Path) -> Any:
    if isinstance(node, dict):
        name = node.get("$ref")
        if isinstance(name, str) and name.endswith(".yaml"):
            file = folder / Path(name).name
            return resolved(file) if file.exists() else {}
        return {key: _with_files(value, folder) for key, value in node.items()}
    return [_with_files(one, folder) for one in node] if isinstance(node, list) else node
