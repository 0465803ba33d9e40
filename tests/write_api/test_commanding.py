from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from event_store.log import Log

ZONE = {"zone": "F", "name": "Lot F", "timezone": "America/Toronto"}
type Headers = Callable[..., dict[str, str]]


def test_a_command_answers_with_its_position_and_ids(client: TestClient) -> None:
    answer = client.post("/v1/zones", json=ZONE)
    assert answer.status_code == 201
    assert answer.json() == {"position": 1, "zone": "F"}
    assert answer.headers["log-position"] == "1"


def test_what_is_done_already_answers_200_and_changes_nothing(client: TestClient, log: Log) -> None:
    client.post("/v1/zones", json=ZONE)
    answer = client.post("/v1/zones", json=ZONE)
    assert (answer.status_code, answer.json()["position"]) == (200, 1)
    assert log.head() == 1


def test_a_refusal_is_409_with_its_rule(client: TestClient) -> None:
    answer = client.post("/v1/zones/G/closure")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["rule"] == "NoSuchZone"
    assert answer.json()["detail"] == "No zone 'G' is open."


def test_an_identity_left_out_is_made_up_and_follows_from_the_key(client: TestClient) -> None:
    unnamed = {"name": "Lot H", "timezone": "America/Toronto"}
    first = client.post("/v1/zones", json=unnamed, headers={"idempotency-key": "k"})
    again = client.post("/v1/zones", json=unnamed, headers={"idempotency-key": "k"})
    assert first.json()["zone"].startswith("Z-")
    assert again.json() == first.json()


def test_the_same_key_gives_the_first_answer_again(client: TestClient, log: Log) -> None:
    key = {"idempotency-key": "open-f"}
    first = client.post("/v1/zones", json=ZONE, headers=key)
    client.post("/v1/zones", json=ZONE | {"zone": "G"})
    again = client.post("/v1/zones", json=dict(reversed(ZONE.items())), headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (201, first.json())
    assert log.head() == 2


def test_the_same_key_with_another_body_is_409(client: TestClient, log: Log) -> None:
    key = {"idempotency-key": "open-f"}
    client.post("/v1/zones", json=ZONE, headers=key)
    other = client.post("/v1/zones", json=ZONE | {"zone": "G"}, headers=key)
    assert (other.status_code, other.json()["rule"]) == (409, "IdempotencyKeyReused")
    assert log.head() == 1


def test_the_same_key_on_another_thing_is_409(client: TestClient) -> None:
    for zone in ("F", "G"):
        client.post("/v1/zones", json=ZONE | {"zone": zone})
    key = {"idempotency-key": "close"}
    assert client.post("/v1/zones/F/closure", headers=key).status_code == 201
    assert client.post("/v1/zones/G/closure", headers=key).json()["rule"] == "IdempotencyKeyReused"


def test_a_refusal_is_remembered_under_its_key(client: TestClient) -> None:
    key = {"idempotency-key": "close-f"}
    refused = client.post("/v1/zones/F/closure", headers=key)
    client.post("/v1/zones", json=ZONE)
    assert client.post("/v1/zones/F/closure", headers=key).json() == refused.json()
    assert client.post("/v1/zones/F/closure").status_code == 201


def test_nothing_done_is_remembered_under_its_key(client: TestClient) -> None:
    client.post("/v1/zones", json=ZONE)
    key = {"idempotency-key": "open-f"}
    assert client.post("/v1/zones", json=ZONE, headers=key).status_code == 200
    client.post("/v1/zones/F/closure")
    again = client.post("/v1/zones", json=ZONE, headers=key)
    assert (again.status_code, again.json()["position"]) == (200, 1)
    other = client.post("/v1/zones", json=ZONE | {"zone": "G"}, headers=key)
    assert other.json()["rule"] == "IdempotencyKeyReused"


def test_keys_of_different_subjects_do_not_meet(client: TestClient, headers: Headers) -> None:
    key = {"idempotency-key": "k"}
    client.post("/v1/zones", json=ZONE, headers=key)
    other = client.post("/v1/zones", json=ZONE | {"zone": "G"}, headers=key | headers("admin", "admin-2"))
    assert other.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
def test_an_unusable_key_is_named(client: TestClient, key: str) -> None:
    answer = client.post("/v1/zones", json=ZONE, headers={"idempotency-key": key})
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


def test_who_and_which_conversation_stand_in_the_log(client: TestClient, log: Log) -> None:
    conversation = "0b8b7c80-6a53-4a9e-9b53-0a6e4d5f1c11"
    answer = client.post("/v1/zones", json=ZONE, headers={"x-correlation-id": conversation})
    entry = log.read().entries[0]
    assert (entry.actor, entry.channel, str(entry.correlation)) == ("admin-1", "http", conversation)
    assert answer.headers["x-correlation-id"] == conversation


def test_a_trace_is_a_conversation(client: TestClient, log: Log) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    client.post("/v1/zones", json=ZONE, headers={"traceparent": trace})
    correlation = log.read().entries[0].correlation
    assert correlation is not None
    assert correlation.hex == "4bf92f3577b34da6a3ce929d0e0e4736"
