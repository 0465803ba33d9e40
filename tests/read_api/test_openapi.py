"""The OpenAPI document is complete, and true."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.read_api.late_payment import CITATION, PLATE
from tests.read_api.office import Office

ANSWERED = {
    "/v1/validity": f"/v1/validity?plate={PLATE}&zone=F&at=2026-03-05T14:05:40Z",
    "/v1/plates/{plate}": f"/v1/plates/{PLATE}",
    "/v1/permits/{permit}": "/v1/permits/T-1001",
    "/v1/accounts/{account}": "/v1/accounts/A-1",
    "/v1/citations": "/v1/citations",
    "/v1/citations/{citation}": f"/v1/citations/{CITATION}",
    "/v1/citations/{citation}/timeline": f"/v1/citations/{CITATION}/timeline",
    "/v1/citations/{citation}/finding": f"/v1/citations/{CITATION}/finding",
    "/v1/appeals": "/v1/appeals",
    "/v1/appeals/{appeal}": "/v1/appeals/AP-1",
    "/v1/zones": "/v1/zones",
    "/v1/zones/{zone}": "/v1/zones/F",
    "/v1/watchlist": "/v1/watchlist",
    "/v1/events": "/v1/events",
    "/v1/projections": "/v1/projections",
    "/v1/zones/{zone}/occupancy": "/v1/zones/F/occupancy",
    "/v1/incidents": "/v1/incidents",
    "/v1/citations/{citation}/evidence": f"/v1/citations/{CITATION}/evidence",
    "/v1/events/{position}/proof": "/v1/events/5/proof",
    "/v1/checkpoints": "/v1/checkpoints?first=1",
}
ROLES = {
    "/v1/incidents": "security",
    "/v1/events/{position}/proof": "auditor",
    "/v1/events": "auditor",
    "/v1/watchlist": "security",
    "/v1/projections": "admin",
}


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


@pytest.fixture
def document(late_payment: Office) -> dict[str, Any]:
    late_payment.seal()
    found: dict[str, Any] = late_payment.get("/openapi.json", None).json()
    return found


def test_every_answer_has_the_shape_that_is_documented(
    late_payment: Office, document: dict[str, Any]
) -> None:
    for route, asked in ANSWERED.items():
        answer = late_payment.get(asked, ROLES.get(route, "dispute"))
        assert answer.status_code == 200, answer.text
        schema = document["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator(resolved(document, schema)).validate(answer.json())
        assert "as_of" in answer.json()


def test_every_answer_holds_nothing_that_is_not_documented(
    late_payment: Office, document: dict[str, Any]
) -> None:
    schemas = document["components"]["schemas"]
    for route, asked in ANSWERED.items():
        answer = late_payment.get(asked, ROLES.get(route, "dispute")).json()
        schema = document["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        named = schemas[schema["$ref"].rpartition("/")[2]]
        assert set(answer) <= set(named["properties"]), route


def test_every_problem_is_documented_and_has_the_shape_of_one(
    late_payment: Office, document: dict[str, Any]
) -> None:
    shape = document["components"]["schemas"]["ProblemDetails"]
    for asked, route, role in (
        ("/v1/zones/Q", "/v1/zones/{zone}", "dispute"),
        ("/v1/citations/none", "/v1/citations/{citation}", "dispute"),
        ("/v1/validity", "/v1/validity", "dispute"),
        ("/v1/events?limit=0", "/v1/events", "auditor"),
        ("/v1/zones?at_least=999999", "/v1/zones", "dispute"),
    ):
        answer = late_payment.get(asked, role)
        told = document["paths"][route]["get"]["responses"][str(answer.status_code)]
        assert "application/problem+json" in told["content"]
        assert answer.headers["content-type"] == "application/problem+json"
        Draft202012Validator(resolved(document, shape)).validate(answer.json())


def test_every_route_says_what_it_is_and_takes_a_token(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for told in methods.values():
            assert told["summary"], path
            assert ("security" in told) is path.startswith("/v1/"), path
