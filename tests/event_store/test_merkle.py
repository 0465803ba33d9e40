"""The tree against the definitions of RFC 9162, and its proofs against the verifier of the packs."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_store import verifier
from event_store.merkle import EMPTY, Growing, consistency, inclusion, leaf_hash, node_hash, root, whole


def defined(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 9162, 2.1.1 defines it."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined(leaves[:split]), defined(leaves[split:]))


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(size)]


def nodes(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    return lambda height, index: whole(leaves[index << height : (index + 1) << height])


@given(st.integers(0, 300))
def test_the_root_is_the_defined_one_grown_or_looked_up(size: int) -> None:
    leaves = leaves_of(size)
    tree = Growing()
    for leaf in leaves:
        tree.add(leaf)
    assert root(nodes(leaves), size) == tree.root() == defined(leaves)


@given(st.integers(1, 300), st.data())
def test_every_leaf_is_shown_to_be_in_the_tree(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    leaf = data.draw(st.integers(0, size - 1))
    path = inclusion(nodes(leaves), leaf, size)
    assert verifier.root_by_inclusion(leaves[leaf], leaf, size, path) == defined(leaves)


@given(st.integers(1, 200), st.integers(0, 200))
def test_a_later_tree_is_shown_to_continue_an_earlier_one(first: int, more: int) -> None:
    leaves = leaves_of(first + more)
    path = consistency(nodes(leaves), first, first + more)
    roots = (defined(leaves[:first]), defined(leaves))
    verifier.check_consistency(first, first + more, roots, path)
    with pytest.raises(verifier.Wrong):
        verifier.check_consistency(first, first + more, (leaf_hash(b"forged"), roots[1]), path)


@given(st.integers(2, 100), st.data())
def test_a_forged_path_leads_elsewhere(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    leaf = data.draw(st.integers(0, size - 1))
    path = inclusion(nodes(leaves), leaf, size)
    forged = [*path[:-1], leaf_hash(b"forged")]
    assert verifier.root_by_inclusion(leaves[leaf], leaf, size, forged) != defined(leaves)


def test_what_the_tree_does_not_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="no leaf 5"):
        inclusion(nodes(leaves_of(5)), 5, 5)
    with pytest.raises(ValueError, match="continue"):
        consistency(nodes(leaves_of(5)), 0, 5)
