from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from event_store.log import Log
from events.boundary import on
from events.citations import CitationIssued
from events.reads import DeviceSynced, PlateRead

type Headers = Callable[..., dict[str, str]]
AT = "2026-03-05T09:05:40-05:00"
READ = {"read": "r1", "plate": "ON CKTR482", "zone": "F", "at": AT}


@pytest.fixture
def device(client: TestClient, headers: Headers) -> dict[str, str]:
    client.post("/v1/zones", json={"zone": "F", "timezone": "America/Toronto", "at": "2026-01-01T00:00:00Z"})
    rules = {"rules": [{"code": "NO_PERMIT", "kind": "permit"}], "at": "2026-01-01T00:00:00Z"}
    client.post("/v1/zones/F/rules", json=rules)
    return headers("device", "H3")


def sync(client: TestClient, headers: dict[str, str], said: dict[str, Any]) -> Any:
    return client.post("/v1/devices/H3/sync", json=said, headers=headers)


def test_a_sync_gives_the_list_and_records_its_version(
    client: TestClient, log: Log, device: dict[str, str], catch_up: Callable[[], object]
) -> None:
    permit = {"permit": "T-1", "zones": ["F"], "plates": ["ON CKTR482"]}
    client.post("/v1/permits", json=permit | {"valid_until": "2027-01-01T00:00:00Z"})
    catch_up()
    answer = sync(client, device, {"clock_offset_seconds": 12.5, "zones": ["F"]})
    said = answer.json()
    assert (answer.status_code, said["list_version"], said["position"]) == (201, 3, 4)
    assert [(right["plate"], right["right"]) for right in said["list"]["rights"]] == [("ON CKTR482", "T-1")]
    synced = log.read(on(DeviceSynced)).entries[0].event
    assert (synced.device, synced.list_version, synced.clock_offset_seconds) == ("H3", 3, 12.5)


def test_a_list_is_of_the_zones_that_were_asked_for(
    client: TestClient, device: dict[str, str], catch_up: Callable[[], object]
) -> None:
    permit = {"permit": "T-1", "zones": ["F"], "plates": ["ON CKTR482"]}
    client.post("/v1/permits", json=permit | {"valid_until": "2027-01-01T00:00:00Z"})
    catch_up()
    assert sync(client, device, {"zones": ["G4"]}).json()["list"]["rights"] == []
    assert len(sync(client, device, {}).json()["list"]["rights"]) == 1


def test_offline_work_is_taken_once(client: TestClient, log: Log, device: dict[str, str]) -> None:
    cited = {
        "citation": "PV-1",
        "plate": "ON CKTR482",
        "zone": "F",
        "code": "NO_PERMIT",
        "basis": ["r1"],
        "at": AT,
    }
    work = {"reads": [READ], "citations": [cited]}
    first, again = sync(client, device, work).json(), sync(client, device, work).json()
    assert (first["reads"][0]["read"], first["citations"][0]["citation"]) == ("r1", "PV-1")
    assert again["reads"][0]["position"] == first["reads"][0]["position"]
    reads, citations = log.read(on(PlateRead)).entries, log.read(on(CitationIssued)).entries
    assert [(entry.event.online, entry.event.device) for entry in reads] == [(False, "H3")]
    assert [(entry.event.online, entry.event.device) for entry in citations] == [(False, "H3")]


def test_a_sync_made_again_under_its_key_is_no_second_one(
    client: TestClient, log: Log, device: dict[str, str], catch_up: Callable[[], object]
) -> None:
    permit = {"zones": ["F"], "valid_until": "2027-01-01T00:00:00Z"}
    client.post("/v1/permits", json=permit | {"permit": "T-1", "plates": ["ON CKTR482"]})
    catch_up()
    keyed = device | {"idempotency-key": "back-at-the-office"}
    first = sync(client, keyed, {"reads": [READ]}).json()
    client.post("/v1/permits", json=permit | {"permit": "T-2", "plates": ["ON A1"]})
    catch_up()
    again = sync(client, keyed, {"reads": [READ]}).json()
    for name in ("position", "list_version"):
        assert again[name] == first[name]
    assert again["list"]["rights"] == first["list"]["rights"]
    assert again["list"]["as_of"]["recorded"] == first["list"]["as_of"]["recorded"]
    assert len(log.read(on(DeviceSynced)).entries) == 1
    other = sync(client, keyed, {"reads": [READ | {"read": "r2"}]})
    assert (other.status_code, other.json()["rule"]) == (409, "IdempotencyKeyReused")
    assert len(log.read(on(PlateRead)).entries) == 1


def test_a_piece_of_work_that_is_refused_stops_no_other(
    client: TestClient, log: Log, device: dict[str, str]
) -> None:
    reads = [READ | {"zone": "Q"}, READ | {"read": "r2", "device": "H9"}, READ | {"read": "r3"}]
    said = sync(client, device, {"reads": reads, "citations": [{"plate": "ON"}]}).json()
    assert [(one.get("read"), one.get("rule"), one.get("status")) for one in said["reads"]] == [
        (0, "NoSuchZone", 409),
        (1, None, 422),
        ("r3", None, None),
    ]
    assert (said["citations"][0]["citation"], said["citations"][0]["status"]) == (0, 422)
    assert [entry.event.read for entry in log.read(on(PlateRead)).entries] == ["r3"]


def test_the_devices_time_is_corrected_by_its_measured_offset(
    client: TestClient, log: Log, device: dict[str, str]
) -> None:
    entry = {
        "device": "H3",
        "read": "r9",
        "plate": "ON A1",
        "zone": "F",
        "device_time": "2026-03-05T09:09:00Z",
    }
    client.post("/v1/plate-reads", json=entry, headers=device)
    late = log.read(on(DeviceSynced)).entries
    assert late == []
    sync(client, device, {"clock_offset_seconds": 200})
    now = log.read(on(DeviceSynced)).entries[0].event.at
    client.post(
        "/v1/plate-reads", json=entry | {"read": "r10", "device_time": now.isoformat()}, headers=device
    )
    found = {e.event.read: e.event for e in log.read(on(PlateRead)).entries}
    assert found["r9"].at == found["r9"].device_time
    assert (found["r10"].device_time - found["r10"].at).total_seconds() == 200


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"device": "H9"}, "device"),
        ({"reads": {}}, "reads"),
        ({"clock_offset_seconds": "x"}, "clock_offset_seconds"),
        ({"clock_offset_seconds": True}, "clock_offset_seconds"),
        ({"colour": 1}, "colour"),
    ],
)
def test_an_unusable_sync_names_its_field(
    client: TestClient, device: dict[str, str], said: dict[str, Any], field: str
) -> None:
    answer = sync(client, device, said)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
