"""Appends as rows of COPY in binary format: all but position and time is put together beforehand.

A row is the number of its fields, then each field's length and bytes; see `COPY` in PostgreSQL's manual.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from struct import Struct
from typing import Any

from psycopg import Connection

from event_store.codec import Codec, Encoded
from event_store.packing import NULL, blob, instant, int2, int8, text, texts
from event_store.waiting import joined, word
from events.envelope import Append

COPY_EVENTS = (
    "copy log.events (position, recorded, at, command_id, version, step, type, tags, payload, actor, "
    "channel, fingerprint, digest, correlation, causation) from stdin (format binary)"
)
COPY_TAGS = "copy log.tags (position, tag, type) from stdin (format binary)"
_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_EVENT = Struct(">hiq12s")
"""Fifteen fields, of which position and recorded come first."""
_JSONB = Struct(">ib")
_DIGEST = (32).to_bytes(4)
"""The length of a SHA-256."""
_TAG = Struct(">hiq")
"""Three fields, of which position comes first."""


class Ready:
    """An append ready to be copied, but for its positions and the instant of the batch."""

    __slots__ = ("append", "key", "rows", "tags")

    def __init__(self, append: Append, codec: Codec) -> None:
        """Encode an append.

        Raises:
            ValueError: if it rests on something.
            Unstorable: if the database could not keep it.

        """
        if append.boundary is not None or append.absent is not None:
            raise ValueError("an append of history rests on nothing; append what is decided through the log")
        self.append = append
        self.key = blob(append.command_id.bytes)
        self.rows: list[bytes] = []
        self.tags: list[list[bytes]] = []
        for step, event in enumerate(map(codec.encode, append.events), 1):
            joined(event.tags)  # refuses what cannot be kept
            tags, name = [text(tag) for tag in event.tags], word(event.type)
            self.tags.append([tag + name for tag in tags])
            self.rows.append(_row(append, event, self.key, tags, step))


def _row(append: Append, event: Encoded, key: bytes, tags: Sequence[bytes], step: int) -> bytes:
    """Return the fields of `COPY_EVENTS` that follow position and recorded."""
    origin, payload = append.origin, event.payload
    return b"".join(
        (
            instant(event.at),
            key,
            _kind(event.type, event.version, step),
            texts(tags),
            _JSONB.pack(len(payload) + 1, 1),
            payload,
            _sender(origin.actor, origin.channel),
            blob(append.fingerprint) if step == 1 else NULL,
            _DIGEST,
            event.digest,
            NULL if origin.correlation is None else blob(origin.correlation.bytes),
            NULL if origin.causation is None else int8(origin.causation),
        )
    )


@lru_cache(maxsize=4096)
def _kind(name: str, version: int, step: int) -> bytes:
    return int2(version) + int2(step) + word(name)


@lru_cache(maxsize=4096)
def _sender(actor: str, channel: str) -> bytes:
    return word(actor) + word(channel)


def event_rows(fresh: Iterable[tuple[int, Ready]], recorded: datetime) -> list[bytes]:
    """Return the rows of `COPY_EVENTS` in pieces; each append comes with the position that it follows."""
    now = instant(recorded)
    pieces: list[bytes] = []
    for before, one in fresh:
        for position, row in enumerate(one.rows, before + 1):
            pieces += (_EVENT.pack(15, 8, position, now), row)
    return pieces


def tag_rows(fresh: Iterable[tuple[int, Ready]]) -> list[bytes]:
    """Return the rows of `COPY_TAGS` in pieces."""
    pieces: list[bytes] = []
    for before, one in fresh:
        for position, tags in enumerate(one.tags, before + 1):
            if tags:
                start = _TAG.pack(3, 8, position)
                pieces += (start, start.join(tags))
    return pieces


def copy(connection: Connection[Any], statement: str, pieces: Iterable[bytes]) -> None:
    """Copy rows."""
    with connection.cursor().copy(statement.encode()) as way_in:
        way_in.write(b"".join((_SIGNATURE, *pieces, _END)))
