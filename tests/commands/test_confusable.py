from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.confusable import (
    ALIKE,
    END,
    GROUPS,
    LENGTH,
    SHAPE,
    SHAPES,
    filed_under,
    likeness,
    sought_under,
)
from events.vocabulary import Plate

NUMBERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=8)


def meet(one: Plate, other: Plate) -> bool:
    """Return whether each is found when the other was read."""
    return bool(filed_under(one) & sought_under(other)) and bool(filed_under(other) & sought_under(one))


@pytest.mark.parametrize("group", GROUPS)
def test_the_characters_of_a_group_are_taken_for_one_another(group: str) -> None:
    for a, b in combinations(group, 2):
        assert likeness(Plate(f"ON X{a}1"), Plate(f"ON X{b}1")) == (ALIKE, 1)


def test_being_alike_does_not_carry_over_between_groups() -> None:
    assert likeness(Plate("ON E1"), Plate("ON P1")) is None


def test_a_lost_or_added_character_is_near() -> None:
    assert likeness(Plate("ON CKTR482"), Plate("ON CKTR48")) == (LENGTH, 0)
    assert likeness(Plate("ON CKTR48"), Plate("ON CKTRA82")) == (LENGTH, 1)


def test_two_lost_or_added_characters_are_near_at_an_end_alone() -> None:
    assert likeness(Plate("ON CKTR482"), Plate("ON CKTR4")) == (END, 0)
    assert likeness(Plate("ON CKTR482"), Plate("ON TR482")) == (END, 0)
    assert likeness(Plate("ON CKTR482"), Plate("ON CKT82")) is None
    assert likeness(Plate("ON CKTR482"), Plate("ON KTR48")) is None
    assert likeness(Plate("ON AB482"), Plate("ON 482")) is None


def test_one_letter_is_taken_for_another_that_is_built_alike_and_two_are_not() -> None:
    assert likeness(Plate("ON BL0GGER"), Plate("ON BE0GGER")) == (SHAPE, 0)
    assert likeness(Plate("ON BLOGGER"), Plate("ON BE0GGER")) == (SHAPE, 1)
    assert likeness(Plate("ON BL0GGER"), Plate("ON BE0GGEP")) is None


def test_the_likeliest_kind_of_match_is_the_nearest() -> None:
    read = Plate("ON CKTR482")
    kinds = ["ON CHTR482", "ON CKTR48", "ON CXTR482", "ON CKTR4"]
    ranked = [likeness(read, Plate(other)) for other in kinds]
    assert ranked == [(ALIKE, 1), (LENGTH, 0), (SHAPE, 0), (END, 0)]
    assert ranked == sorted(near for near in ranked if near is not None)


def test_another_digit_is_another_plate() -> None:
    assert likeness(Plate("ON CKTR482"), Plate("ON CKTR489")) is None


def test_a_plate_is_no_near_match_of_itself_nor_of_another_regions() -> None:
    assert likeness(Plate("ON A1"), Plate("ON A1")) is None
    assert likeness(Plate("ON A1"), Plate("QC A1")) is None


def test_an_unknown_region_is_that_of_any_plate() -> None:
    assert likeness(Plate("ZZ CKTR482"), Plate("ON CKTR482")) == (ALIKE, 0)


def test_an_unreadable_plate_is_near_none() -> None:
    assert filed_under(Plate("ZZ ?")) == sought_under(Plate("ZZ ?")) == frozenset()
    assert likeness(Plate("ZZ ?"), Plate("ON A")) is None


@given(NUMBERS, st.integers(0, 7), st.sampled_from(SHAPES), st.randoms(use_true_random=False))
def test_a_letter_built_alike_never_hides_the_plate(
    number: str, place: int, shape: str, chance: Random
) -> None:
    one, other = chance.sample(shape, 2)
    a, b = (Plate(f"ON AB{number[:place]}{letter}{number[place:]}1") for letter in (one, other))
    assert likeness(a, b) is not None
    assert meet(a, b)


@given(NUMBERS, NUMBERS)
def test_plates_that_are_near_meet_under_a_key(one: str, other: str) -> None:
    a, b = Plate(f"ON {one}"), Plate(f"ON {other}")
    if likeness(a, b) is not None:
        assert meet(a, b)


@given(NUMBERS, st.integers(0, 7), st.sampled_from(sorted("".join(GROUPS))))
def test_an_added_character_never_hides_the_plate(number: str, place: int, extra: str) -> None:
    longer = number[:place] + extra + number[place:]
    a, b = Plate(f"ON {number}"), Plate(f"ON {longer}")
    assert likeness(a, b) is not None
    assert meet(a, b)


def test_numbers_of_a_fleet_are_not_looked_through_for_one_of_them() -> None:
    fleet = [Plate(f"ON CKTR{number:03}") for number in range(1000)]
    read = Plate("ON CKTR482")
    found = [plate for plate in fleet if filed_under(plate) & sought_under(read) and plate != read]
    assert sorted(found) == sorted(plate for plate in fleet if likeness(read, plate) is not None)
