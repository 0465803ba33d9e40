"""Words of the field: what is accepted, what is refused, and with which sentence."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from events.vocabulary import (
    Amount,
    Instant,
    LocalTime,
    Plate,
    is_readable,
    looks_like_card_number,
    number_of,
    parse_plate,
    plate_of,
    region_of,
)


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("on cktr482", "ON CKTR482"),
        ("ON CKTR-482", "ON CKTR482"),
        ("ON CK TR 482", "ON CKTR482"),
        ("us-ca 7abc.123", "US-CA 7ABC123"),
        ("ZZ ?", "ZZ ?"),
    ],
)
def test_a_plate_is_upper_case_without_spaces_hyphens_and_dots(written: str, normalised: str) -> None:
    assert parse_plate(written) == normalised


@pytest.mark.parametrize("written", ["", "CKTR482", "1234 AB", "ON ABC$1", "ON " + "A" * 17, "ON A\x00B"])
def test_what_is_no_plate_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"plate|region"):
        parse_plate(written)


def test_an_unknown_region_and_an_unreadable_number_have_a_plate_too() -> None:
    assert plate_of(None, "abc 1") == Plate("ZZ ABC1")
    assert not is_readable(plate_of("ON", " "))


@given(st.text(alphabet="ABCXYZ0189 -.", min_size=1, max_size=12))
def test_normalising_twice_changes_nothing(number: str) -> None:
    plate = plate_of("ON", number)
    assert parse_plate(plate) == plate
    assert f"{region_of(plate)} {number_of(plate)}" == plate


def test_an_instant_without_offset_is_refused_and_says_what_is_missing() -> None:
    with pytest.raises(ValidationError, match="offset from UTC"):
        TypeAdapter(Instant).validate_python("2026-03-05T09:02:11")


@pytest.mark.parametrize("written", [1_772_700_000, 0.5, True, "1772700000", "-1", " 1.5 "])
def test_an_instant_is_text_not_a_number(written: object) -> None:
    with pytest.raises(ValidationError, match="RFC 3339"):
        TypeAdapter(Instant).validate_python(written)


def test_a_time_of_day_may_end_the_day() -> None:
    assert TypeAdapter(LocalTime).validate_python("24:00") == time(0)
    assert TypeAdapter(LocalTime).validate_python("07:30") == time(7, 30)


@pytest.mark.parametrize("written", [1080, "7", "07:30+02:00", "25:00", "24:01", "7:30"])
def test_a_time_of_day_is_written_with_hours_and_minutes(written: object) -> None:
    with pytest.raises(ValidationError, match="HH:MM"):
        TypeAdapter(LocalTime).validate_python(written)


@pytest.mark.parametrize("amount", [-1, 100_000_00 + 1, 1.5, "100", True])
def test_an_amount_is_a_whole_number_of_cents_within_reason(amount: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Amount).validate_python(amount)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "note 5500-0000-0000-0004 paid",
        "378282246310005",
        "2223003122003222",
        "30569309025904",
    ],
)
def test_a_card_number_is_recognised_wherever_it_stands(text: str) -> None:
    assert looks_like_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "PV-50001",
        "2026-03-05T09:02:11",
        "1ea44336207b9a32",
        "25403395-0102-4181-bb72-5fc875023435",
    ],
)
def test_other_long_numbers_are_no_card_numbers(text: str) -> None:
    assert not looks_like_card_number(text)
