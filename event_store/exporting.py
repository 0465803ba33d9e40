"""Evidence packs as files: chosen entries, their proofs, and on request all envelopes of the log."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from event_store.log import Log
from event_store.pack import pack_of, verifier
from event_store.proving import Proofs
from event_store.seal import Checkpoint
from events.boundary import Boundary

EARLIER = 50


def positions_of(log: Log, boundary: Boundary[Any] | None, after: int, upto: int | None) -> list[int]:
    """Return the positions of the entries in a boundary (of all where none is given)."""
    if boundary is None:
        last = log.head() if upto is None else min(upto, log.head())
        return list(range(after + 1, last + 1))
    return [entry.position for entry in log.read(boundary, after=after, upto=upto).entries]


def pack_bytes(
    proofs: Proofs,
    checkpoint: Checkpoint,
    positions: Sequence[int],
    about: dict[str, Any],
    tags: Sequence[str] = (),
) -> bytes:
    """Return a pack as JSON; with tags, it proves that it holds every entry of the log that carries one."""
    since = [one.size for one in proofs.checkpoints(checkpoint.size, EARLIER)]
    pack = pack_of(proofs, checkpoint, positions, about, since)
    if tags:
        leaves = [leaf.decode() for leaf in proofs.leaves(checkpoint.size)]
        pack["complete"] = {"tags": list(tags), "leaves": leaves}
    return msgspec.json.encode(pack)


def archive(pack: bytes) -> bytes:
    """Return a pack and its verifier as one archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as files:
        for name, content in _files(pack):
            files.writestr(name, content)
    return made.getvalue()


def _files(pack: bytes) -> Iterator[tuple[str, bytes]]:
    yield "pack.json", pack
    yield "verify.py", verifier().encode()
