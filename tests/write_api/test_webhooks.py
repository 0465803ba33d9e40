import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from event_store.log import Log
from operations.identity import Authenticator
from operations.settings import Settings
from projections.lookups import Lookups
from write_api.app import create_app
from write_api.webhooks import EVENTS, PATH, sign

SECRET = "shared with nobody else"  # noqa: S105
CALL = {
    "id": "evt_1",
    "event": "payment.authorised",
    "data": {"payment": "P-1", "amount": 3000, "permit": "T-1"},
}


@pytest.fixture
def provider(log: Log, dsn: str, office: Settings, authenticator: Authenticator) -> Iterator[TestClient]:
    settings = office.with_dsn(dsn).model_copy(update={"webhook_secret": SECRET})
    with Lookups(dsn) as lookups, TestClient(create_app(log, lookups, authenticator, settings)) as client:
        yield client


def call(client: TestClient, said: dict[str, Any], *, seconds: int = 0, secret: str = SECRET) -> Any:
    body, at = json.dumps(said).encode(), str(int(time.time()) + seconds)
    signature = f"t={at},v1={sign(secret, at, body)}"
    headers = {"parkledger-signature": signature, "content-type": "application/json"}
    return client.post(PATH, content=body, headers=headers)


def test_a_signed_call_is_taken(provider: TestClient, log: Log) -> None:
    answer = call(provider, CALL)
    assert (answer.status_code, answer.json()) == (201, {"position": 1, "permit": "T-1", "payment": "P-1"})
    entry = log.read().entries[0]
    assert (entry.actor, entry.channel) == ("payment provider", "webhook")


def test_the_same_event_is_taken_once(provider: TestClient, log: Log) -> None:
    first = call(provider, CALL)
    again = call(provider, CALL, seconds=30)
    assert (again.status_code, again.json()) == (201, first.json())
    assert log.head() == 1


def test_another_body_under_an_event_id_is_refused(provider: TestClient, log: Log) -> None:
    call(provider, CALL)
    other = call(provider, CALL | {"data": {"payment": "P-2", "amount": 1}})
    assert (other.status_code, other.json()["rule"]) == (409, "IdempotencyKeyReused")
    assert log.head() == 1


@pytest.mark.parametrize(("seconds", "secret"), [(-301, SECRET), (301, SECRET), (0, "guessed")])
def test_a_stale_or_forged_call_is_401(provider: TestClient, log: Log, seconds: int, secret: str) -> None:
    assert call(provider, CALL, seconds=seconds, secret=secret).status_code == 401
    assert log.head() == 0


@pytest.mark.parametrize("signature", ["", "t=1", "v1=00", "t=x,v1=y"])
def test_an_unsigned_call_is_401(provider: TestClient, signature: str) -> None:
    assert provider.post(PATH, json=CALL, headers={"parkledger-signature": signature}).status_code == 401


def test_a_call_to_an_office_without_a_secret_says_so(client: TestClient) -> None:
    answer = call(client, CALL)
    assert answer.status_code == 401
    assert "PARKLEDGER_WEBHOOK_SECRET" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": ""}, "id"),
        ({"event": "payment.guessed"}, "event"),
        ({"data": []}, "data"),
        ({"data": {}}, "payment"),
    ],
)
def test_an_unusable_call_names_its_field(provider: TestClient, changed: dict[str, Any], field: str) -> None:
    answer = call(provider, CALL | changed)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_card_number_in_a_call_is_refused(provider: TestClient) -> None:
    said = CALL | {"data": {"payment": "P-1", "amount": 3000, "reference": "4111111111111111"}}
    assert call(provider, said).json()["rule"] == "CardNumberRefused"


def test_every_event_of_a_provider_is_a_command() -> None:
    assert len(EVENTS) == 8
