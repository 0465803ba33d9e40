"""Proofs from the sealed tree: that an entry is in the log, and that a later log continues an earlier one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import psycopg
from psycopg import Connection

from event_store.codec import canonical_again
from event_store.connections import Pool, connect
from event_store.leaves import COLUMNS, Kept
from event_store.merkle import Growing, consistency, inclusion, root
from event_store.seal import CHANNEL, Checkpoint, Tiles
from event_store.signing import BadNote, read_note

READERS = 2
_CHECKPOINTS = "select size, root, sealed, note, key from seal.checkpoints"
_ENTRIES = f"select {COLUMNS}, payload from log.events where position = any (%s) order by position"
_ALL = f"select {COLUMNS} from log.events order by position"

_ALL_UPTO = f"select {COLUMNS} from log.events where position <= %s order by position"


class NotSealed(LookupError):
    """No signed head of the log reaches so far yet; `behind` says by how many positions it falls short."""

    def __init__(self, position: int, sealed: int) -> None:
        """Say what was asked for and how far the seal has come."""
        super().__init__(f"The log is sealed up to position {sealed}, {position - sealed} behind {position}.")
        self.behind = position - sealed


class NoSuchCheckpoint(LookupError):
    """The log has no head of that size."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry with the proof that it is in the log. `leaf` and `payload` are the texts that were hashed."""

    kept: Kept
    leaf: bytes
    payload: bytes
    proof: Sequence[bytes]


class Proofs:
    """Answers for the sealed tree of one database."""

    def __init__(self, dsn: str) -> None:
        """Connect when first used."""
        self._dsn = dsn
        self._readers = Pool(lambda: connect(dsn), READERS)

    def newest(self) -> Checkpoint | None:
        """Return the newest signed head, if there is one."""
        found = self._readers.run(lambda c: _checkpoints(c, "order by size desc limit 1", []))
        return found[0] if found else None

    def checkpoints(self, before: int | None, limit: int) -> list[Checkpoint]:
        """Return signed heads, the newest first, of fewer than `before` leaves."""
        where, values = ("where size < %s ", [before]) if before is not None else ("", [])
        return self._readers.run(
            lambda c: _checkpoints(c, f"{where}order by size desc limit {limit}", values)
        )

    def covering(self, position: int, seconds: float) -> Checkpoint:
        """Return the newest signed head, waiting for one that reaches to the position.

        Raises:
            NotSealed: if there is none within so many seconds.

        """
        found = self.newest()
        if found is not None and found.size >= position:
            return found
        end = monotonic() + seconds
        with psycopg.connect(self._dsn, autocommit=True) as ear:
            ear.execute(f"listen {CHANNEL}".encode())
            while True:  # listening since before this look, so that no seal passes unheard
                found = self.newest()
                if found is not None and found.size >= position:
                    return found
                left = end - monotonic()
                if left <= 0:
                    raise NotSealed(position, found.size if found else 0)
                for _ in ear.notifies(timeout=left, stop_after=1):
                    pass

    def prove(self, positions: Sequence[int], size: int) -> list[Proven]:
        """Return the entries at positions with their proofs of inclusion in the tree of a size."""
        return self._readers.run(lambda c: list(_proven(c, positions, size)))

    def continues(self, first: int, second: int) -> list[bytes]:
        """Return the proof that the tree of size `first` is a prefix of that of size `second`.

        Raises:
            NoSuchCheckpoint: if the tree has not grown to `second`.

        """

        def proof(connection: Connection[Any]) -> list[bytes]:
            try:
                return consistency(Tiles(connection).node, first, second)
            except LookupError as error:
                raise NoSuchCheckpoint(str(error)) from error

        return self._readers.run(proof)

    def leaves(self, size: int) -> list[bytes]:
        """Return the leaves of the tree of a size, as they were hashed: every envelope of the log."""

        def read(connection: Connection[Any]) -> list[bytes]:
            rows = connection.execute(_ALL_UPTO.encode(), [size], binary=True)
            return [Kept._make(row).leaf() for row in rows]

        return self._readers.run(read)

    def root(self, size: int) -> bytes:
        """Return the root of the tree of a size that it has grown to."""
        return self._readers.run(lambda c: root(Tiles(c).node, size))

    def close(self) -> None:
        """Let go of all connections."""
        self._readers.close()


def _checkpoints(connection: Connection[Any], rest: str, values: Sequence[object]) -> list[Checkpoint]:
    rows = connection.execute(f"{_CHECKPOINTS} {rest}".encode(), values).fetchall()
    return [Checkpoint(row[0], bytes(row[1]), *row[2:]) for row in rows]


def _proven(connection: Connection[Any], positions: Sequence[int], size: int) -> Iterator[Proven]:
    node = Tiles(connection).node
    for *columns, payload in connection.execute(_ENTRIES.encode(), [list(positions)], binary=True).fetchall():
        kept = Kept._make(columns)
        proof = inclusion(node, kept.position - 1, size)
        yield Proven(kept, kept.leaf(), canonical_again(bytes(payload)), proof)


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """How many signed heads were checked against the log, and the first that does not hold."""

    checked: int
    size: int | None = None
    reason: str | None = None

    @property
    def holds(self) -> bool:
        """Whether the log is the one that every head was signed over."""
        return self.reason is None


def verify_seals(
    dsn: str, further: Sequence[Checkpoint] = (), told: Callable[[int], None] = lambda _: None
) -> SealVerdict:
    """Return whether the log still has the root of every signed head: those it keeps, and further ones.

    Args:
        dsn: the log's database.
        further: heads that somebody kept outside this database, which is what proves that none was lost.
        told: is told the position now and then.

    """
    with psycopg.connect(dsn) as connection:
        heads = [*_checkpoints(connection, "order by size", []), *further]
        with connection.cursor("sealing") as cursor:
            cursor.itersize = 5_000
            cursor.execute(_ALL.encode())
            return _compare(cursor, sorted(heads, key=lambda one: one.size), told, Tiles(connection))


def _compare(
    rows: Any, heads: Sequence[Checkpoint], told: Callable[[int], None], tiles: Tiles
) -> SealVerdict:
    tree, checked, odd = Growing(), 0, None
    waiting = iter(heads)
    head = next(waiting, None)
    for columns in rows:
        leaf = Kept._make(columns).hashed()
        if odd is None and tiles.leaf(tree.size) not in {leaf, b""}:
            odd = (
                tree.size + 1
            )  # the sealer saw another entry there: who alters both is told by the root alone
        tree.add(leaf)
        if tree.size % 10_000 == 0:
            told(tree.size)
        while head is not None and head.size == tree.size:
            reason = _wrong(head, tree.root(), odd)
            if reason:
                return SealVerdict(checked, head.size, reason)
            checked, head = checked + 1, next(waiting, None)
    if head is not None:
        return SealVerdict(checked, head.size, f"the log ends at {tree.size}: entries were cut off")
    if odd is not None:
        return SealVerdict(checked, tree.size, f"the tree holds another hash for entry {odd} than the log")
    return SealVerdict(checked)


def _wrong(head: Checkpoint, found: bytes, odd: int | None) -> str | None:
    try:
        said = read_note(head.note, head.key)
    except BadNote:
        return "its signature is not that of its key"
    if (said.size, said.root) != (head.size, head.root):
        return "its note says another size or root"
    if found != head.root and odd is not None:
        return f"the log has another root there: entry {odd} is the first that is not as it was sealed"
    if found != head.root:
        return "the log has another root there: an entry at or before this position is not as it was signed"
    return None
