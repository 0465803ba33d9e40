"""What is asked of a report: a period, a moment of knowledge, and what it is narrowed down to."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked.

    The period is `[begin, end)`. `known` is a position: the report as it would have read there. `at` is the
    instant at which money and appeals are looked at; by default that of `known`, or now. The others narrow
    the figure down; `by` parts it.
    """

    begin: datetime | None = None
    end: datetime | None = None
    known: int | None = None
    at: datetime | None = None
    zone: str | None = None
    lot: str | None = None
    officer: str | None = None
    device: str | None = None
    kind: str | None = None
    permit_type: str | None = None
    by: str | None = None
    timezone: str = "UTC"

    def narrowed(self) -> Mapping[str, str]:
        """Return what the figure is narrowed down to."""
        names = ("zone", "lot", "officer", "device", "kind", "permit_type")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def variables(self) -> Mapping[str, Any]:
        """Return the variables that the views look at."""
        renamed = {"begin": "period_from", "end": "period_to", "at": "at_instant"}
        return {renamed.get(one.name, one.name): getattr(self, one.name) for one in fields(self)}
