"""Route by role by own and foreign, generated from the table of permissions and the routes served."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from operations.identity import Role
from operations.permissions import PERMISSIONS, PUBLIC, Access
from write_api import devices, reading
from write_api.areas import ROUTES
from write_api.routes import CommandRoute

type Headers = Callable[..., dict[str, str]]
BODIES: dict[str, Any] = {
    **{route.path: dict(route.example) for route in ROUTES},
    reading.ROUTE.path: reading.EXAMPLE,
    devices.PATH: devices.EXAMPLE,
}
THINGS = {"permit": "T-1", "session": "S-1", "appeal": "AP-1", "citation": "PV-1", "offer": "A-1"}
AT_THE_READING_DOOR = {"/v1/projections/{model}/retry"}
"""Changes nothing but the read models, and appends nothing."""
OWN = [route for route in ROUTES if route.own is not None]


def path_of(route: str, things: dict[str, str] = THINGS) -> str:
    for name, value in things.items():
        route = route.replace(f"{{{name}}}", value)
    return route.replace("{", "").replace("}", "")


def test_every_command_of_the_table_is_served_and_no_other() -> None:
    stated = {route for method, route in PERMISSIONS if method == "POST"}
    assert stated == set(BODIES) | AT_THE_READING_DOOR
    assert {route for method, route in PUBLIC if method == "POST"} == {"/v1/webhooks/payments", "/sign-out"}


def test_the_table_lets_each_role_in_and_nobody_else(client: TestClient, headers: Headers) -> None:
    for route, body in BODIES.items():
        for role in Role:
            answer = client.post(path_of(route), json=body, headers=headers(role.value))
            access = PERMISSIONS["POST", route][role]
            if access is Access.NONE:
                assert answer.status_code == 403, (route, role, answer.text)
                assert role.value in answer.json()["detail"]
            elif access is Access.ALL and role is not Role.PARKER:
                assert answer.status_code in {200, 201, 409, 422}, (route, role, answer.text)


@pytest.mark.parametrize("route", BODIES)
def test_nobody_comes_in_without_a_token(client: TestClient, route: str) -> None:
    del client.headers["authorization"]
    answer = client.post(path_of(route), json=BODIES[route])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    forged = client.post(path_of(route), json=BODIES[route], headers={"authorization": "Bearer x.y.z"})
    assert forged.status_code == 401


@pytest.fixture
def belongings(client: TestClient, headers: Headers) -> TestClient:
    """Account A-1's permit, session and appeal; and a citation of its vehicle."""
    mine = headers("parker", "anna", "A-1")
    past = {"at": (datetime.now(UTC) - timedelta(days=1)).isoformat()}
    steps: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        ("/v1/zones", {"zone": "F", "timezone": "America/Toronto", **past}, {}),
        ("/v1/zones/F/rules", {"rules": [{"code": "NO_PERMIT", "kind": "permit"}], **past}, {}),
        ("/v1/permit-types", {"permit_type": "day", "zones": ["F"], "price": 1, "term_days": 1, **past}, {}),
        ("/v1/citations", {"citation": "PV-1", "plate": "ON A1", "zone": "F", **past}, headers("officer")),
        ("/v1/permits", {"permit": "T-1", "permit_type": "day", "plates": ["ON A1"]}, mine),
        ("/v1/sessions", {"session": "S-1", "plate": "ON A2", "zone": "F", "minutes": 60}, mine),
        ("/v1/appeals", {"appeal": "AP-1", "citation": "PV-1"}, mine),
    ]
    for path, body, who in steps:
        answer = client.post(path, json=body, headers=who)
        assert answer.status_code == 201, (path, answer.text)
    return client


def own_body(route: CommandRoute) -> dict[str, Any]:
    body = dict(route.example)
    body.pop("price", None)
    if route.own == "account" and "account" not in route.path_fields:
        body.pop("account", None)
    if "citation" in body:
        body["citation"] = "PV-1"
    if "kind" in body:
        body["kind"] = "authorised"
    return body


@pytest.mark.parametrize("route", OWN, ids=lambda route: route.path)
def test_a_parker_acts_on_their_own(belongings: TestClient, headers: Headers, route: CommandRoute) -> None:
    body = own_body(route)
    answer = belongings.post(path_of(route.path), json=body, headers=headers("parker", "anna", "A-1"))
    assert answer.status_code in {200, 201, 409}, answer.text


@pytest.mark.parametrize("route", OWN, ids=lambda route: route.path)
def test_a_parker_does_not_act_on_somebody_elses(
    belongings: TestClient, headers: Headers, route: CommandRoute
) -> None:
    body = own_body(route) | ({"account": "A-1"} if route.own == "account" else {})
    answer = belongings.post(path_of(route.path), json=body, headers=headers("parker", "bert", "A-2"))
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("route", [r for r in OWN if r.own == "permit"], ids=lambda route: route.path)
def test_what_does_not_exist_answers_like_what_is_somebody_elses(
    belongings: TestClient, headers: Headers, route: CommandRoute
) -> None:
    bert = headers("parker", "bert", "A-2")
    absent = belongings.post(path_of(route.path, {"permit": "T-9"}), json=own_body(route), headers=bert)
    foreign = belongings.post(path_of(route.path), json=own_body(route), headers=bert)
    assert (absent.status_code, absent.json()) == (foreign.status_code, foreign.json())


def test_a_transferred_permit_belongs_to_who_got_it(belongings: TestClient, headers: Headers) -> None:
    anna, bert = headers("parker", "anna", "A-1"), headers("parker", "bert", "A-2")
    assert (
        belongings.post("/v1/permits/T-1/transfer", json={"account": "A-2"}, headers=anna).status_code == 201
    )
    assert belongings.post("/v1/permits/T-1/cancellation", headers=anna).status_code == 403
    assert belongings.post("/v1/permits/T-1/cancellation", headers=bert).status_code == 201


def test_a_purchase_takes_the_parkers_account(belongings: TestClient, headers: Headers) -> None:
    said = {"permit_type": "day", "plates": ["ON B1"]}
    answer = belongings.post("/v1/permits", json=said, headers=headers("parker", "bert", "A-2"))
    assert (answer.status_code, answer.json()["account"]) == (201, "A-2")


@pytest.mark.parametrize(
    ("path", "said", "field"),
    [
        ("/v1/permits", {"permit_type": "day", "price": 0}, "price"),
        ("/v1/permits", {"zones": ["F"], "valid_until": "2027-01-01T00:00:00Z"}, "permit_type"),
        ("/v1/permits/T-1/renewals", {"price": 0}, "price"),
        ("/v1/permits", {"permit_type": "day", "at": "2026-03-05T00:00:00Z"}, "at"),
        ("/v1/permits", {"permit_type": "day", "valid_from": "2026-03-05T00:00:00Z"}, "valid_from"),
        (
            "/v1/permits/T-1/plates",
            {"plate": "ON A9", "effective_from": "2026-03-05T00:00:00Z"},
            "effective_from",
        ),
        ("/v1/permits/T-1/active-plate", {"plate": "ON A1", "at": "2026-03-05T00:00:00Z"}, "at"),
        (
            "/v1/sessions",
            {"plate": "ON A1", "zone": "F", "minutes": 9, "start": "2026-03-05T00:00:00Z"},
            "start",
        ),
    ],
)
def test_a_parker_sets_no_price_and_dates_nothing_back(
    belongings: TestClient, headers: Headers, path: str, said: dict[str, Any], field: str
) -> None:
    answer = belongings.post(path, json=said, headers=headers("parker", "anna", "A-1"))
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/appeals/AP-1/late-filing", {"step": "accepted"}),
        ("/v1/citations/PV-1/payments", {"kind": "received", "amount": 3000}),
        ("/v1/payments", {"kind": "received", "amount": 3000}),
    ],
)
def test_a_parker_does_not_do_the_offices_part(
    belongings: TestClient, headers: Headers, path: str, said: dict[str, Any]
) -> None:
    answer = belongings.post(path, json=said, headers=headers("parker", "anna", "A-1"))
    assert answer.status_code == 403


def test_anybody_may_pay_a_citation(belongings: TestClient, headers: Headers) -> None:
    said = {"amount": 3000, "reference": "tok_1"}
    answer = belongings.post(
        "/v1/citations/PV-1/payments", json=said, headers=headers("parker", "bert", "A-2")
    )
    assert answer.status_code == 201


def test_a_visitor_without_a_permit_appeals_the_citation_in_their_hand(
    belongings: TestClient, headers: Headers
) -> None:
    past = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    said = {"citation": "PV-2", "plate": "QC V1", "zone": "F", "at": past}
    assert belongings.post("/v1/citations", json=said, headers=headers("officer")).status_code == 201
    filed = {"citation": "PV-2", "appeal": "AP-2"}
    visitor = headers("parker", "vera", "A-9")
    assert belongings.post("/v1/appeals", json=filed, headers=visitor).status_code == 201
    assert (
        belongings.post("/v1/appeals/AP-2/withdrawal", headers=headers("parker", "bert", "A-2")).status_code
        == 403
    )
    assert belongings.post("/v1/appeals/AP-2/withdrawal", headers=visitor).status_code == 201
