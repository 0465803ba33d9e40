"""The document against the server: whatever it allows to ask is answered as it says."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from operations.embedded import EmbeddedPostgres
from operations.settings import Settings
from tests.read_api.office import Office, after_late_payment

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "5"))
"""Questions made up for each route and role; 500 to search for long."""
ENDLESS = "/v1/stream"
"""Answers for as long as one listens; it has tests of its own."""
NOT_YET = 503


@pytest.fixture(scope="module")
def office(
    cluster: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    dsn = cluster.create("whatever", template)
    settings = Settings(data=tmp_path_factory.mktemp("office"), wait_seconds=0.05)
    with after_late_payment(dsn, settings) as office:
        office.seal()
        yield office
    cluster.drop("whatever")


def not_failing(ctx: Any, response: Any, case: Any) -> None:
    """Let 503 pass where it says how far behind an answer is: no position may be promised."""
    if response.status_code == NOT_YET:
        assert "behind" in response.json()
        return
    not_a_server_error(ctx, response, case)


@pytest.mark.parametrize("role", ["admin", "auditor", "parker"])
def test_whatever_the_document_allows_is_answered_as_it_says(office: Office, role: str) -> None:
    sent = office.headers(role, account="A-1" if role == "parker" else None)
    schema = schemathesis.openapi.from_dict(office.get("/openapi.json", None).json())
    schema.config.update(base_url=office.address)
    checks = [not_failing if check is not_a_server_error else check for check in CHECKS]
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == ENDLESS:
            continue

        @bounded(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def ask(case: Any) -> None:
            response = case.call(headers={**sent, **dict(case.headers or {})})
            case.validate_response(response, checks=checks)

        ask()
