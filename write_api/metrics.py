"""What the write API counts, for Prometheus: requests and their time by route, and refusals by rule."""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one app."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        """Start from zero, beside what the process itself uses."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        requests = Counter(
            "parkledger_write_requests",
            "Requests answered.",
            ("route", "status"),
            registry=self.registry,
        )
        seconds = Histogram(
            "parkledger_write_seconds",
            "Seconds from a request's head to its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "parkledger_refusals", "Commands that a rule refused.", ("rule",), registry=self.registry
        )
        self.lines = Counter(
            "parkledger_read_lines", "Plate reads answered in streams.", registry=self.registry
        )
        self._requests = cache(lambda route, status: requests.labels(route, str(status)))
        self._seconds = cache(seconds.labels)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer of a route, named by its path in the API's table."""
        self._requests(route, status).inc()
        self._seconds(route).observe(seconds)

    def refused(self, rule: str) -> None:
        """Count a refusal."""
        self._refusals.labels(rule).inc()

    def page(self) -> bytes:
        """Return everything counted, as Prometheus reads it."""
        return generate_latest(self.registry)
