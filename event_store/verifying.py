"""Proof that the log stands as written: no gap, no step back in time, every payload as its digest says.

What finds entries by their tags is compared with them: an entry that it leaves out would be in no decision.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from event_store.codec import canonical_again, digest

_ENTRIES = "select position, recorded, payload::text::bytea, digest from log.events order by position"
_PAGE = 5_000
_TOLD = "(select position, type, tag from log.events, unnest(tags) tag)"
_SUM = (
    "select row(count(*), coalesce(sum(hashtextextended(position || ' ' || type || ' ' || tag, 0)), 0)) from"
)
_FOUND_BY = f"select ({_SUM} {_TOLD}) is not distinct from ({_SUM} log.tags)"
_FOUND_OTHERWISE = f"""
    with told as {_TOLD}, kept as (select position, type, tag from log.tags)
    select min(position) from (
        (table told except all table kept) union all (table kept except all table told)
    ) odd
"""


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
    return _found_by_tags(dsn, count)


def _found_by_tags(dsn: str, count: int) -> Verified:
    """Return whether each entry is found by its tags, and by no others; sums first, which take no memory."""
    with psycopg.connect(dsn) as connection:
        same = connection.execute(_FOUND_BY.encode()).fetchone()
        odd = None if same and same[0] else connection.execute(_FOUND_OTHERWISE.encode()).fetchone()
    if odd is None or odd[0] is None:
        return Verified(count)
    return Verified(count, odd[0], "it is not found by the tags that it has")


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
