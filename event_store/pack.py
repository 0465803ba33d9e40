"""An evidence pack: entries of the log with all that is needed to check them without the log."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from event_store.proving import Proofs, Proven
from event_store.seal import Checkpoint

FORMAT = "parkledger-evidence-1"


def pack_of(
    proofs: Proofs,
    checkpoint: Checkpoint,
    positions: Sequence[int],
    about: dict[str, Any],
    since: Sequence[int] = (),
) -> dict[str, Any]:
    """Return the pack over entries, proved against a signed head, as JSON values.

    Args:
        proofs: the sealed tree.
        checkpoint: the head; it covers every position.
        positions: the entries.
        about: what the pack is about; not proved, but readable.
        since: sizes of earlier heads that the log is shown to continue.

    """
    earlier = {
        str(size): _hex(proofs.continues(size, checkpoint.size)) for size in since if size < checkpoint.size
    }
    return {
        "format": FORMAT,
        "about": about,
        "checkpoint": checkpoint.note,
        "key": checkpoint.key,
        "consistency": earlier,
        "entries": [entry_of(one) for one in proofs.prove(positions, checkpoint.size)],
    }


def entry_of(proven: Proven) -> dict[str, Any]:
    """Return one entry of a pack."""
    return {
        "position": proven.kept.position,
        "type": proven.kept.type,
        "leaf": proven.leaf.decode(),
        "payload": proven.payload.decode(),
        "proof": _hex(proven.proof),
    }


def verifier() -> str:
    """Return the program that checks a pack, which needs nothing but Python."""
    return (files("event_store") / "verifier.py").read_text(encoding="utf-8")


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]
