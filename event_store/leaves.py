"""What a leaf of the Merkle tree covers: an entry's envelope and the digest of its payload, as one JSON text.

The payload itself stays outside, so that a proof holds although what was sealed in it can be read no longer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from event_store.codec import canonical
from event_store.merkle import leaf_hash

COLUMNS = (
    "position, type, version, at, recorded, tags, actor, channel, command_id, correlation, causation, digest"
)
"""The columns that a leaf is made of."""


class Kept(NamedTuple):
    """An entry's envelope as the log keeps it, with the digest of its payload."""

    position: int
    type: str
    version: int
    at: datetime
    recorded: datetime
    tags: Sequence[str]
    actor: str
    channel: str
    command_id: UUID
    correlation: UUID | None
    causation: int | None
    digest: bytes

    def leaf(self) -> bytes:
        """Return what is hashed: canonical JSON, instants in UTC to the microsecond."""
        said: dict[str, Any] = {
            "actor": self.actor,
            "at": instant_text(self.at),
            "causation": self.causation,
            "channel": self.channel,
            "command_id": str(self.command_id),
            "correlation": None if self.correlation is None else str(self.correlation),
            "digest": bytes(self.digest).hex(),
            "position": self.position,
            "recorded": instant_text(self.recorded),
            "tags": list(self.tags),
            "type": self.type,
            "version": self.version,
        }
        return canonical(said)

    def hashed(self) -> bytes:
        """Return the hash of the leaf."""
        return leaf_hash(self.leaf())


def instant_text(value: datetime) -> str:
    """Return an instant in UTC, always to the microsecond."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
