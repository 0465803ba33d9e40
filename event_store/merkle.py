"""The Merkle tree over the log as RFC 9162 has it: hashes, roots, inclusion and consistency proofs. No I/O.

The leaf of position n is leaf n - 1 of the tree, so a tree of size n covers the positions 1 to n.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

type Node = Callable[[int, int], bytes]
"""`node(height, index)` returns the hash over the leaves from `index << height`, `1 << height` of them."""

EMPTY = sha256().digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf; its first byte tells it from that of a node."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node."""
    return sha256(b"\x01" + left + right).digest()


def root(node: Node, size: int) -> bytes:
    """Return the root of the tree of the first `size` leaves."""
    return _over(node, 0, size) if size else EMPTY


def inclusion(node: Node, leaf: int, size: int) -> list[bytes]:
    """Return the audit path of a leaf in the tree of that size (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: if the tree does not reach to the leaf.

    """
    if not 0 <= leaf < size:
        raise ValueError(f"a tree of {size} leaves holds no leaf {leaf}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if leaf < middle:
            path.append(_over(node, middle, end))
            end = middle
        else:
            path.append(_over(node, start, middle))
            start = middle
    return path[::-1]


def consistency(node: Node, first: int, second: int) -> list[bytes]:
    """Return the proof that the tree of size `first` is a prefix of that of size `second` (2.1.4.1).

    Raises:
        ValueError: if the sizes are no prefix of each other, or the first tree is empty.

    """
    if not 0 < first <= second:
        raise ValueError(f"a tree of {second} leaves cannot be shown to continue one of {first}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_over(node, middle, end))
            end = middle
        else:
            path.append(_over(node, start, middle))
            start, whole = middle, False
    return path[::-1] if whole else [_over(node, start, end), *path[::-1]]


class Growing:
    """A tree that leaves are added to, of which only the hashes on its right edge are kept."""

    def __init__(self) -> None:
        """Begin without leaves."""
        self.size = 0
        self._edge: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        rest, found = self.size, leaf
        while rest & 1:
            found = node_hash(self._edge.pop(), found)
            rest >>= 1
        self._edge.append(found)
        self.size += 1

    def root(self) -> bytes:
        """Return the root as the tree stands."""
        if not self._edge:
            return EMPTY
        *others, found = self._edge
        for left in reversed(others):
            found = node_hash(left, found)
        return found


def whole(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a full subtree; their number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def _split(size: int) -> int:
    """Return the largest power of two below a size of 2 or more."""
    return 1 << (size - 1).bit_length() - 1


def _over(node: Node, start: int, end: int) -> bytes:
    """Return the root over the leaves from `start` to `end`; `start` is aligned as the tree's splits are."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(size)
    return node_hash(_over(node, start, middle), _over(node, middle, end))
