"""Identifiers that stand in the order in which they were made: an index takes them at its end."""

import os
import time
from itertools import count
from uuid import UUID, SafeUUID

_put = object.__setattr__
_sequence = count(int.from_bytes(os.urandom(2)))


def uuid7() -> UUID:
    """Return a UUID of version 7 (RFC 9562, 5.7): milliseconds, a counter of this process, and chance."""
    milliseconds = time.time_ns() // 1_000_000
    counter = next(_sequence) & 0xFFF
    chance = int.from_bytes(os.urandom(8)) >> 2
    made = UUID.__new__(UUID)  # its constructor would take as long again to look at what we know is right
    _put(made, "int", milliseconds << 80 | 0x7 << 76 | counter << 64 | 0x2 << 62 | chance)
    _put(made, "is_safe", SafeUUID.unknown)
    return made
