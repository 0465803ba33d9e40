"""Comparing the archive with the log: each file has its bytes, and each row says what the log says."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.compute as pc

from event_store.archive import EVENTS, Archive, differing
from event_store.archive_batch import arrow_connection, as_columns, raw_rows
from event_store.archive_hash import Hash
from event_store.archive_manifest import BrokenArchive, Segment

_STRETCH = 250_000
"""Positions that are compared at once: what memory it takes is bounded, however large a segment is."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of comparing one segment; `wrong` says in words what does not hold."""

    first: int
    last: int
    wrong: str | None = None


def verify(archive: Archive, dsn: str, hashed: Hash) -> Iterator[Verified]:
    """Compare each segment with the log, and yield what came of it.

    Raises:
        BrokenArchive: if the manifest itself cannot be read.
        LogUnavailable: if the log cannot be reached.

    """
    with arrow_connection(dsn) as connection:
        for segment in archive.manifest().segments:
            yield Verified(segment.first, segment.last, _wrong(archive, connection, segment, hashed))


def _wrong(archive: Archive, connection: object, segment: Segment, hashed: Hash) -> str | None:
    try:
        tables = {name: archive.table(file) for name, file in segment.files.items()}
    except BrokenArchive as broken:
        return str(broken)
    kept = tables[EVENTS]
    for after in range(segment.first - 1, segment.last, _STRETCH):
        upto = min(after + _STRETCH, segment.last)
        told = as_columns(raw_rows(connection, after, upto), hashed)
        of_it = kept.filter(_between(after, upto))
        positions = differing(of_it, told)
        if positions:
            return f"The archive and the log differ at position {positions[0]} ({len(positions)} in all)."
    return None


def _between(after: int, upto: int) -> pc.Expression:
    return (pc.field("position") > after) & (pc.field("position") <= upto)
