"""The seam where personal data is sealed on its way into the log, and opened on its way out.

Events say which of their fields are personal (`Event.personal`); nothing else in the program needs to know
whether, and under which key, such a field is kept.
"""

from base64 import b64decode, b64encode
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from os import urandom
from time import monotonic
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from event_store.subjects import WORDS, subject_of
from event_store.vault import FRESH_FOR, Vault
from events.base import Event
from events.vocabulary import REDACTED


class Sealer(Protocol):
    """How personal fields and tags are kept in the log."""

    keyed: frozenset[str]
    """The names of the tags whose values are personal and stand in the log as keyed hashes."""

    def seal(self, event: Event, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields as the log shall keep them; those of `event.personal` may be changed."""
        ...

    def unseal(self, event: type[Event], payload: bytes) -> bytes:
        """Return the payload as it was before `seal`, or with what remains of it where its key is gone."""
        ...

    def tag(self, tag: str) -> str:
        """Return the tag under which the log knows the personal tag `name:value`; always the same one."""
        ...

    def forget(self, bucket: str) -> None:
        """Open nothing of the bucket any more: the log says that its key was destroyed."""
        ...

    def destroy(self, bucket: str) -> None:
        """Destroy the key of the bucket for good."""
        ...


class Plain:
    """Keeps personal fields as they are."""

    keyed: frozenset[str] = frozenset()

    def seal(self, event: Event, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return the fields unchanged."""
        return fields

    def unseal(self, event: type[Event], payload: bytes) -> bytes:
        """Return the payload unchanged; what somebody else sealed is redacted for who has no keys."""
        if event.__name__ not in _BOXED or b'"sealed"' not in payload:
            return payload
        fields = _decode(payload)
        sealed = fields.pop("sealed", None)
        return payload if sealed is None else _encode(fields | redacted(event, sealed))

    def tag(self, tag: str) -> str:
        """Return the tag unchanged."""
        return tag

    def forget(self, bucket: str) -> None:
        """Have nothing to forget."""

    def destroy(self, bucket: str) -> None:
        """Have nothing to destroy."""


SEALED = frozenset(
    {"PlateRead", "PlateReadCorrected", "PossibleMatchConfirmed", "PossibleMatchDenied", "WatchlistHit"}
)
"""The events whose personal fields are kept under a retention bucket: reads, and what was said of them."""

_BOXED = SEALED | WORDS.keys()
_NONCE = 12
_TAG_BYTES = 16
_BLOCK = 64
"""Bytes that SHA-256 takes at once; the vault's secret is shorter."""
_REMEMBERED = 50_000
_decode = msgspec.json.decode
_encode = msgspec.json.Encoder(order="sorted").encode
_ZONES = """
    SELECT DISTINCT ON (payload ->> 'zone') payload ->> 'zone', payload ->> 'timezone'
    FROM log.events WHERE type = 'ZoneOpened' ORDER BY payload ->> 'zone', position DESC
"""
_READ = """
    SELECT e.payload -> 'sealed' ->> 'bucket' FROM log.tags t JOIN log.events e USING (position)
    WHERE t.tag = %s AND t.type = 'PlateRead' ORDER BY position LIMIT 1
"""


class Buckets:
    """Seals reads under the key of their local date, words under their subject's, and hashes plate tags.

    By AES-256-GCM (NIST SP 800-38D): `{"sealed": {"bucket": DATE, "box": BASE64}}` takes the place of the
    personal fields, nonce and ciphertext of their JSON, bound to the event's wire name. Of words, `bucket` is
    the subject, and `"fields"` tells which there were. Whoever destroys the key leaves the box, and so the
    digest and every proof over it, and nobody can open it. What is sealed after that keeps no box at all.
    """

    keyed: frozenset[str] = frozenset({"plate"})

    def __init__(self, vault: Vault) -> None:
        """Seal and open with the keys of `vault`."""
        self._vault = vault
        self._ciphers: dict[bytes, AESGCM] = {}
        self._timezones: dict[str, tuple[str, float]] = {}
        self._tags: dict[str, str] = {}
        self._pads: tuple[Any, Any] | None = None

    def seal(self, event: Event, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields with those of a read, or the words, in a box; those of other events unchanged."""
        name = type(event).__name__
        if name in SEALED:
            return self._boxed(event, fields, event.personal, {"bucket": self._bucket_of(event)})
        if name not in WORDS:
            return fields
        words = sorted(WORDS[name].intersection(fields))
        if not words:
            return fields
        return self._boxed(event, fields, words, {"bucket": subject_of(event), "fields": words})

    def _boxed(
        self, event: Event, fields: dict[str, Any], personal: Container[str], sealed: dict[str, Any]
    ) -> dict[str, Any]:
        boxed: dict[str, Any] = {}
        kept: dict[str, Any] = {}
        for field, value in fields.items():
            (boxed if field in personal else kept)[field] = value
        bucket: str = sealed["bucket"]
        key = self._vault.key_to_seal(bucket)
        if key is not None:
            nonce, about = urandom(_NONCE), f"{type(event).__name__} {bucket}".encode()
            box = self._cipher(key).encrypt(nonce, _encode(boxed), about)
            sealed["box"] = b64encode(nonce + box).decode()
        kept["sealed"] = sealed
        return kept

    def unseal(self, event: type[Event], payload: bytes) -> bytes:
        """Return the payload as it was before `seal`; where the key is gone, with `REDACTED` in its place."""
        if event.__name__ not in _BOXED or b'"sealed"' not in payload:
            return payload
        fields = _decode(payload)
        sealed = fields.pop("sealed", None)
        if sealed is None:
            return payload
        key = self._vault.key(sealed["bucket"])
        if key is None or "box" not in sealed:
            return _encode(fields | redacted(event, sealed))
        box = b64decode(sealed["box"])
        about = f"{event.__name__} {sealed['bucket']}".encode()
        return _encode(fields | _decode(self._cipher(key).decrypt(box[:_NONCE], box[_NONCE:], about)))

    def tag(self, tag: str) -> str:
        """Return the tag with its value hashed (HMAC-SHA-256, RFC 2104) under the vault's secret."""
        found = self._tags.get(tag)
        if found is None:
            name, _, value = tag.partition(":")
            found = f"{name}:{self._keyed_hash(value.encode())[:_TAG_BYTES].hex()}"
            if len(self._tags) < _REMEMBERED:
                self._tags[tag] = found
        return found

    def _keyed_hash(self, value: bytes) -> bytes:
        """Return HMAC-SHA-256, its key hashed once for all: a new plate comes with every other event."""
        if self._pads is None:
            key = self._vault.secret.ljust(_BLOCK, b"\0")
            self._pads = sha256(bytes(b ^ 0x36 for b in key)), sha256(bytes(b ^ 0x5C for b in key))
        inner, outer = self._pads[0].copy(), self._pads[1].copy()
        inner.update(value)
        outer.update(inner.digest())
        return outer.digest()

    def forget(self, bucket: str) -> None:
        """Open nothing of the bucket any more: the log says that its key was destroyed."""
        self._vault.forget(bucket)

    def destroy(self, bucket: str) -> None:
        """Destroy the key of the bucket for good."""
        self._vault.destroy(bucket)

    def _cipher(self, key: bytes) -> AESGCM:
        found = self._ciphers.get(key)
        if found is None:
            if len(self._ciphers) >= _REMEMBERED:
                self._ciphers.clear()
            found = self._ciphers[key] = AESGCM(key)
        return found

    def _bucket_of(self, event: Event) -> str:
        """Return the local date of a read; what is said of a read later lies in the read's own bucket."""
        values = event.__dict__
        zone = values.get("zone")
        if zone is None:
            found = self._vault.rows(_READ, f"read:{values['read']}")
            if found and found[0][0] is not None:
                return str(found[0][0])
        return local_date_of(event.at, self._timezone(zone) if zone is not None else "UTC")

    def _timezone(self, zone: str) -> str:
        known, looked_at = self._timezones.get(zone, ("", float("-inf")))
        if known and monotonic() - looked_at < FRESH_FOR:
            return known
        opened = self._vault.rows(_ZONES)  # all at once: who reads in one zone soon reads in the others
        self._timezones[zone] = ("UTC", monotonic())
        self._timezones.update({name: (timezone, float("inf")) for name, timezone in opened})
        return self._timezones[zone][0]


def local_date_of(at: datetime, timezone: str) -> str:
    """Return the local date of an instant, as the text that names a bucket."""
    return at.astimezone(ZoneInfo(timezone) if timezone != "UTC" else UTC).date().isoformat()


def redacted(event: type[Event], sealed: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands for the words that were sealed, or else for what a read cannot be without."""
    if "fields" in sealed:
        return dict.fromkeys(sealed["fields"], REDACTED)
    return {name: REDACTED for name in event.personal if event.model_fields[name].is_required()}
