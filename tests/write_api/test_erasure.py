"""Erasure requests over HTTP: a parker's own, answered with their reason, and noted in the log either way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from event_store.postgres import PostgresLog
from events.appeals import AppealFiled
from events.boundary import on
from events.privacy import ErasureRefused, SubjectErased
from events.vocabulary import REDACTED
from operations.automation import Automation

type Headers = Callable[..., dict[str, str]]
PATH = "/v1/erasure-requests"


@pytest.fixture
def anna(client: TestClient, headers: Headers) -> dict[str, str]:
    """Account A-1, with a permit, and a warning that was appealed."""
    mine = headers("parker", "anna", "A-1")
    past = {"at": (datetime.now(UTC) - timedelta(days=1)).isoformat()}
    warned = {"citation": "PV-1", "plate": "ON A1", "zone": "F", "kind": "warning"}
    steps: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        ("/v1/zones", {"zone": "F", "timezone": "America/Toronto", **past}, {}),
        ("/v1/zones/F/rules", {"rules": [{"code": "NO_PARKING", "kind": "no_parking"}], **past}, {}),
        ("/v1/permit-types", {"permit_type": "day", "zones": ["F"], "price": 1, "term_days": 1, **past}, {}),
        ("/v1/permits", {"permit": "T-1", "permit_type": "day", "plates": ["ON A1"]}, mine),
        ("/v1/citations", {**warned, "code": "NO_PARKING"}, headers("officer")),
        ("/v1/appeals", {"appeal": "AP-1", "citation": "PV-1", "statement": "I was ill."}, mine),
    ]
    for path, body, who in steps:
        answer = client.post(path, json=body, headers=who)
        assert answer.status_code == 201, (path, answer.text)
    return mine


def answered(log: PostgresLog) -> list[Any]:
    return [entry.event for entry in log.read(on(SubjectErased, ErasureRefused)).entries]


def test_a_parker_is_refused_with_the_reason_and_erased_when_it_is_gone(
    client: TestClient, anna: dict[str, str], log: PostgresLog
) -> None:
    refused = [client.post(PATH, json={}, headers=anna) for _ in range(2)]
    assert [(r.status_code, r.json()["rule"]) for r in refused] == [(409, "PermitInForce")] * 2
    [noted] = answered(log)
    assert noted.reason == f"PermitInForce: {refused[0].json()['detail']}"
    assert client.post("/v1/permits/T-1/cancellation", json={}, headers=anna).status_code == 201
    assert client.post(PATH, json={}, headers=anna).json()["rule"] == "AppealUndecided"
    assert client.post("/v1/appeals/AP-1/withdrawal", json={}, headers=anna).status_code == 201
    erased = client.post(PATH, json={}, headers=anna)
    assert (erased.status_code, erased.json()["account"]) == (201, "A-1")
    assert client.post(PATH, json={}, headers=anna).status_code == 200
    assert [type(event) for event in answered(log)] == [ErasureRefused, ErasureRefused, SubjectErased]
    Automation(log).act(datetime.now(UTC))
    assert [entry.event.statement for entry in log.read(on(AppealFiled)).entries] == [REDACTED]


def test_the_same_key_gives_the_first_answer_again(
    client: TestClient, anna: dict[str, str], log: PostgresLog
) -> None:
    keyed = anna | {"idempotency-key": "erase-me"}
    first, second = (client.post(PATH, json={}, headers=keyed) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert len(answered(log)) == 1


@pytest.mark.usefixtures("anna")
def test_the_office_refuses_in_its_own_words_and_a_parker_does_not(
    client: TestClient, headers: Headers, log: PostgresLog
) -> None:
    said = {"account": "A-1", "answer": "refused", "reason": "The person could not be identified."}
    mine = headers("parker", "anna", "A-1")
    assert client.post(PATH, json=said, headers=mine).status_code == 403
    assert client.post(PATH, json=said).status_code == 201
    assert answered(log)[0].reason == "The person could not be identified."


def test_nothing_is_kept_of_an_account_that_the_log_does_not_know(
    client: TestClient, headers: Headers, log: PostgresLog
) -> None:
    answer = client.post(PATH, json={}, headers=headers("parker", "carl", "A-9"))
    assert (answer.status_code, answer.json()["rule"]) == (409, "NoSuchAccount")
    assert (
        client.post(PATH, json={"account": "A-1"}, headers=headers("parker", "carl", "A-9")).status_code
        == 403
    )
    assert answered(log) == []
