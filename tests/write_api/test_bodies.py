import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from commands.payments import CardNumberRefused
from event_store.log import Log
from operations.problems import Problem
from write_api.bodies import document

ZONE = {"zone": "F", "name": "Lot F", "timezone": "America/Toronto"}
CARD = "4111 1111 1111 1111"
type Headers = Callable[..., dict[str, str]]


def fields(answer: object) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"zone": "F"', "valid JSON"),
        (b"[]", "must be a JSON object, not an array"),
        (b'"F"', "must be a JSON object, not a text"),
        (b"   ", "is empty"),
        (b'{"zone": "\xff"}', "not UTF-8: byte 11"),
        (b'{"zone": "F", "zone": "G"}', "'zone' is given twice"),
        (b'{"zone": NaN}', "NaN is not a number"),
        (b'{"zone": ' + b"9" * 21 + b"}", "more than 20 digits"),
        (b'{"zone": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested more than 32 deep"),
        (b'{"zone": ' * 100_000, "nested more than 32 deep"),
    ],
)
def test_what_is_not_one_json_object_is_400(client: TestClient, log: Log, body: bytes, says: str) -> None:
    answer = client.post("/v1/zones", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert says in answer.json()["detail"]
    assert log.head() == 0


def test_brackets_inside_texts_do_not_nest() -> None:
    assert document(json.dumps({"a": "[" * 100}).encode()) == {"a": "[" * 100}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_media_type_is_415(client: TestClient, media_type: str | None) -> None:
    headers = {"content-type": media_type} if media_type else {}
    answer = client.post("/v1/zones", content=json.dumps(ZONE).encode(), headers=headers)
    assert answer.status_code == 415
    assert answer.headers["accept-post"] == "application/json"


def test_a_compressed_body_is_415(client: TestClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert client.post("/v1/zones", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(
    "said",
    [
        ZONE | {"name": CARD},
        ZONE | {"name": CARD.replace(" ", "-")},
        ZONE | {"name": int(CARD.replace(" ", ""))},
        ZONE | {CARD: "x"},
        ZONE | {"more": [{"deep": f"card {CARD} of hers"}]},
    ],
)
def test_a_card_number_in_any_field_is_refused_and_not_repeated(
    client: TestClient, log: Log, said: dict[str, object]
) -> None:
    answer = client.post("/v1/zones", json=said)
    assert (answer.status_code, answer.json()["rule"]) == (409, "CardNumberRefused")
    assert "1111" not in answer.text
    assert log.head() == 0


def test_an_escaped_card_number_is_refused(client: TestClient) -> None:
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in CARD)
    body = f'{{"zone": "{escaped}"}}'.encode()
    answer = client.post("/v1/zones", content=body, headers={"content-type": "application/json"})
    assert answer.json()["rule"] == "CardNumberRefused"


def test_a_card_number_in_the_path_or_key_is_refused(client: TestClient) -> None:
    number = CARD.replace(" ", "")
    assert client.post(f"/v1/zones/{number}/closure").json()["rule"] == "CardNumberRefused"
    keyed = client.post("/v1/zones/F/closure", headers={"idempotency-key": number})
    assert keyed.json()["rule"] == "CardNumberRefused"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"zone": "F"}, "timezone"),
        (ZONE | {"colour": "red"}, "colour"),
        (ZONE | {"timezone": "Toronto"}, "timezone"),
        (ZONE | {"capacity": -1}, "capacity"),
        (ZONE | {"zone": ""}, "zone"),
        (ZONE | {"zone": "x" * 101}, "zone"),
        (ZONE | {"name": "a\x00b"}, "name"),
        (ZONE | {"at": "2026-03-05T09:00:00"}, "at"),
        (ZONE | {"at": "2026-13-05T09:00:00Z"}, "at"),
        (ZONE | {"at": "2097-03-05T09:00:00Z"}, "at"),
        (ZONE | {"at": "0001-01-01T00:00:00+14:00"}, "at"),
        (ZONE | {"at": "1969-12-31T23:59:59Z"}, "at"),
        (ZONE | {"at": 1_700_000_000}, "at"),
    ],
)
def test_an_unusable_field_is_422_and_named(
    client: TestClient, log: Log, said: dict[str, object], field: str
) -> None:
    answer = client.post("/v1/zones", json=said)
    assert answer.status_code == 422
    assert fields(answer) == [field]
    assert log.head() == 0


def test_half_a_character_is_422_and_named(client: TestClient) -> None:
    body = b'{"zone": "F", "timezone": "America/Toronto", "name": "\\ud800"}'
    answer = client.post("/v1/zones", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, fields(answer)) == (422, ["name"])


def test_what_a_fact_cannot_say_is_422_and_named(client: TestClient, headers: Headers) -> None:
    past = {"at": "2026-03-05T09:00:00Z"}
    client.post("/v1/zones", json=ZONE | {"at": "2026-01-01T00:00:00Z"})
    cited = {"citation": "PV-1", "plate": "ON A1", "zone": "F", "code": "NO_PERMIT", "online": False, **past}
    assert client.post("/v1/citations", json=cited, headers=headers("officer")).status_code == 201
    said = {"reason": "duplicate", "duplicate_of": "PV\x17"}
    answer = client.post("/v1/citations/PV-1/void", json=said)
    assert answer.status_code in {409, 422}
    assert "PV\x17" not in answer.text


def test_every_unusable_field_is_named_at_once(client: TestClient) -> None:
    assert fields(client.post("/v1/zones", json={"zone": "", "colour": 1})) == ["zone", "timezone", "colour"]


def test_a_plan_may_not_reach_beyond_ten_years(client: TestClient) -> None:
    client.post("/v1/zones", json=ZONE)
    soon = datetime.now(UTC) + timedelta(days=3000)
    rules = {"rules": [{"code": "NO_PERMIT", "kind": "permit"}]}
    far = client.post("/v1/zones/F/rules", json=rules | {"effective_from": "2097-01-01T00:00:00Z"})
    near = client.post("/v1/zones/F/rules", json=rules | {"effective_from": soon.isoformat()})
    assert (far.status_code, fields(far)) == (422, ["effective_from"])
    assert near.status_code == 201


def test_what_the_body_says_otherwise_than_the_path_is_422(client: TestClient) -> None:
    client.post("/v1/zones", json=ZONE)
    answer = client.post("/v1/zones/F/closure", json={"zone": "G"})
    assert (answer.status_code, fields(answer)) == (422, ["zone"])
    assert client.post("/v1/zones/F/closure", json={"zone": "F"}).status_code == 201


def test_an_identity_with_a_slash_is_addressed_by_its_code(client: TestClient) -> None:
    client.post("/v1/zones", json=ZONE | {"zone": "F/1 é"})
    assert client.post("/v1/zones/F%2F1%20%C3%A9/closure").status_code == 201
    assert client.post("/v1/zones/%FF/closure").status_code == 404


def test_what_is_no_way_in_is_404_and_another_method_405(client: TestClient) -> None:
    assert client.post("/v1/nowhere").status_code == 404
    answer = client.get("/v1/zones")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for problem in (client.post("/v1/nowhere"), answer):
        assert problem.headers["content-type"] == "application/problem+json"


def test_a_body_beyond_the_limit_is_413(client: TestClient, log: Log) -> None:
    body = json.dumps(ZONE | {"name": "x" * 1_100_000}).encode()
    answer = client.post("/v1/zones", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "1048576 bytes" in answer.json()["detail"]
    assert log.head() == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_problem(raw: bytes) -> None:
    with suppress(Problem, CardNumberRefused):
        assert isinstance(document(raw), dict)


@given(
    st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
)
def test_any_object_is_itself_or_a_problem(said: dict[str, object]) -> None:
    with suppress(Problem, CardNumberRefused):
        assert document(json.dumps(said).encode()) == said
