"""Command ids and the identities that the server makes up.

A command id is what the log knows a request by. Under an `Idempotency-Key` it follows from who asked, where
and with which key, so that a repeat is recognised by every process and after every restart; without one it is
fresh. Identities that a body leaves out follow from the command id: a repeat names the same thing.
"""

import hashlib
import os
import time
from base64 import b32encode
from uuid import UUID

import msgspec

from write_api.bodies import Document

_canonical = msgspec.json.Encoder(order="sorted")


class _Randomness:
    """Random bytes of the system, fetched many at a time: a system call an id would cost more than the id."""

    __slots__ = ("_at", "_process", "_stock")
    _SIZE = 4096

    def __init__(self) -> None:
        """Fetch nothing yet."""
        self._stock = b""
        self._at = self._SIZE
        self._process = 0

    def take(self, count: int) -> bytes:
        """Return so many bytes that nobody was given before; a forked process begins with its own."""
        if self._at + count > self._SIZE or self._process != os.getpid():
            self._stock, self._at, self._process = os.urandom(self._SIZE), 0, os.getpid()
        self._at += count
        return self._stock[self._at - count : self._at]


_randomness = _Randomness()


def fresh_id() -> UUID:
    """Return a UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, then 74 random bits; it sorts by time.

    To be called from one thread, that of the event loop.
    """
    value = time.time_ns() // 1_000_000 << 80 | int.from_bytes(_randomness.take(10))
    value = value & ~(0xF << 76) | 7 << 76
    return UUID(int=value & ~(0x3 << 62) | 2 << 62)


def derived_id(*parts: str) -> UUID:
    """Return a UUIDv8 (RFC 9562, 5.8) that follows from the parts: the same parts give the same id."""
    lengths = "".join(f"{len(part)}:{part}" for part in parts)
    digest = hashlib.blake2b(lengths.encode(), digest_size=16, person=b"parkledger").digest()
    value = int.from_bytes(digest)
    value = value & ~(0xF << 76) | 8 << 76
    return UUID(int=value & ~(0x3 << 62) | 2 << 62)


def fingerprint(path: str, document: Document) -> bytes:
    """Return a digest of what was asked: the same for the same fields in any order and spacing."""
    digest = hashlib.blake2b(path.encode(), digest_size=16)
    digest.update(b"\0")
    digest.update(_canonical.encode(document))
    return digest.digest()


def minted(prefix: str, command_id: UUID) -> str:
    """Return an identity of 16 letters and digits after the prefix, following from the command id."""
    digest = hashlib.blake2b(command_id.bytes, digest_size=10, person=b"identity").digest()
    return f"{prefix}{b32encode(digest).decode().rstrip('=')}"
