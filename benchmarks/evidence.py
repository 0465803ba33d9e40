"""Evidence: how fast the log is sealed, entries are proved, and the whole log is verified.

The other of a proof is the tree hashed anew from all leaves, as RFC 9162 defines it: what a proof costs
without tiles. The other of sealing and verifying is reading the log alone, their floor.

    python -m benchmarks.evidence [--quick] [--events N]
"""

import argparse
import hashlib
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from benchmarks.harness import Sample, alone, at_least, emit, figure, interleaved, note, percentile
from benchmarks.replay import filled
from benchmarks.replay_rebuilding import READING, reading
from event_store.exporting import pack_bytes
from event_store.merkle import leaf_hash
from event_store.proving import Proofs
from event_store.seal import Checkpoint, seal
from event_store.signing import Signer, signing_key
from event_store.verifying import verify
from operations.embedded import EmbeddedPostgres

BENCH = "evidence"
EVENTS, QUICK = 300_000, 10_000
ASKED, PACKED = 200, 100
ANEW = "the tree hashed anew from all leaves"


def main() -> None:
    """Measure; `--quick` is a smoke test."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--events", type=int, help="Events of the log.")
    asked = parser.parse_args()
    events, rounds = asked.events or (QUICK if asked.quick else EVENTS), 1 if asked.quick else 3
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parkledger-bench-")))
        server = stack.enter_context(EmbeddedPostgres(directory / "server"))
        dsn = filled(server, "office", events)
        sealing(dsn, Signer("bench", signing_key(directory / "seal.pem")), events)
        proofs = stack.enter_context(closing(Proofs(dsn)))
        head = proofs.covering(events, seconds=10)
        proving(proofs, head, rounds)
        verifying(dsn, events, rounds)
        checking(proofs, head, directory / "pack.json", rounds)


def sealing(dsn: str, signer: Signer, events: int) -> None:
    """Grow the tree over the whole log at once, as after a long import, and sign its head."""
    other = {"rate": events / reading(dsn)}
    began = time.perf_counter()
    seal(dsn, signer)
    ours = {"rate": events / (time.perf_counter() - began)}
    what = f"sealing {events:,} entries at once"
    emit(figure(BENCH, what, [(ours, other)], "rate", unit="entries/s", other_name=READING))


def proving(proofs: Proofs, head: Checkpoint, rounds: int) -> None:
    """Prove entries one by one, each as an auditor asks for it."""
    note(f"{rounds} rounds of proofs")
    hashes = [leaf_hash(leaf) for leaf in proofs.leaves(head.size)]
    chance = random.Random(7)  # noqa: S311 - which entries are asked for
    waits: list[float] = []

    def ours() -> Sample:
        began = time.perf_counter()
        for position in (chance.randint(1, head.size) for _ in range(ASKED)):
            asked = time.perf_counter()
            proofs.prove([position], head.size)
            waits.append(time.perf_counter() - asked)
        return {"rate": ASKED / (time.perf_counter() - began)}

    def other() -> Sample:
        began = time.perf_counter()
        _path(chance.randrange(head.size), hashes)
        return {"rate": 1 / (time.perf_counter() - began)}

    pairs = interleaved(ours, other, rounds)
    what = f"proof that an entry is among {head.size:,}"
    emit(figure(BENCH, what, pairs, "rate", unit="1/s", other_name=ANEW, goal=at_least(20)))
    emit(alone(BENCH, f"{what}, p99", [percentile(waits, 0.99) * 1000], unit="ms"))


def verifying(dsn: str, events: int, rounds: int) -> None:
    """Verify every entry of the log: no gap, no step back, each payload as its digest says."""
    pairs = interleaved(
        lambda: {"rate": events / _seconds_to_verify(dsn)}, lambda: {"rate": events / reading(dsn)}, rounds
    )
    what = f"verifying {events:,} entries"
    emit(figure(BENCH, what, pairs, "rate", unit="entries/s", other_name=READING))


def checking(proofs: Proofs, head: Checkpoint, file: Path, rounds: int) -> None:
    """Check a pack offline with the verifier that travels inside it, in a Python of its own."""
    positions = random.Random(7).sample(range(1, head.size + 1), PACKED)  # noqa: S311 - which entries
    file.write_bytes(pack_bytes(proofs, head, sorted(positions), {}, []))
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "event_store.verifier", str(file)], check=True, stdout=subprocess.DEVNULL
        )
        seconds.append((time.perf_counter() - began) * 1000)
    emit(alone(BENCH, f"pack of {PACKED} entries checked offline", seconds, unit="ms"))


def _seconds_to_verify(dsn: str) -> float:
    began = time.perf_counter()
    if not verify(dsn).holds:
        raise RuntimeError("the log does not stand as it was written")
    return time.perf_counter() - began


def _path(leaf: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of a leaf by the definition (RFC 9162, 2.1.3.1)."""
    if len(hashes) == 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = hashes[:split], hashes[split:]
    return [*_path(leaf, left), _root(right)] if leaf < split else [*_path(leaf - split, right), _root(left)]


def _root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over hashed leaves by the definition (RFC 9162, 2.1.1)."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(hashes[:split]) + _root(hashes[split:])).digest()


if __name__ == "__main__":
    main()
