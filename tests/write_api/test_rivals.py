"""Sixty-four clients at once, at two processes' worth of write APIs: nothing is sold or cited twice."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest
from starlette.testclient import TestClient

from event_store.log import Log
from events.boundary import on
from events.citations import CitationIssued
from events.permits import PermitPurchased
from events.sessions import SessionStarted

CLIENTS = 64
type Headers = Callable[..., dict[str, str]]
type Told = tuple[int, dict[str, Any]]


@pytest.fixture
def ports(client: TestClient, serve: Callable[[], int]) -> tuple[int, int]:
    past = {"at": "2026-01-01T00:00:00Z"}
    client.post("/v1/zones", json={"zone": "F", "timezone": "America/Toronto", "capacity": 10, **past})
    client.post("/v1/zones", json={"zone": "G", "timezone": "America/Toronto", **past})
    client.post("/v1/zones/G/rules", json={"rules": [{"code": "NO_PERMIT", "kind": "permit"}], **past})
    day = {"permit_type": "day", "zones": ["G"], "price": 100, "term_days": 1, "capacity": 7, **past}
    assert client.post("/v1/permit-types", json=day).status_code == 201
    return serve(), serve()


def at_once(
    ports: Sequence[int], path: str, headers: dict[str, str], bodies: Sequence[dict[str, Any]]
) -> list[Told]:
    """Send each body from a client of its own, all at the same time."""

    def tell(number: int, body: dict[str, Any]) -> Told:
        connection = HTTPConnection("127.0.0.1", ports[number % len(ports)], timeout=60)
        connection.request("POST", path, json.dumps(body), {**headers, "content-type": "application/json"})
        answer = connection.getresponse()
        told = (answer.status, json.loads(answer.read()))
        connection.close()
        return told

    with ThreadPoolExecutor(len(bodies)) as clients:
        return list(clients.map(tell, range(len(bodies)), bodies))


def outcomes(told: Sequence[Told]) -> Counter[str]:
    return Counter(answer.get("rule", str(status)) for status, answer in told)


def test_a_zone_is_sold_to_its_last_place_and_never_beyond(
    ports: tuple[int, int], log: Log, headers: Headers
) -> None:
    bodies = [{"session": f"S-{n}", "plate": f"ON P{n}", "zone": "F", "minutes": 60} for n in range(CLIENTS)]
    told = at_once(ports, "/v1/sessions", headers("admin"), bodies)
    assert outcomes(told) == {"201": 10, "ZoneFull": CLIENTS - 10}
    assert len(log.read(on(SessionStarted)).entries) == 10


def test_a_permit_type_is_sold_to_its_last_permit_and_never_beyond(
    ports: tuple[int, int], log: Log, headers: Headers
) -> None:
    bodies = [{"permit": f"T-{n}", "permit_type": "day", "plates": [f"ON P{n}"]} for n in range(CLIENTS)]
    told = at_once(ports, "/v1/permits", headers("admin"), bodies)
    assert outcomes(told) == {"201": 7, "PermitTypeSoldOut": CLIENTS - 7}
    assert len(log.read(on(PermitPurchased)).entries) == 7


def test_a_vehicle_is_cited_once_for_one_violation(
    ports: tuple[int, int], log: Log, headers: Headers
) -> None:
    cited = {"plate": "ON A1", "zone": "G", "code": "NO_PERMIT", "at": "2026-03-05T15:00:00Z"}
    bodies = [cited | {"citation": f"PV-{n}"} for n in range(CLIENTS)]
    told = at_once(ports, "/v1/citations", headers("officer"), bodies)
    assert outcomes(told) == {"201": 1, "DuplicateCitation": CLIENTS - 1}
    assert len(log.read(on(CitationIssued)).entries) == 1


def test_one_request_sent_by_all_at_once_under_one_key_happens_once(
    ports: tuple[int, int], log: Log, headers: Headers
) -> None:
    keyed = headers("admin") | {"idempotency-key": "once"}
    told = at_once(ports, "/v1/sessions", keyed, [{"plate": "ON A1", "zone": "G", "minutes": 60}] * CLIENTS)
    assert {status for status, _ in told} == {201}
    assert len({(answer["position"], answer["session"]) for _, answer in told}) == 1
    assert len(log.read(on(SessionStarted)).entries) == 1


def test_places_that_come_free_are_sold_again(ports: tuple[int, int], log: Log, headers: Headers) -> None:
    admin = headers("admin")
    first = [{"session": f"S-{n}", "plate": f"ON P{n}", "zone": "F", "minutes": 60} for n in range(CLIENTS)]
    taken = [
        answer["session"] for status, answer in at_once(ports, "/v1/sessions", admin, first) if status == 201
    ]
    for session in taken[:4]:
        at_once(ports, f"/v1/sessions/{session}/end", admin, [{}])
    later = [body | {"session": f"L-{n}", "plate": f"ON L{n}"} for n, body in enumerate(first)]
    assert outcomes(at_once(ports, "/v1/sessions", admin, later)) == {"201": 4, "ZoneFull": CLIENTS - 4}
    assert len(log.read(on(SessionStarted)).entries) == 14
