"""How an entry of the log looks from outside, as JSON, JSON Lines and CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field

from events.base import Event
from events.envelope import Recorded

COLUMNS = (
    "position",
    "type",
    "version",
    "at",
    "recorded",
    "actor",
    "channel",
    "command_id",
    "correlation",
    "causation",
    "tags",
    "data",
)
"""The columns of the CSV, in order; `tags` and `data` are JSON."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Entry(BaseModel):
    """An event with its envelope; `data` holds the fields of its type without `at`."""

    position: int = Field(examples=[1042])
    type: str = Field(description="The event's wire name.", examples=["PlateRead"])
    version: int = Field(examples=[1])
    at: datetime = Field(description="When it occurred.")
    recorded: datetime = Field(description="When the log accepted it.")
    actor: str
    channel: str
    command_id: UUID
    correlation: UUID | None = None
    causation: int | None = Field(None, description="Position of the entry that led to this one.")
    tags: list[str] = Field(examples=[["read:R-7", "plate:ON CKTR482"]])
    data: dict[str, Any]


def entry_of(recorded: Recorded[Event]) -> dict[str, Any]:
    """Return an entry as JSON values, in the shape of `Entry`."""
    event = recorded.event
    return {
        "position": recorded.position,
        "type": type(event).__name__,
        "version": event.version,
        "at": event.at,
        "recorded": recorded.recorded,
        "actor": recorded.actor,
        "channel": recorded.channel,
        "command_id": recorded.command_id,
        "correlation": recorded.correlation,
        "causation": recorded.causation,
        "tags": list(event.tags()),
        "data": event.payload(),
    }


def as_lines(entries: Iterable[Recorded[Event]]) -> bytes:
    """Return entries as JSON Lines."""
    return b"".join(msgspec.json.encode(entry_of(entry)) + b"\n" for entry in entries)


def as_csv(entries: Iterable[Recorded[Event]], *, heading: bool) -> bytes:
    """Return entries as CSV (RFC 4180), the first part with its heading."""
    out = io.StringIO()
    writer = csv.writer(out)
    if heading:
        writer.writerow(COLUMNS)
    for entry in entries:
        values = entry_of(entry)
        writer.writerow([_cell(values[name]) for name in COLUMNS])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    text = msgspec.to_builtins(value, str_keys=True) if not isinstance(value, str) else value
    text = str(text)
    return f"'{text}" if text.startswith(_FORMULA) else text
