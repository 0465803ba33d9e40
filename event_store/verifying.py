"""Proof that the log stands as written: no gap, no step back in time, every payload as its digest says."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from event_store.codec import canonical_again, digest

_ENTRIES = "select position, recorded, payload::text::bytea, digest from log.events order by position"
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Verified:
    """How many entries were checked, and the first that is wrong with what is wrong with it."""

    count: int
    position: int | None = None
    reason: str | None = None

    @property
    def holds(self) -> bool:
        """Whether every entry is as it was written."""
        return self.reason is None


class _Entry(NamedTuple):
    position: int
    recorded: datetime
    payload: bytes
    digest: bytes


def verify(dsn: str) -> Verified:
    """Return whether the whole log stands as it was written, read through once in flat memory."""
    count, before = 0, None
    with psycopg.connect(dsn) as connection, connection.cursor("verifying") as cursor:
        cursor.itersize = _PAGE
        for entry in map(_Entry._make, _rows(cursor)):
            reason = _wrong(entry, count, before)
            if reason is not None:
                return Verified(count, entry.position, reason)
            count, before = count + 1, entry.recorded
    return Verified(count)


def _rows(cursor: psycopg.ServerCursor[Any]) -> Iterator[Any]:
    cursor.execute(_ENTRIES)
    yield from cursor


def _wrong(entry: _Entry, count: int, before: datetime | None) -> str | None:
    if entry.position != count + 1:
        return f"position {count + 1} is missing"
    if before is not None and entry.recorded < before:
        return "it was recorded before the entry in front of it"
    if digest(canonical_again(bytes(entry.payload))) != bytes(entry.digest):
        return "its payload is not the one that its digest was made of"
    return None
