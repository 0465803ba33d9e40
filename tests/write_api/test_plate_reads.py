import json
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest
from starlette.testclient import TestClient

from event_store.log import Log
from events.boundary import on
from events.reads import PlateRead
from events.security import WatchlistHit

type Headers = Callable[..., dict[str, str]]
type CatchUp = Callable[[], object]
READ = {"read": "r1", "plate": "ON CKTR482", "zone": "F", "device": "H3", "at": "2026-03-05T09:05:40-05:00"}
DAY = {"valid_from": "2026-03-05T00:00:00-05:00", "valid_until": "2026-03-06T00:00:00-05:00"}
STREAM = {"content-type": "application/x-ndjson"}


@pytest.fixture
def officer(headers: Headers) -> dict[str, str]:
    return headers("officer", "o-7")


@pytest.fixture
def town(client: TestClient) -> TestClient:
    """A zone F in which ON CKTR482 has a permit."""
    client.post("/v1/zones", json={"zone": "F", "timezone": "America/Toronto"})
    at = "2026-03-05T00:00:00-05:00"
    permit = {"permit": "T-1", "zones": ["F"], "plates": ["ON CKTR482"], "at": at, **DAY}
    assert client.post("/v1/permits", json=permit).status_code == 201
    return client


def watch(client: TestClient, headers: Headers) -> None:
    entry = {"entry": "W-1", "plate": "ON HOT1", "reason": "stolen", "at": "2026-03-01T00:00:00Z"}
    assert client.post("/v1/watchlist", json=entry, headers=headers("security")).status_code == 201


def reads_in(log: Log) -> list[PlateRead]:
    return [entry.event for entry in log.read(on(PlateRead)).entries]


def answers(response: Any) -> list[dict[str, Any]]:
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_read_is_answered_with_what_the_screen_should_show(
    town: TestClient, log: Log, catch_up: CatchUp, officer: dict[str, str]
) -> None:
    catch_up()
    answer = town.post("/v1/plate-reads", json=READ, headers=officer)
    assert answer.status_code == 201
    said = answer.json()
    assert (said["read"], said["plate"], said["answer"], said["right"]) == (
        "r1",
        "ON CKTR482",
        "valid",
        "T-1",
    )
    assert (said["until"], said["alerts"]) == ("2026-03-06T05:00:00Z", [])
    assert said["as_of"]["position"] == 2
    assert said["position"] == int(answer.headers["log-position"]) == 3
    read = reads_in(log)[0]
    assert read.shown is not None
    assert (read.shown.answer, read.shown.position, read.shown.right) == ("valid", 2, "T-1")
    assert read.officer == "o-7"


def test_an_answer_rests_on_what_the_read_models_hold(
    town: TestClient, log: Log, officer: dict[str, str]
) -> None:
    said = town.post("/v1/plate-reads", json=READ, headers=officer).json()
    assert (said["answer"], said["as_of"]["position"]) == ("no_right", 0)
    read = reads_in(log)[0]
    assert read.shown is not None
    assert (read.shown.answer, read.shown.position) == ("no_right", 0)


def test_the_same_read_gets_the_first_answer_again(
    town: TestClient, log: Log, catch_up: CatchUp, officer: dict[str, str]
) -> None:
    first = town.post("/v1/plate-reads", json=READ, headers=officer).json()
    catch_up()
    again = town.post("/v1/plate-reads", json=READ | {"raw": "other"}, headers=officer)
    assert again.status_code == 200
    said = again.json()
    assert said["as_of"].pop("age_ms") is None
    first["as_of"].pop("age_ms")
    assert said == first
    assert len(reads_in(log)) == 1


def test_a_watchlisted_plate_alerts_with_its_reason(
    town: TestClient, log: Log, officer: dict[str, str], headers: Headers
) -> None:
    watch(town, headers)
    said = town.post("/v1/plate-reads", json=READ | {"plate": "ON HOT1"}, headers=officer).json()
    assert said["alerts"] == [{"entry": "W-1", "stale": False, "reason": "stolen"}]
    assert len(log.read(on(WatchlistHit)).entries) == 1
    again = town.post("/v1/plate-reads", json=READ | {"plate": "ON HOT1"}, headers=officer).json()
    assert again["alerts"] == said["alerts"]


def test_a_plate_may_come_as_number_and_region_and_be_unreadable(
    town: TestClient, officer: dict[str, str]
) -> None:
    apart = READ | {"plate": "cktr-482", "region": "on"}
    assert town.post("/v1/plate-reads", json=apart, headers=officer).json()["plate"] == "ON CKTR482"
    unread = READ | {"read": "r2", "plate": "?", "region": ""}
    assert town.post("/v1/plate-reads", json=unread, headers=officer).json()["plate"] == "ZZ ?"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"plate": ""}, "plate"),
        ({"plate": "CKTR482"}, "plate"),
        ({"plate": "O7N CKTR482"}, "plate"),
        ({"plate": "ON CKTR_482"}, "plate"),
        ({"confidence": 1.5}, "confidence"),
        ({"at": "2026-03-05T09:05:40"}, "at"),
        ({"at": "2097-03-05T09:05:40Z"}, "at"),
        ({"place": {"latitude": 91}}, "place.latitude"),
        ({"shown": {"answer": "valid", "position": 1}}, "shown"),
    ],
)
def test_an_unusable_read_names_its_field(
    town: TestClient, log: Log, officer: dict[str, str], changed: dict[str, Any], field: str
) -> None:
    answer = town.post("/v1/plate-reads", json=READ | changed, headers=officer)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert reads_in(log) == []


def test_an_unknown_zone_is_refused(town: TestClient, officer: dict[str, str]) -> None:
    answer = town.post("/v1/plate-reads", json=READ | {"zone": "Q"}, headers=officer)
    assert (answer.status_code, answer.json()["rule"]) == (409, "NoSuchZone")


def test_what_an_offline_device_showed_is_what_it_says(
    town: TestClient, log: Log, officer: dict[str, str]
) -> None:
    shown = {"answer": "valid", "position": 2, "right": "T-1"}
    said = READ | {"online": False, "list_version": 2, "shown": shown}
    assert town.post("/v1/plate-reads", json=said, headers=officer).status_code == 201
    read = reads_in(log)[0]
    assert read.shown is not None
    assert (read.online, read.shown.answer, read.shown.position) == (False, "valid", 2)


def test_the_key_of_a_read_stands_for_one_body(town: TestClient, log: Log, officer: dict[str, str]) -> None:
    keyed = officer | {"idempotency-key": "k1"}
    first = town.post("/v1/plate-reads", json=READ, headers=keyed)
    again = town.post("/v1/plate-reads", json=READ, headers=keyed)
    other = town.post("/v1/plate-reads", json=READ | {"read": "r2"}, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (other.status_code, other.json()["rule"]) == (409, "IdempotencyKeyReused")
    assert len(reads_in(log)) == 1


def stream(lines: Sequence[object]) -> bytes:
    return b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)


def test_a_stream_is_answered_line_by_line_in_order(
    town: TestClient, log: Log, catch_up: CatchUp, officer: dict[str, str]
) -> None:
    catch_up()
    said = stream([READ | {"read": f"r{n}", "plate": f"ON P{n}"} for n in range(500)])
    response = town.post("/v1/plate-reads", content=said, headers=officer | STREAM)
    assert response.status_code == 200
    assert [answer["read"] for answer in answers(response)] == [f"r{n}" for n in range(500)]
    assert len({answer["position"] for answer in answers(response)}) == 500
    assert len(reads_in(log)) == 500


def test_a_bad_line_names_itself_and_stops_no_other(
    town: TestClient, log: Log, officer: dict[str, str]
) -> None:
    lines = [
        READ,
        b"{not json}\n",
        b"\n",
        READ | {"read": "r4", "at": "2026-03-05T09:05:40"},
        b'{"read": "\xff"}\n',
        READ | {"read": "r6", "raw": "4111 1111 1111 1111"},
        READ | {"read": "r7", "raw": "x" * 1_100_000},
        READ | {"read": "r8", "raw": "a\x00b"},
        READ | {"read": "r9", "zone": "Q"},
        READ | {"read": "r10"},
    ]
    response = town.post("/v1/plate-reads", content=stream(lines), headers=officer | STREAM)
    found = answers(response)
    assert [answer.get("line") for answer in found] == [None, 2, 4, 5, 6, 7, 8, 9, None]
    assert [answer.get("status") for answer in found] == [None, 400, 422, 400, 409, 413, 422, 409, None]
    assert found[2]["errors"][0]["field"] == "at"
    assert found[1]["detail"].startswith("The line is not valid JSON")
    assert found[4]["rule"] == "CardNumberRefused"
    assert [read.read for read in reads_in(log)] == ["r1", "r10"]


def test_a_read_sent_twice_in_one_stream_is_one_read(
    town: TestClient, log: Log, officer: dict[str, str]
) -> None:
    found = answers(town.post("/v1/plate-reads", content=stream([READ] * 20), headers=officer | STREAM))
    assert len({answer["position"] for answer in found}) == 1
    assert len(reads_in(log)) == 1


class Wire:
    """A connection that sends a stream by hand, and reads answers when it pleases."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._connection.putrequest("POST", "/v1/plate-reads")
        for name, value in (headers | STREAM | {"transfer-encoding": "chunked"}).items():
            self._connection.putheader(name, value)
        self._connection.endheaders()
        self._response: HTTPResponse | None = None

    def send(self, part: bytes) -> None:
        self._connection.send(b"%x\r\n%s\r\n" % (len(part), part))

    def end(self) -> None:
        self._connection.send(b"0\r\n\r\n")

    def answer(self) -> dict[str, Any]:
        if self._response is None:
            self._response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(self._response.readline())
        return answer

    def cut(self) -> None:
        self._connection.close()
        if self._response is not None:
            self._response.close()


def test_a_stream_sent_again_under_its_key_adds_nothing(
    town: TestClient, log: Log, officer: dict[str, str]
) -> None:
    nameless = {name: value for name, value in READ.items() if name != "read"}
    body = "\n".join(json.dumps(one) for one in (nameless, nameless, READ))
    keyed = officer | STREAM | {"idempotency-key": "one-drive"}
    first, again = (answers(town.post("/v1/plate-reads", content=body, headers=keyed)) for _ in range(2))
    assert [one["read"] for one in first] == [one["read"] for one in again]
    assert len(reads_in(log)) == 3
    other = json.dumps(nameless | {"plate": "ON A1"})
    assert answers(town.post("/v1/plate-reads", content=other, headers=keyed))[0]["plate"] == "ON A1"
    assert len(reads_in(log)) == 4


def test_a_stream_may_begin_with_a_byte_order_mark(town: TestClient, officer: dict[str, str]) -> None:
    sent = town.post("/v1/plate-reads", content="\ufeff" + json.dumps(READ), headers=officer | STREAM)
    assert answers(sent)[0]["read"] == "r1"


@pytest.mark.usefixtures("town")
def test_an_answer_comes_while_the_stream_is_still_open(port: int, officer: dict[str, str]) -> None:
    wire = Wire(port, officer)
    wire.send(stream([READ]))
    assert wire.answer()["read"] == "r1"
    wire.send(stream([READ | {"read": "r2"}]))
    assert wire.answer()["read"] == "r2"
    wire.cut()


@pytest.mark.usefixtures("town")
def test_a_half_written_last_line_is_not_taken(port: int, log: Log, officer: dict[str, str]) -> None:
    wire = Wire(port, officer)
    whole = stream([READ | {"read": "r2"}])
    wire.send(stream([READ]) + whole[:-1])
    assert wire.answer()["read"] == "r1"
    wire.cut()
    time.sleep(0.3)
    assert [read.read for read in reads_in(log)] == ["r1"]


def test_a_sender_that_listens_late_gets_every_answer(port: int, officer: dict[str, str]) -> None:
    count = 1000
    wire = Wire(port, officer)
    for _ in range(count):
        wire.send(stream([{"unknown field " + "x" * 6000: 1}]))
    wire.end()
    assert [wire.answer()["line"] for _ in range(count)] == list(range(1, count + 1))
    wire.cut()
