"""A command's trace: taken up at the door, told through decision and append, and by the read models."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from event_store import tracing
from event_store.log import Log

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ZONE = {"zone": "F", "timezone": "America/Toronto"}


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    tracing.trace_to("test", SimpleSpanProcessor(kept))
    yield kept
    tracing.switch_off()


def test_a_command_is_one_trace_from_the_door_to_the_read_models(
    client: TestClient, log: Log, catch_up: Callable[[], object], spans: InMemorySpanExporter
) -> None:
    parent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert client.post("/v1/zones", json=ZONE, headers=parent).status_code == 201
    (opened,) = log.read().entries
    assert opened.correlation == UUID(TRACE)
    catch_up()
    told = {span.name: span for span in spans.get_finished_spans()}
    assert set(told) == {"POST /v1/zones", "execute OpenZone", "append", "project"}
    assert {f"{span.context.trace_id:032x}" for span in told.values()} == {TRACE}
    assert told["append"].parent == told["execute OpenZone"].context
    assert told["POST /v1/zones"].attributes == {"http.response.status_code": 201}


def test_without_a_traceparent_the_trace_is_the_correlation(
    client: TestClient, log: Log, spans: InMemorySpanExporter
) -> None:
    client.post("/v1/zones", json=ZONE)
    (opened,) = log.read().entries
    assert opened.correlation == UUID(int=spans.get_finished_spans()[0].context.trace_id)


def test_a_refusal_is_a_trace_too(client: TestClient, spans: InMemorySpanExporter) -> None:
    assert client.post("/v1/zones/NONE/closure").status_code == 409
    door = next(span for span in spans.get_finished_spans() if span.name.startswith("POST"))
    assert door.attributes == {"http.response.status_code": 409}


def test_traces_are_off_unless_an_endpoint_is_set(client: TestClient, log: Log) -> None:
    tracing.switch_on("test", {})
    client.post("/v1/zones", json=ZONE)
    (opened,) = log.read().entries
    assert opened.correlation is None


def test_spans_reach_a_collector(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []
    heard = threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()
            heard.set()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    tracing.switch_on("write-api")
    client.post("/v1/zones", json=ZONE)
    assert heard.wait(30)
    tracing.switch_off()
    server.shutdown()
    server.server_close()
    assert b"parkledger-write-api" in bodies[0]
