from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.confusable import GROUPS, likeness, skeletons
from events.vocabulary import Plate

NUMBERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=8)


@pytest.mark.parametrize("group", GROUPS)
def test_the_characters_of_a_group_are_taken_for_one_another(group: str) -> None:
    for a, b in combinations(group, 2):
        assert likeness(Plate(f"ON X{a}1"), Plate(f"ON X{b}1")) == (0, 1)


def test_being_alike_does_not_carry_over_between_groups() -> None:
    assert likeness(Plate("ON E1"), Plate("ON P1")) is None


def test_a_lost_or_added_character_is_near_and_two_are_not() -> None:
    assert likeness(Plate("ON CKTR482"), Plate("ON CKTR48")) == (1, 0)
    assert likeness(Plate("ON CKTR48"), Plate("ON CKTRA82")) == (1, 1)
    assert likeness(Plate("ON CKTR482"), Plate("ON CKTR4")) is None


def test_another_digit_is_another_plate() -> None:
    assert likeness(Plate("ON CKTR482"), Plate("ON CKTR489")) is None


def test_a_plate_is_no_near_match_of_itself_nor_of_another_regions() -> None:
    assert likeness(Plate("ON A1"), Plate("ON A1")) is None
    assert likeness(Plate("ON A1"), Plate("QC A1")) is None


def test_an_unknown_region_is_that_of_any_plate() -> None:
    assert likeness(Plate("ZZ CKTR482"), Plate("ON CKTR482")) == (0, 0)


def test_an_unreadable_plate_is_near_none() -> None:
    assert skeletons(Plate("ZZ ?")) == frozenset()
    assert likeness(Plate("ZZ ?"), Plate("ON A")) is None


@given(NUMBERS, NUMBERS)
def test_plates_that_are_near_meet_under_a_skeleton(one: str, other: str) -> None:
    a, b = Plate(f"ON {one}"), Plate(f"ON {other}")
    if likeness(a, b) is not None:
        assert skeletons(a) & skeletons(b)


@given(NUMBERS, st.integers(0, 7), st.sampled_from(sorted("".join(GROUPS))))
def test_an_added_character_never_hides_the_plate(number: str, place: int, extra: str) -> None:
    longer = number[:place] + extra + number[place:]
    a, b = Plate(f"ON {number}"), Plate(f"ON {longer}")
    assert likeness(a, b) is not None
    assert skeletons(a) & skeletons(b)
