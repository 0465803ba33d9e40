"""What offices and their vendors send by mistake or in malice, through the real door.

Each is answered by a problem that names the field, rule or line; nothing is partly applied, nothing leaks.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from event_store.log import Log

AT = "2026-03-05T09:05:40-05:00"
READ = {"read": "r-1", "plate": "ON CKTR482", "zone": "F", "device": "H3"}
CITED = {"citation": "PV-1", "plate": "ON CKTR482", "zone": "F", "code": "NO_PERMIT"}
PAID = {"kind": "received", "amount": 6000, "method": "cash", "citation": "PV-1"}
PERMIT = {"permit": "T-1", "zones": ["F"], "plates": ["ON CKTR482"], "valid_until": "2026-12-31T00:00:00Z"}
LEAKS = ("traceback", "psycopg", "pydantic", "site-packages", "select ", "line 1")


@pytest.fixture
def zone(client: TestClient) -> None:
    opened = {"zone": "F", "timezone": "America/Toronto", "at": "2026-01-01T00:00:00Z"}
    assert client.post("/v1/zones", json=opened).status_code == 201


@pytest.mark.parametrize(
    ("path", "said", "status", "named"),
    [
        ("/v1/plate-reads", READ | {"at": "2026-03-05T09:05:40"}, 422, "at"),
        ("/v1/plate-reads", READ | {"at": "2097-03-05T09:05:40Z"}, 422, "at"),
        ("/v1/plate-reads", READ | {"at": "yesterday"}, 422, "at"),
        ("/v1/plate-reads", READ | {"at": "1772719540"}, 422, "at"),
        ("/v1/plate-reads", READ | {"online": "yes"}, 422, "online"),
        ("/v1/plate-reads", READ | {"confidence": "0.9"}, 422, "confidence"),
        ("/v1/zones", {"timezone": "UTC", "capacity": True}, 422, "capacity"),
        ("/v1/permits/T-1/plates/correction", {"plate": "ON A1", "corrects": True}, 422, "corrects"),
        ("/v1/zones", {"timezone": "UTC", "capacity": "5"}, 422, "capacity"),
        ("/v1/plate-reads", READ | {"plate": ""}, 422, "plate"),
        ("/v1/plate-reads", READ | {"plate": "ON"}, 422, "plate"),
        ("/v1/plate-reads", READ | {"plate": "ON C*K?R"}, 422, "plate"),
        ("/v1/plate-reads", READ | {"plate": "ONTARIO1 CKTR482"}, 422, "plate"),
        ("/v1/plate-reads", READ | {"plate": "ON CKTR\x00482"}, 422, "plate"),
        ("/v1/plate-reads", READ | {"plate": "ON " + "9" * 40}, 422, "plate"),
        ("/v1/plate-reads", READ | {"zone": "NOWHERE"}, 409, "NoSuchZone"),
        ("/v1/plate-reads", READ | {"confidence": 1.5}, 422, "confidence"),
        ("/v1/citations", CITED | {"zone": "NOWHERE"}, 409, "NoSuchZone"),
        ("/v1/citations", CITED | {"basis": ["no-such-read"]}, 409, "NoSuchRead"),
        ("/v1/citations", CITED | {"fine": -1}, 422, "fine"),
        ("/v1/citations", CITED | {"fine": 10**15}, 422, "fine"),
        ("/v1/citations", CITED | {"kind": "fine"}, 422, "kind"),
        ("/v1/payments", PAID | {"amount": 0}, 422, "amount"),
        ("/v1/payments", PAID | {"amount": -6000}, 422, "amount"),
        ("/v1/payments", PAID | {"amount": 60.5}, 422, "amount"),
        ("/v1/payments", PAID | {"amount": "6000"}, 422, "amount"),
        ("/v1/payments", PAID | {"amount": 10**18}, 422, "amount"),
        ("/v1/payments", PAID | {"reference": "4111-1111-1111-1111"}, 409, "CardNumberRefused"),
        ("/v1/payments", PAID | {"last4": "4111111111111111"}, 409, "CardNumberRefused"),
        ("/v1/permits", PERMIT | {"valid_until": "2097-01-01T00:00:00Z"}, 422, "valid_until"),
        ("/v1/permits", PERMIT | {"zones": []}, 422, "zones"),
        ("/v1/permits", PERMIT | {"zones": ["NOWHERE"]}, 409, "NoSuchZone"),
        ("/v1/permits", PERMIT | {"price": -1}, 422, "price"),
        ("/v1/appeals", {"appeal": "AP-1", "citation": "PV-none"}, 409, "NoSuchCitation"),
        ("/v1/policies", {"policy": "x", "values": {"fien": 7000}}, 409, "UnknownPolicyKey"),
        ("/v1/zones/F/rules", {"rules": [{"code": "X", "kind": "no parking"}]}, 422, "rules"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_applied(
    client: TestClient, log: Log, zone: None, path: str, said: dict[str, Any], status: int, named: str
) -> None:
    del zone
    before = log.head()
    answer = client.post(path, json=said)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    fields = [error["field"].partition(".")[0] for error in problem.get("errors", ())]
    assert named in {*fields, problem.get("rule")}
    assert problem["detail"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [leak for leak in LEAKS if leak in answer.text.lower()]
    assert log.head() == before


def test_a_misspelt_policy_key_is_told_its_nearest_name(client: TestClient) -> None:
    answer = client.post("/v1/policies", json={"policy": "x", "values": {"grace_minuts": 7}})
    assert "grace_minutes" in answer.json()["detail"]


@pytest.mark.parametrize("plate", ["ZZ ?", "XX 123", "ZZ CKTR482"])
def test_unreadable_plates_and_unknown_regions_are_taken_as_what_they_are(
    client: TestClient, zone: None, catch_up: Callable[[], object], plate: str
) -> None:
    del zone
    catch_up()
    answer = client.post("/v1/plate-reads", json=READ | {"plate": plate})
    assert answer.status_code == 201
    assert (answer.json()["plate"], answer.json()["answer"]) == (plate, "no_right")


def test_plate_and_region_apart_are_the_plate_together(
    client: TestClient, log: Log, zone: None, catch_up: Callable[[], object]
) -> None:
    del zone
    catch_up()
    answer = client.post("/v1/plate-reads", json=READ | {"plate": "cktr-482", "region": "on"})
    assert answer.json()["plate"] == "ON CKTR482"
    assert log.read().entries[-1].event.payload()["plate"] == "ON CKTR482"


def test_the_same_key_with_another_body_is_409_and_changes_nothing(client: TestClient, log: Log) -> None:
    key = {"idempotency-key": "k-1"}
    first = client.post("/v1/zones", json={"zone": "A", "timezone": "UTC"}, headers=key)
    other = client.post("/v1/zones", json={"zone": "B", "timezone": "UTC"}, headers=key)
    again = client.post("/v1/zones", json={"zone": "A", "timezone": "UTC"}, headers=key)
    assert (other.status_code, other.json()["rule"]) == (409, "IdempotencyKeyReused")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert log.head() == 1


def test_a_half_written_line_is_named_and_the_others_are_taken(
    client: TestClient, log: Log, zone: None, catch_up: Callable[[], object]
) -> None:
    del zone
    catch_up()
    lines = [json.dumps(READ | {"read": f"r-{n}"}).encode() for n in range(3)]
    lines[1] = lines[1][:25]
    lines.insert(2, b'{"read": "\xff"}')
    body = b"\n".join(lines)
    answer = client.post("/v1/plate-reads", content=body, headers={"content-type": "application/x-ndjson"})
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [line.get("status", 201) for line in told] == [201, 400, 400, 201]
    assert [line["line"] for line in told if "line" in line and "status" in line] == [2, 3]
    assert log.head() == 3
