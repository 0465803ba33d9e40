from datetime import timedelta

import pytest

from commands.rights import Interval, Kind, Standing, standing
from tests.commands.right_stories import A, B, at

SECOND = timedelta(seconds=1)


def interval(
    start: float, end: float | None, right: str = "T", kind: Kind = "permit", zone: str | None = "F"
) -> Interval:
    return Interval(right, kind, A, zone, at(start), None if end is None else at(end), "expiry")


def asked(*found: Interval, minutes: float = 0, plate: str = A, zone: str = "F", grace: int = 10) -> Standing:
    return standing(found, plate, zone, at(minutes), grace)


def test_a_right_holds_from_its_start_until_just_before_its_end() -> None:
    permit = interval(0, 60)
    assert asked(permit, minutes=0).valid
    assert standing([permit], A, "F", at(60) - SECOND, 10).valid
    assert not asked(permit, minutes=60).valid
    assert not standing([permit], A, "F", at(0) - SECOND, 10).valid


@pytest.mark.parametrize(("after", "answer"), [(0, "in_grace"), (600, "in_grace"), (601, "no_right")])
def test_citing_is_proper_only_later_than_end_and_grace(after: int, answer: str) -> None:
    found = standing([interval(0, 60)], A, "F", at(60) + after * SECOND, 10)
    assert (found.answer, found.valid) == (answer, False)


def test_in_grace_the_right_that_ended_is_named_with_its_last_instant() -> None:
    found = asked(interval(0, 60), minutes=65)
    assert found.right is not None
    assert (found.right.right, found.end, found.grace_until) == ("T", at(60), at(70))


def test_without_a_grace_only_the_end_itself_is_not_later_than_the_end() -> None:
    assert asked(interval(0, 60), minutes=60, grace=0).answer == "in_grace"
    assert standing([interval(0, 60)], A, "F", at(60) + SECOND, 0).answer == "no_right"


def test_rights_of_other_plates_and_zones_do_not_count() -> None:
    assert asked(interval(0, 60), plate=B).answer == "no_right"
    assert asked(interval(0, 60), zone="G").answer == "no_right"


def test_under_an_exemption_a_plate_is_exempt_and_not_valid() -> None:
    found = asked(interval(0, 60, "E", "exemption", zone=None), zone="ANY")
    assert (found.valid, found.exempt, found.answer) == (False, True, "exempt")


def test_a_permit_under_an_exemption_is_valid_and_exempt() -> None:
    found = asked(interval(0, 60), interval(0, None, "E", "exemption", zone=None))
    assert (found.valid, found.exempt, found.answer) == (True, True, "valid")
    assert found.right is not None
    assert found.right.right == "T"


def test_the_end_of_an_exemption_is_followed_by_grace() -> None:
    assert asked(interval(0, 60, "E", "exemption"), minutes=70).answer == "in_grace"


def test_of_several_rights_the_one_that_ends_last_is_named() -> None:
    found = asked(interval(0, 60, "S", "session"), interval(0, 90), minutes=30)
    assert found.right is not None
    assert (found.right.right, found.end) == ("T", at(90))


def test_a_plate_that_nobody_could_read_has_no_right() -> None:
    unreadable = Interval("T", "permit", "ZZ ?", "F", at(0), None, "")
    assert asked(unreadable, plate="ZZ ?").answer == "no_right"
