"""Two-pass time limits: limit and grace on the stay, and leaving restarts it."""

from datetime import time
from typing import Any

import pytest

from commands.findings import Finding, finding
from commands.stays import Sighting, stay
from events.base import Event
from events.reads import Place
from events.vocabulary import Plate
from events.zones import ZoneOpened, ZoneRule, ZoneRulesSet
from tests.commands.cases import ZONE, cited, evidence, seen, t

TWO_HOURS = ZoneRule("2H", "time_limit", limit_minutes=120)
DAYTIME = ZoneRule("2H", "time_limit", None, time(8), time(18), limit_minutes=120)
ELSEWHERE = ZoneOpened(at=t("2026-01-01"), zone="G", name="G", timezone="America/Toronto")


def rules(rule: ZoneRule) -> ZoneRulesSet:
    return ZoneRulesSet(at=t("2026-01-01"), zone="F", effective_from=t("2026-01-01"), rules=(rule,))


def overtime(
    *reads: Event | tuple[str, Event], at: str, rule: ZoneRule = TWO_HOURS, basis: Any = ("r1", "r2")
) -> Finding:
    citation = cited(at, code="2H", basis=basis)
    found = finding(evidence(ZONE, ELSEWHERE, rules(rule), *reads, citation), "C-1")
    assert found is not None
    return found


def sighting(at: str, direction: str = "none", zone: str = "F", place: str | None = None) -> Sighting:
    return Sighting(read=at, zone=zone, at=t(at), position=1, direction=direction, place=place)


@pytest.mark.parametrize(
    ("second", "gist"),
    [
        ("2026-03-05 11:00:00", ("DISMISSED", "WITHIN_LIMIT")),
        ("2026-03-05 11:00:01", ("DISMISSED", "WITHIN_GRACE")),
        ("2026-03-05 11:10:00", ("DISMISSED", "WITHIN_GRACE")),
        ("2026-03-05 11:10:01", ("UPHELD", "OVERTIME")),
    ],
)
def test_a_vehicle_overstays_later_than_the_limit_and_the_grace(second: str, gist: tuple[str, str]) -> None:
    result = overtime(seen("2026-03-05 09:00:00"), seen(second, "r2"), at="2026-03-05 12:00")
    assert (result.disposition, result.reason) == gist


def test_leaving_through_a_gate_and_coming_back_restarts_the_stay() -> None:
    gates = (
        seen("2026-03-05 10:00", "g1", direction="exit", device="GATE"),
        seen("2026-03-05 10:40", "g2", direction="entry", device="GATE"),
    )
    first, second = seen("2026-03-05 09:00"), seen("2026-03-05 11:30", "r2")
    assert overtime(first, second, at="2026-03-05 11:31").disposition == "UPHELD"
    result = overtime(first, *gates, second, at="2026-03-05 11:31")
    assert (result.disposition, result.reason, result.officer_erred) == ("DISMISSED", "STAY_RESTARTED", True)


def test_gate_reads_that_arrive_later_excuse_the_officer() -> None:
    late = ("2026-03-05 13:00:00", seen("2026-03-05 10:40", "g2", direction="entry", device="GATE"))
    result = overtime(seen("2026-03-05 09:00"), late, seen("2026-03-05 11:30", "r2"), at="2026-03-05 11:31")
    assert (result.reason, result.officer_erred) == ("STAY_RESTARTED", False)
    assert result.cause is not None
    assert (result.cause.kind, result.cause.seconds) == ("POSTING_LAG", 8400)


def test_a_restarted_stay_can_be_too_long_again() -> None:
    gate = seen("2026-03-05 09:10", "g2", direction="entry", device="GATE")
    result = overtime(seen("2026-03-05 09:00"), gate, seen("2026-03-05 11:30", "r2"), at="2026-03-05 11:31")
    assert result.disposition == "UPHELD"


@pytest.mark.parametrize(
    "between",
    [
        seen("2026-03-05 10:00", "x", zone="G"),
        seen("2026-03-05 10:00", "x", place=Place(text="stall 9")),
    ],
)
def test_being_seen_elsewhere_restarts_the_stay(between: Event) -> None:
    stall = Place(text="stall 4")
    result = overtime(
        seen("2026-03-05 09:00", place=stall),
        between,
        seen("2026-03-05 11:30", "r2", place=stall),
        at="2026-03-05 11:31",
    )
    assert result.reason == "STAY_RESTARTED"


def test_a_gate_is_no_place_that_a_vehicle_stood_at() -> None:
    let_in = sighting("2026-03-05 09:00", "entry", place="north gate")
    found = stay([let_in, sighting("2026-03-05 10:00", place="stall 4")], "F", t("2026-03-05 10:00"))
    assert found is not None
    assert (found.since, found.minutes) == (t("2026-03-05 09:00"), 60.0)


def test_devices_may_give_their_reads_the_same_ids() -> None:
    gate = seen("2026-03-05 09:00", "1", device="GATE", direction="entry")
    elsewhere = seen("2026-03-05 09:05", "2", device="GATE", plate=Plate("ON OTHER"))
    handheld = (seen("2026-03-05 09:10", "1"), seen("2026-03-05 11:10:01", "2"))
    result = overtime(gate, elsewhere, *handheld, at="2026-03-05 11:12", basis=("1", "2"))
    assert (result.disposition, result.reason) == ("UPHELD", "OVERTIME")
    assert len(evidence(gate, elsewhere, *handheld).entries) == 4


def test_time_before_the_rules_hours_does_not_count() -> None:
    early = (seen("2026-03-05 05:00"), seen("2026-03-05 10:05", "r2"))
    assert overtime(*early, at="2026-03-05 10:06", rule=DAYTIME).reason == "WITHIN_GRACE"
    later = (seen("2026-03-05 05:00"), seen("2026-03-05 10:11", "r2"))
    assert overtime(*later, at="2026-03-05 10:12", rule=DAYTIME).disposition == "UPHELD"


def test_a_stay_is_elapsed_time_across_the_change_of_clocks() -> None:
    found = stay([sighting("2026-03-08 01:30"), sighting("2026-03-08 03:30")], "F", t("2026-03-08 04:00"))
    assert found is not None
    assert found.minutes == 60.0


def test_a_stay_ends_with_the_exit() -> None:
    seen_twice = [sighting("2026-03-05 09:00"), sighting("2026-03-05 10:00", "exit")]
    let_out = stay(seen_twice, "F", t("2026-03-05 10:00"))
    assert let_out is not None
    assert let_out.minutes == 60.0
    assert stay(seen_twice, "F", t("2026-03-05 10:01")) is None


def test_a_vehicle_that_nobody_saw_for_longer_than_a_day_begins_a_new_stay() -> None:
    days = [sighting("2026-03-05 09:00"), sighting("2026-03-06 10:00")]
    found = stay(days, "F", t("2026-03-06 10:00"))
    assert found is not None
    assert found.since == t("2026-03-06 10:00")
    long = stay(days, "F", t("2026-03-06 10:00"), limit_minutes=72 * 60)
    assert long is not None
    assert long.since == t("2026-03-05 09:00")


def test_a_time_limit_without_any_observation_is_for_a_person() -> None:
    assert overtime(at="2026-03-05 11:31", basis=()).disposition == "REVIEW_REQUIRED"
