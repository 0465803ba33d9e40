"""The door over a real socket: bodies without end, connections that break, failures that nobody foresaw."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection

import pytest
from starlette.testclient import TestClient

from event_store.log import Log, LogUnavailable
from event_store.memory import MemoryLog
from events.envelope import Append, Appended
from operations.identity import Authenticator
from operations.settings import Settings
from write_api.app import create_app

type Headers = Callable[..., dict[str, str]]
ZONE = {"zone": "F", "timezone": "America/Toronto"}
MEGABYTE = 1 << 20


@pytest.fixture
def admin(headers: Headers) -> dict[str, str]:
    return headers("admin") | {"content-type": "application/json"}


def test_a_hundred_megabytes_are_answered_with_413(port: int, admin: dict[str, str], log: Log) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", "/v1/zones")
    for name, value in (admin | {"content-length": str(100 * MEGABYTE)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(100):
        connection.send(b" " * MEGABYTE)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["title"]) == (413, "Body too large")
    connection.close()
    assert log.head() == 0


def test_a_body_without_an_end_is_answered_with_413(port: int, admin: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    parts = (b" " * MEGABYTE for _ in range(20))
    connection.request("POST", "/v1/zones", parts, admin, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_the_connection_serves_on_after_a_problem(port: int, admin: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for body, status in ((b"{", 400), (json.dumps(ZONE).encode(), 201), (b"[]", 400)):
        connection.request("POST", "/v1/zones", body, admin)
        answer = connection.getresponse()
        assert answer.status == status
        answer.read()
    connection.close()


def test_a_connection_cut_in_the_body_leaves_nothing(port: int, admin: dict[str, str], log: Log) -> None:
    body = json.dumps(ZONE).encode()
    lines = [f"{name}: {value}" for name, value in (admin | {"content-length": str(len(body))}).items()]
    head = "\r\n".join(["POST /v1/zones HTTP/1.1", "host: test", *lines, "", ""]).encode()
    with socket.create_connection(("127.0.0.1", port)) as cut:
        cut.sendall(head + body[:-1])
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    assert log.head() == 0


def test_health_and_metrics_need_no_token(client: TestClient, admin: dict[str, str]) -> None:
    client.post("/v1/zones", json=ZONE, headers=admin)
    client.post("/v1/zones/Q/closure", headers=admin)
    del client.headers["authorization"]
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["position"], ready["behind"]) == ("ready", 1, 1)
    counted = client.get("/metrics").text
    assert 'parkledger_write_requests_total{route="/v1/zones",status="201"} 1.0' in counted
    assert 'parkledger_refusals_total{rule="NoSuchZone"} 1.0' in counted


class Broken(MemoryLog):
    """A log that fails as it is told to."""

    def __init__(self, wrong: Exception) -> None:
        super().__init__()
        self._wrong = wrong

    def head(self) -> int:
        raise self._wrong

    async def append_async(self, append: Append) -> Appended:
        del append
        raise self._wrong


def failing(wrong: Exception, authenticator: Authenticator, office: Settings) -> TestClient:
    app = create_app(Broken(wrong), None, authenticator, office)  # type: ignore[arg-type]
    return TestClient(app, raise_server_exceptions=False)


def test_without_the_database_the_answer_is_503_and_leaks_nothing(
    authenticator: Authenticator, office: Settings, admin: dict[str, str]
) -> None:
    wrong = LogUnavailable("connection to secret-host failed")
    with failing(wrong, authenticator, office) as client:
        for answer in (client.post("/v1/zones", json=ZONE, headers=admin), client.get("/readyz")):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert "secret-host" not in answer.text


def test_a_surprise_shows_only_an_id_that_the_log_explains(
    authenticator: Authenticator, office: Settings, admin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with failing(RuntimeError("password=hunter2"), authenticator, office) as client:
        answer = client.post("/v1/zones", json=ZONE, headers=admin)
    assert (answer.status_code, answer.json()["title"]) == (500, "Unexpected")
    assert "hunter2" not in answer.text
    assert answer.json()["incident"] in caplog.text


def test_answers_carry_the_correlation_that_was_sent(client: TestClient) -> None:
    for path in ("/v1/zones/Q/closure", "/v1/zones"):
        answer = client.post(path, headers={"x-correlation-id": "my-call-7"})
        assert answer.headers["x-correlation-id"] == "my-call-7"


@pytest.mark.parametrize("value", ["bearer", "Basic eDp5", "Bearer ", "Bearer " + "x" * 9000])
def test_an_unusable_token_is_401(client: TestClient, value: str) -> None:
    with suppress(KeyError):
        del client.headers["authorization"]
    assert client.post("/v1/zones", json=ZONE, headers={"authorization": value}).status_code == 401
