"""The keyed hash that stands in the archive for a plate or an account.

The key is the installation's own and is kept outside the archive, so that whoever gets hold of the files
cannot try all plates. The same plate has the same hash everywhere in one archive. 64 bits: among a hundred
million vehicles two of them share a hash with a chance of three in ten thousand.
"""

import hmac
import os
import secrets
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

KEY_FILE = "archive.key"
_BYTES = 32
_REMEMBERED = 100_000

type Hash = Callable[[str], int]


def keyed(key: bytes) -> Hash:
    """Return the hash under a key: the first 64 bits of HMAC-SHA-256 (RFC 2104) of a tag.

    It remembers the vehicles that come again and again, in some 25 MB at most.
    """

    @lru_cache(_REMEMBERED)
    def hashed(tag: str) -> int:
        return int.from_bytes(hmac.digest(key, tag.encode(), sha256)[:8], "big")

    return hashed


def key_of(data: Path, stated: str | None = None) -> bytes:
    """Return the key that is stated in the settings, else that of the data directory, made where missing."""
    if stated:
        return sha256(stated.encode()).digest()
    file = data / KEY_FILE
    data.mkdir(parents=True, exist_ok=True)
    fresh = data / f"{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    if not file.exists():
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:  # noqa: PTH123
            new.write(secrets.token_bytes(_BYTES))
            new.flush()
            os.fsync(new.fileno())
        try:
            os.link(fresh, file)  # whoever is first has made the key; the others take it
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_bytes()
