"""Traces (OpenTelemetry) of a command's way from the door through decision and append to the read models.

Off, and free, unless `OTEL_EXPORTER_OTLP_ENDPOINT` says where they go. The trace's id is the correlation of
the events that came of it, so a read model that folds one of them later, in another process, adds its
span to the same trace.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
MOST = 32
"""Traces that one batch of a read model is told in."""
_HALF = 2**64 - 1


class _Switch:
    """Where spans go; nowhere until it is switched on."""

    tracer: "Tracer | None" = None


def switch_on(service: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send the spans of this process where the environment says, if it says so."""
    if not any(environment.get(name) for name in ENDPOINTS):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - half a second, rarely
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - likewise

    trace_to(service, BatchSpanProcessor(OTLPSpanExporter()))


def trace_to(service: str, processor: "SpanProcessor") -> None:
    """Send the spans of this process to a processor."""
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"parkledger-{service}"}))
    provider.add_span_processor(processor)
    _Switch.tracer = provider.get_tracer("parkledger")


def switch_off() -> None:
    """Trace no longer."""
    _Switch.tracer = None


@contextmanager
def entering(name: str, traceparent: str | None) -> Iterator["Span | None"]:
    """Trace what a request leads to, as part of the trace that its `traceparent` names."""
    tracer = _Switch.tracer
    if tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - only where traces are on
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    carrier = {"traceparent": traceparent} if traceparent else {}
    context = TraceContextTextMapPropagator().extract(carrier)
    with tracer.start_as_current_span(name, context, SpanKind.SERVER) as span:
        yield span


@contextmanager
def span(name: str, **attributes: str | int) -> Iterator[None]:
    """Trace a part of what is being traced."""
    tracer = _Switch.tracer
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(name, attributes=attributes):
        yield


def correlation_of(span: "Span | None") -> UUID | None:
    """Return the id of a span's trace, as events carry it."""
    return None if span is None else UUID(int=span.get_span_context().trace_id)


def projected(began: int, correlations: Iterable[UUID | None], models: str, upto: int) -> None:
    """Tell each trace that an event of it is in the read models now; `began` is `now()` of before."""
    tracer = _Switch.tracer
    if tracer is None:
        return
    from opentelemetry import trace  # noqa: PLC0415 - only where traces are on

    told = [one for one in dict.fromkeys(correlations) if one is not None][:MOST]
    for one in told:
        parent = trace.SpanContext(
            one.int, (one.int & _HALF) or 1, is_remote=True, trace_flags=trace.TraceFlags(1)
        )
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
        attributes: dict[str, str | int] = {"parkledger.models": models, "parkledger.upto": upto}
        tracer.start_span("project", context, attributes=attributes, start_time=began).end()


def now() -> int:
    """Return the instant in nanoseconds since 1970, as spans take it."""
    return time.time_ns()
