"""What this door counts, for Prometheus: answers by route and status, and their seconds."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

MEDIA_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Meter:
    """The counters of one app."""

    def __init__(self) -> None:
        """Start from zero, beside what the process itself uses."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        answers = Counter(
            "parkledger_read_answers", "Answers given.", ("route", "status"), registry=self.registry
        )
        seconds = Histogram(
            "parkledger_read_seconds",
            "Seconds from a request's head to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._answers = cache(lambda route, status: answers.labels(route, str(status)))
        self._seconds = cache(seconds.labels)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer of a route, named by its path in the API's table."""
        self._answers(route, status).inc()
        self._seconds(route).observe(seconds)

    def text(self, gauges: Iterable[GaugeMetricFamily] = ()) -> bytes:
        """Return everything counted and these gauges, as Prometheus reads it."""
        moment = CollectorRegistry()
        moment.register(_Fixed(list(gauges)))
        return generate_latest(self.registry) + generate_latest(moment)


class _Fixed:
    """Gauges that were measured a moment ago."""

    def __init__(self, gauges: list[GaugeMetricFamily]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._gauges
