"""The log page by page, the next one read while the last is worked on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psycopg import Connection

from event_store.codec import Codec
from projections.connection import connect
from projections.history import LogReader, Page

PAGE = 20_000
"""Positions of the log that are read at a time."""


def ahead(
    dsn: str, types: Sequence[str], upto: int, size: int = PAGE, codec: Codec | None = None
) -> Iterator[Page]:
    """Yield what the log holds of these types up to a position, in pages of so many positions."""
    with connect(dsn, name="parkledger replay") as connection, ThreadPoolExecutor(1) as reading:
        reader = LogReader(connection, codec)
        following = reading.submit(reader.page, 0, min(size, upto), types)
        while (page := following.result()) is not None:
            if page.upto < upto:
                following = reading.submit(reader.page, page.upto, min(size, upto - page.upto), types)
            yield page
            if page.upto >= upto:
                return


def head_of(connection: Connection[Any]) -> int:
    """Return the newest position of the log, 0 where it is empty."""
    row = connection.execute("SELECT coalesce(max(position), 0) FROM log.events").fetchone()
    return row[0] if row else 0
