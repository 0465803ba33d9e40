"""Personal data whose key was destroyed leaves the read models too.

A row is never changed otherwise. Here it is, as what it holds must not be kept: each row of the bucket
becomes what folding its read again would make of it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from events.privacy import RetentionKeyDestroyed
from events.vocabulary import REDACTED
from projections.cells import Broken, Entry
from projections.projection import Projection

_READS = (
    "SELECT DISTINCT payload ->> 'read', payload ->> 'device' FROM log.events WHERE type = 'PlateRead'"
    " AND at BETWEEN %s::date - 2 AND %s::date + 3 AND payload -> 'sealed' ->> 'bucket' = %s"
)

_REDACT = (
    "UPDATE views.{table} SET plate = %s, was = CASE WHEN was IS NULL THEN NULL ELSE %s END"
    " WHERE key = ANY(%s) AND (key, device) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
)
"""A read by its id and device: another device may have given the id to a read of another date."""

_DRIFTED = "DELETE FROM views.drifted WHERE (name, version, build) = (%s, %s, %s) AND key = ANY(%s)"
"""What the patrol noted shows rows whole; what still differs is found again."""


@contextmanager
def redacting(
    connection: Connection[Any],
    tables: Iterable[Projection],
    page: Sequence[Entry | Broken],
    owns: Callable[[str], bool] = lambda _: True,
) -> Iterator[None]:
    """Redact, in the transaction of what the block writes, what the page says is to be read no longer.

    Where several programs share the keys, each redacts those that it `owns`.
    """
    buckets = [bucket for entry in page if (bucket := _ended_by(entry)) is not None]
    if not buckets:
        yield
        return
    shown = [table for table in tables if {"read", "device", "plate", "was"} <= set(table.table.columns)]
    with connection.transaction():
        yield
        for bucket in buckets:
            _redact(connection, shown, bucket, owns)


def _ended_by(entry: Entry | Broken) -> str | None:
    event = None if isinstance(entry, Broken) else entry.event
    return event.bucket if isinstance(event, RetentionKeyDestroyed) else None


def _redact(
    connection: Connection[Any], tables: Iterable[Projection], bucket: str, owns: Callable[[str], bool]
) -> None:
    found = connection.execute(_READS, [bucket, bucket, bucket]).fetchall()
    reads = [(key, device) for read, device in found if owns(key := f"read:{read}")]
    keys, devices = [key for key, _ in reads], [device for _, device in reads]
    for table in tables:
        statement = _REDACT.format(table=table.table_name)
        connection.execute(statement.encode(), [REDACTED, REDACTED, keys, keys, devices])
        connection.execute(_DRIFTED, [*table.identity, keys])
