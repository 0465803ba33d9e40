"""The sealer: grows the Merkle tree from committed rows, off the path of any command, and signs its heads.

Positions are gapless and in the order of commits, so the tree at a size is a function of the log alone: any
number of sealers may run, they take turns, and each goes on where the last one stopped.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from event_store.leaves import COLUMNS, Kept, instant_text
from event_store.merkle import root, whole
from event_store.signing import Head, Signer

HASH = 32
TILE = 256
HEIGHT = 8
"""A tile holds 256 hashes: eight levels of the tree."""
CHANNEL = "parkledger_seal"
PAGE = 5_000
_LOG = logging.getLogger(__name__)
_LOCK = 0x7061726B7365616C
_PAGE = f"select {COLUMNS} from log.events where position > %s order by position limit %s"
_SAVE = """
    insert into seal.tiles (level, number, hashes) values (%s, %s, %s)
    on conflict (level, number) do update set hashes = excluded.hashes
"""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head: the tree of that size has that root, says the note, signed by the key."""

    size: int
    root: bytes
    sealed: datetime
    note: str
    key: str


class Tiles:
    """Reads tiles of the tree, each once, and answers for the complete subtrees in them."""

    def __init__(self, connection: Connection[Any]) -> None:
        """Read by a connection."""
        self._connection = connection
        self._known: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, number: int) -> bytes:
        """Return the hashes of a tile; none where there is no such tile."""
        key = (level, number)
        if key not in self._known:
            found = self._connection.execute(
                "select hashes from seal.tiles where level = %s and number = %s", key
            ).fetchone()
            self._known[key] = bytes(found[0]) if found else b""
        return self._known[key]

    def leaf(self, index: int) -> bytes:
        """Return the hash of a leaf, counted from 0; none where the tree has not grown that far."""
        first = (index % TILE) * HASH
        if index % TILE == 0:
            self._known.pop((0, index // TILE - 1), None)  # who goes through all leaves needs each tile once
        return self.tile(0, index // TILE)[first : first + HASH]

    def put(self, level: int, number: int, hashes: bytes) -> None:
        """Hold a tile that was changed."""
        self._known[level, number] = hashes

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of a complete subtree.

        Raises:
            LookupError: if the tree has not grown that far.

        """
        level, inside = divmod(height, HEIGHT)
        first = index << inside
        hashes = self.tile(level, first // TILE)
        begin, count = (first % TILE) * HASH, 1 << inside
        part = hashes[begin : begin + count * HASH]
        if len(part) < count * HASH:
            raise LookupError(f"the tree holds no subtree of height {height} at {index} yet")
        return whole([part[i : i + HASH] for i in range(0, len(part), HASH)])


def seal(dsn: str, signer: Signer) -> Checkpoint | None:
    """Grow the tree to the head of the log and sign it; None where nothing was appended since."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while _grow(connection) == PAGE:
            pass
        return _sign(connection, signer)


def _grow(connection: Connection[Any]) -> int:
    """Add the next page of the log to the tree, and return how many leaves that were."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        size = _grown(connection)
        rows = connection.execute(_PAGE.encode(), [size, PAGE], binary=True).fetchall()
        if not rows:
            return 0
        leaves = [Kept._make(row).hashed() for row in rows]
        tiles = Tiles(connection)
        changed = _extended(tiles, 0, size, leaves)
        with connection.cursor() as cursor:
            cursor.executemany(
                _SAVE, [(level, number, tiles.tile(level, number)) for level, number in changed]
            )
        connection.execute("update seal.grown set size = %s", [size + len(leaves)])
        return len(leaves)


def _extended(tiles: Tiles, level: int, size: int, hashes: Iterable[bytes]) -> set[tuple[int, int]]:
    """Add hashes to a level that holds `size` of them, and those of full tiles to the level above."""
    changed: set[tuple[int, int]] = set()
    full: list[bytes] = []
    number = size // TILE
    last = bytearray(tiles.tile(level, number) if size % TILE else b"")
    for one in hashes:
        last += one
        changed.add((level, number))
        if len(last) == TILE * HASH:
            tiles.put(level, number, bytes(last))
            full.append(whole([bytes(last[i : i + HASH]) for i in range(0, len(last), HASH)]))
            number, last = number + 1, bytearray()
    if last:
        tiles.put(level, number, bytes(last))
    return changed | _extended(tiles, level + 1, size // TILE, full) if full else changed


def _sign(connection: Connection[Any], signer: Signer) -> Checkpoint | None:
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        size = _grown(connection)
        known = connection.execute("select 1 from seal.checkpoints where size = %s", [size]).fetchone()
        recorded = connection.execute(
            "select recorded from log.events where position = %s", [size]
        ).fetchone()
        if known or recorded is None:
            return None
        found = root(Tiles(connection).node, size)
        further = (f"recorded {instant_text(recorded[0])}",)
        note = signer.sign(Head(signer.name, size, found, further))
        row = connection.execute(
            "insert into seal.checkpoints (size, root, note, key) values (%s, %s, %s, %s) returning sealed",
            [size, found, note, signer.public],
        ).fetchone()
        connection.execute(f"notify {CHANNEL}".encode())
        return Checkpoint(size, found, row[0], note, signer.public) if row else None


def _grown(connection: Connection[Any]) -> int:
    row = connection.execute("select size from seal.grown").fetchone()
    size: int = row[0] if row else 0
    return size


def keep_sealing(dsn: str, signer: Signer, seconds: float, wait: Callable[[float], bool]) -> None:
    """Seal what was appended, every so many seconds, until `wait` says that it is over.

    Where the database cannot be reached, nothing is lost: the tree is a function of the log.
    """
    while not wait(seconds):
        try:
            seal(dsn, signer)
        except psycopg.OperationalError as error:
            _LOG.warning("the log could not be sealed, and will be later: %s", str(error).strip())
