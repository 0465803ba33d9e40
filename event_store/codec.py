"""Between events and what the log keeps of them: canonical JSON, tags, wire names, versions and digests.

The canonical bytes of a payload are its JSON with sorted keys, without blanks, and without the fields that
were left open. The digest is the SHA-256 of these bytes, so that it can be proved later from what the
database gives back. Personal fields and tags pass through one `Sealer` here and nowhere else.
"""

import re
from collections.abc import Sequence
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from psycopg import Connection

from event_store.sealing import Buckets, Plain, Sealer
from event_store.subjects import account_key
from event_store.vault import Vault
from events.boundary import Boundary, Criterion
from events.catalogue import Event, event_named  # not from events.base: reading needs the whole catalogue
from events.envelope import Recorded
from events.privacy import RetentionKeyDestroyed, SubjectErased

type Row = tuple[int, str, int, datetime, datetime, bytes, str, str, UUID, UUID | None, int | None]
"""An entry as the database returns it: position, type, version, at, recorded, payload, actor, channel,
command id, correlation, causation."""

JOINED = "\x1f"
"""Stands between the parts of lists that travel as one text (U+001F, unit separator)."""

_encoder = msgspec.json.Encoder(order="sorted")
_encode = _encoder.encode
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NEGATIVE_ZERO = re.compile(rb"[:\[,]-0\.0[,\]}]")
_SCALARS = frozenset({str, int, float, bool, datetime})


class Unstorable(ValueError):
    """The database cannot keep this event; nothing of its append was taken."""


class NewerEvent(LookupError):
    """The log holds a version of an event that this program does not know yet; upgrade it."""


class Encoded(NamedTuple):
    """An event as the log keeps it."""

    type: str
    version: int
    at: datetime
    tags: tuple[str, ...]
    payload: bytes
    digest: bytes


_BY_CONNECTION: WeakKeyDictionary[Connection[Any], "Codec"] = WeakKeyDictionary()


class Codec:
    """Writes events for the log and revives them from it."""

    def __init__(self, sealer: Sealer | None = None) -> None:
        """Keep personal data as `sealer` says; plainly where none is given."""
        self._sealer = sealer or Plain()
        self._keyed = tuple(f"{name}:" for name in self._sealer.keyed)

    @classmethod
    def of(cls, dsn: str) -> "Codec":
        """Return the codec of a database's log, which keeps personal data under the keys of its vault."""
        return cls(Buckets(Vault.of(dsn)))

    @classmethod
    def over(cls, connection: Connection[Any]) -> "Codec":
        """Return the codec of the log that a connection leads to, one for each connection."""
        found = _BY_CONNECTION.get(connection)
        if found is None:
            found = _BY_CONNECTION[connection] = cls(Buckets(Vault.over(connection)))
        return found

    def encode(self, event: Event) -> Encoded:
        """Return the event as the log keeps it.

        Raises:
            Unstorable: if a text or tag holds what PostgreSQL cannot keep.

        """
        fields = {
            name: value if type(value) in _SCALARS else bare(value)
            for name, value in event.__dict__.items()
            if value is not None
        }
        del fields["at"]
        if event.personal:
            fields = self._sealer.seal(event, fields)
        payload = canonical(fields)
        tags = event.tags()
        if self._keyed:
            tags = tuple(map(self.tag, tags))
        cls = type(event)
        return Encoded(cls.__name__, cls.version, event.at, tags, payload, digest(payload))

    def tag(self, tag: str) -> str:
        """Return the tag as the log keeps it."""
        return self._sealer.tag(tag) if tag.startswith(self._keyed) else tag

    def destroy(self, bucket: str) -> None:
        """Destroy the key of a date or subject; doing it again changes nothing."""
        self._sealer.destroy(bucket)

    def forget(self, bucket: str) -> None:
        """Use the key of a date no longer: the log says that it ended, and automation may yet destroy it."""
        self._sealer.forget(bucket)

    def criteria[E: Event](self, boundary: Boundary[E]) -> Sequence[Criterion]:
        """Return the criteria of a boundary over tags as the log keeps them."""
        return [self._kept(criterion) for criterion in boundary.criteria]

    def _kept(self, criterion: Criterion) -> Criterion:
        for tag in criterion.tags:
            if tag.startswith(self._keyed):
                return Criterion(criterion.types, frozenset(map(self.tag, criterion.tags)))
        return criterion

    def revive(self, row: Row) -> Recorded[Event]:
        """Return the entry of a row, its payload raised to the event's present version.

        Raises:
            UnknownEvent: if the catalogue has no event of that wire name.
            NewerEvent: if the row was written by a newer program.

        """
        position, name, version, at, recorded, payload, actor, channel, command_id, correlation, causation = (
            row
        )
        cls = event_named(name)
        if cls.personal:
            payload = self._sealer.unseal(cls, payload)
        if version != cls.version:
            payload = upcast(cls, version, payload)
        if cls is RetentionKeyDestroyed:
            self._sealer.forget(RetentionKeyDestroyed.revive(payload, at).bucket)
        elif cls is SubjectErased:
            self._sealer.forget(account_key(SubjectErased.revive(payload, at).account))
        return Recorded(
            position, recorded, cls.revive(payload, at), actor, channel, command_id, correlation, causation
        )


def canonical(fields: Any) -> bytes:
    """Return JSON values as canonical bytes.

    Raises:
        Unstorable: if a text holds NUL or half of a surrogate pair.

    """
    try:
        payload = _encode(fields)
    except UnicodeEncodeError as broken:
        raise Unstorable(f"a text holds half of a surrogate pair: {broken.reason}") from None
    if b"-0.0" in payload and _NEGATIVE_ZERO.search(payload):
        return canonical(_positive(fields))  # PostgreSQL's numbers know no negative zero
    if b"\\u0000" in payload and _NUL.search(payload):
        raise Unstorable("a text holds the character NUL, which PostgreSQL cannot keep")
    return payload


def _positive(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _positive(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_positive(one) for one in value]
    return value + 0.0 if isinstance(value, float) else value


def digest(payload: bytes) -> bytes:
    """Return the SHA-256 of canonical bytes (FIPS 180-4)."""
    return sha256(payload).digest()


def canonical_again(payload: bytes) -> bytes:
    """Return the canonical bytes of a payload that the database gave back in its own spelling."""
    return canonical(msgspec.json.decode(payload))


@cache
def _names(kind: type[Any]) -> tuple[str, ...] | None:
    """Return the names of a dataclass's fields, or `None` where it is none."""
    return tuple(one.name for one in fields_of(kind)) if is_dataclass(kind) else None


def bare(value: Any) -> Any:
    """Return a structured value without the fields that were left open, at any depth."""
    if (names := _names(type(value))) is not None:  # type: ignore[arg-type]  # a class is hashable
        pairs = ((name, getattr(value, name)) for name in names)
        return {name: bare(one) for name, one in pairs if one is not None}
    if isinstance(value, dict):
        return {name: bare(one) for name, one in value.items() if one is not None}
    if isinstance(value, tuple | list):
        return [bare(one) for one in value]
    return value


def upcast(cls: type[Event], version: int, payload: bytes) -> bytes:
    """Return a payload of an older schema version as one of the present version.

    Raises:
        NewerEvent: if the version is newer than this program, or the way up from it is unknown.

    """
    if version > cls.version:
        raise NewerEvent(
            f"{cls.__name__} has version {version} in the log, and {cls.version} in this program; upgrade it"
        )
    fields: dict[str, Any] = msgspec.json.decode(payload)
    for step in range(version, cls.version):
        if step not in cls.upcasts:
            raise NewerEvent(f"{cls.__name__} has no upcast from version {step} to {step + 1}")
        fields = cls.upcasts[step](fields)
    return _encode(fields)
