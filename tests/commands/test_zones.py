from datetime import UTC, datetime, time, timedelta

import pytest

from commands.zones import (
    CloseZone,
    NoSuchZone,
    OpenZone,
    SetZoneRules,
    TimeLimitMissing,
    Zone,
    ZoneAlreadyOpen,
    evolve_zone,
    rules_in_force,
)
from events.zones import ZoneClosed, ZoneOpened, ZoneRule, ZoneRulesSet
from tests.commands.given_when_then import given, recorded

NOON = datetime(2026, 3, 5, 17, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
OPENED = ZoneOpened(at=NOON, zone="F", name="Lot F", timezone="America/Toronto", capacity=2)
PERMIT = ZoneRule("NO_PERMIT", "permit")
STREET_CLEANING = ZoneRule("CLEANING", "no_parking", ("sun",), time(2), time(6))


def in_force(at: str, *rules: ZoneRule) -> list[str]:
    facts = (
        OPENED,
        ZoneRulesSet(at=NOON, zone="F", effective_from=datetime(2026, 1, 1, tzinfo=UTC), rules=rules),
    )
    zone = Zone()
    for entry in recorded(facts):
        zone = evolve_zone(zone, entry)
    return [rule.code for rule in rules_in_force(zone, datetime.fromisoformat(at))]


def test_a_zone_is_opened_once() -> None:
    command = OpenZone(at=NOON, zone="F", name="Lot F", timezone="America/Toronto", capacity=2)
    given().when(command).then(OPENED)
    given(OPENED).when(command.model_copy(update={"at": LATER})).then()
    given(OPENED).when(command.model_copy(update={"capacity": 3})).then(ZoneAlreadyOpen)


def test_a_zone_is_called_by_its_id_where_it_has_no_name() -> None:
    events = given().when(OpenZone(at=NOON, zone="F", timezone="America/Toronto")).events
    assert events == (ZoneOpened(at=NOON, zone="F", name="F", timezone="America/Toronto"),)


def test_a_closed_zone_can_be_opened_again() -> None:
    closed = ZoneClosed(at=LATER, zone="F")
    given(OPENED).when(CloseZone(at=LATER, zone="F")).then(closed)
    given(OPENED, closed).when(CloseZone(at=LATER, zone="F")).then()
    again = OpenZone(at=LATER + timedelta(days=1), zone="F", timezone="America/Toronto")
    assert given(OPENED, closed).when(again).events


def test_rules_are_set_on_open_zones_only() -> None:
    command = SetZoneRules(at=LATER, zone="F", rules=(PERMIT,))
    given(OPENED).when(command).then(ZoneRulesSet(at=LATER, zone="F", effective_from=LATER, rules=(PERMIT,)))
    given().when(command).then(NoSuchZone)
    given(OPENED, ZoneClosed(at=NOON, zone="F")).when(command).then(NoSuchZone)
    given().when(CloseZone(at=LATER, zone="F")).then(NoSuchZone)


def test_a_time_limit_needs_its_minutes() -> None:
    limitless = ZoneRule("LIMIT", "time_limit")
    given(OPENED).when(SetZoneRules(at=LATER, zone="F", rules=(limitless,))).then(TimeLimitMissing)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-03-08T01:59:59-05:00", False),
        ("2026-03-08T03:00:00-04:00", True),
        ("2026-03-08T05:59:59-04:00", True),
        ("2026-03-08T06:00:00-04:00", False),
        ("2026-03-07T03:00:00-05:00", False),
    ],
)
def test_hours_last_three_hours_on_the_night_clocks_spring_forward(at: str, *, holds: bool) -> None:
    assert in_force(at, STREET_CLEANING) == (["CLEANING"] if holds else [])


def test_hours_last_five_hours_on_the_night_clocks_fall_back() -> None:
    night = ZoneRule("NIGHT", "no_parking", None, time(1), time(5))
    first = datetime.fromisoformat("2026-11-01T01:00:00-04:00")
    held = [m for m in range(-60, 400) if in_force((first + timedelta(minutes=m)).isoformat(), night)]
    assert (held[0], len(held)) == (0, 300)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-03-06T21:59:59-05:00", False),  # friday evening
        ("2026-03-06T22:00:00-05:00", True),
        ("2026-03-07T05:59:59-05:00", True),  # saturday morning: it started on friday
        ("2026-03-07T06:00:00-05:00", False),
        ("2026-03-07T23:00:00-05:00", False),
        ("2026-03-06T03:00:00-05:00", False),
    ],
)
def test_an_overnight_rule_belongs_to_the_day_it_starts(at: str, *, holds: bool) -> None:
    overnight = ZoneRule("OVERNIGHT", "permit", ("fri",), time(22), time(6))
    assert in_force(at, overnight) == (["OVERNIGHT"] if holds else [])


def test_a_rule_without_hours_holds_all_day_and_from_a_start_until_midnight() -> None:
    assert in_force("2026-03-05T00:00:00-05:00", PERMIT) == ["NO_PERMIT"]
    evening = ZoneRule("EVENING", "paid", ("thu",), time(18))
    assert in_force("2026-03-05T23:59:59-05:00", evening) == ["EVENING"]
    assert in_force("2026-03-06T00:00:00-05:00", evening) == []


def test_the_version_in_effect_replaces_the_one_before_whichever_arrived_first() -> None:
    old = ZoneRulesSet(at=NOON, zone="F", effective_from=NOON, rules=(PERMIT,))
    new = ZoneRulesSet(at=NOON, zone="F", effective_from=LATER, rules=(STREET_CLEANING,))
    for facts in ((OPENED, old, new), (new, old, OPENED)):
        zone = Zone()
        for entry in recorded(facts):
            zone = evolve_zone(zone, entry)
        assert rules_in_force(zone, NOON - timedelta(seconds=1)) == ()
        assert rules_in_force(zone, LATER - timedelta(seconds=1)) == (PERMIT,)
        assert rules_in_force(zone, LATER) == ()


def test_a_zone_that_was_never_opened_has_no_rules() -> None:
    assert rules_in_force(Zone("X"), NOON) == ()
