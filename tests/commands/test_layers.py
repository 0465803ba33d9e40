"""A layered mapping says what a dictionary would, and an earlier state of it never changes."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.layers import Layered, grown


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers())), max_size=6), st.integers(0, 4))
def test_every_state_says_what_a_dictionary_said_at_that_time(
    steps: Sequence[Sequence[tuple[int, int]]], thick: int
) -> None:
    states = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("commands.layers.FEW", 2)
        patch.setattr("commands.layers.THICK", thick)
        known, plain = grown({}), {}
        for step in steps:
            known = grown(known)
            for key, value in step:
                known[key] = plain[key] = value
            states.append((known, dict(plain)))
    for state, said in states:
        assert (dict(state), len(state), 3 in state) == (said, len(said), 3 in said)
        assert state.get(10) is None


def test_nothing_is_taken_out() -> None:
    with pytest.raises(TypeError):
        del Layered({1: 1}, {})[1]
