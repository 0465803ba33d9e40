"""The document against the server: every route of the table, no undocumented answer, no server error."""

import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from operations.permissions import PERMISSIONS

type Headers = Callable[..., dict[str, str]]
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "5"))
"""Requests made up for each route and role; 500 to search for long."""


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_every_command_of_the_table_is_documented(document: dict[str, Any]) -> None:
    stated = {route for method, route in PERMISSIONS if method == "POST"}
    assert stated - {"/v1/projections/{model}/retry"} <= set(document["paths"])  # served at the reading door
    assert document["openapi"].startswith("3.1")


def test_every_route_states_its_problems_and_an_example(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        operation = operations["post"]
        assert {"400", "401", "409", "413", "415", "422", "500", "503"} <= set(operation["responses"]), path
        content = operation["requestBody"]["content"]["application/json"]
        schema = content["schema"] | {"components": document["components"]}
        errors = list(Draft202012Validator(schema).iter_errors(content["example"]))
        assert not errors, (path, errors)


def test_operations_are_named_apart(document: dict[str, Any]) -> None:
    names = [op["operationId"] for ops in document["paths"].values() for op in ops.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("role", ["admin", "dispute", "officer", "security", "parker"])
def test_whatever_the_document_allows_is_answered_as_it_says(
    document: dict[str, Any], port: int, headers: Headers, role: str
) -> None:
    sent = headers(role, account="A-1" if role == "parker" else None)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{port}")
    for found in schema.get_all_operations():
        operation = found.ok()

        @bounded(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def ask(case: Any) -> None:
            response = case.call(headers=sent)
            case.validate_response(response, checks=list(CHECKS))

        ask()
