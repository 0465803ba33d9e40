"""Command ids of imported rows: the same row has the same id in every run; ids sort by when it happened."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from events.base import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def command_id(kind: str, identity: str, at: datetime | None) -> UUID:
    """Return a UUIDv8 (RFC 9562, 5.8): 48 bits of the milliseconds of `at`, then 74 bits of a digest.

    Sorting by time keeps the log's unique index narrow where history arrives in order. Without `at` the id
    follows from the identity alone, so that one thing is one thing even if two files date it differently.
    """
    digest = hashlib.blake2b(f"{kind}\x1f{identity}".encode(), digest_size=10, person=b"import").digest()
    milliseconds = max(0, round(((at or _EPOCH) - _EPOCH).total_seconds() * 1000)) & ((1 << 48) - 1)
    value = milliseconds << 80 | int.from_bytes(digest)
    value = value & ~(0xF << 76) | 8 << 76
    return UUID(int=value & ~(0x3 << 62) | 2 << 62)


def fingerprint(events: Sequence[Event]) -> bytes:
    """Return a digest of what the events say, to tell a row that was changed from one that is there."""
    digest = hashlib.blake2b(digest_size=16)
    for event in events:
        digest.update(type(event).__name__.encode())
        digest.update(event.model_dump_json(exclude_none=True).encode())
    return digest.digest()
