"""Look-ups answer from one snapshot, say what they rest on, and wait for what was asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from event_store.log import Log
from projections.lookups import Lookups, NotYet
from projections.validity_answers import ValidityAnswer
from tests.projections.conftest import Models, Running
from tests.projections.facts import (
    VEHICLE,
    adopted,
    appealed,
    bought,
    bounced,
    cited,
    corrected,
    dismissed,
    exempted,
    minute,
    opened,
    paid,
    read,
    told,
    unwatched,
    watched,
)


def ask[A](dsn: str, question: Callable[[Lookups], Awaitable[A]], patience: float = 0.2) -> A:
    async def asked() -> A:
        with Lookups(dsn, patience=patience) as lookups:
            return await question(lookups)

    return asyncio.run(asked())


def validity(
    dsn: str, at: float, known: int | datetime | None = None, plate: str = VEHICLE
) -> ValidityAnswer:
    return ask(dsn, lambda lookups: lookups.validity(plate, "F", at=minute(at), known=known))


def test_a_permit_is_valid_within_its_interval_and_in_grace_after_it(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1", at=0, until=60))
    models.catch_up()
    within = validity(dsn, 30)
    assert (within.valid, within.right, within.kind, within.answer) == (True, "T-1", "permit", "valid")
    assert (within.start, within.end, within.grace_until) == (minute(0), minute(60), minute(70))
    after = validity(dsn, 70)
    assert (after.valid, after.right, after.answer) == (False, "T-1", "in_grace")
    assert validity(dsn, 70.1).answer == "no_right"
    assert validity(dsn, -1).answer == "no_right"


def test_grace_is_that_of_the_policy_in_force_and_known(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1", at=0, until=60))
    told(log, adopted("generous", effective=50, grace_minutes=30))
    models.catch_up()
    assert validity(dsn, 85).answer == "in_grace"
    assert validity(dsn, 85, known=1).answer == "no_right"


def test_an_exemption_is_not_a_right_and_holds_in_every_zone(models: Models, log: Log, dsn: str) -> None:
    told(log, exempted("X-1"))
    models.catch_up()
    answer = validity(dsn, 30)
    assert (answer.valid, answer.exempt, answer.answer, answer.kind) == (False, True, "exempt", "exemption")


def test_an_answer_by_what_was_known_never_changes_afterwards(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1", payment="P-1"))
    told(log, paid("P-1"))
    then = told(log, read("r1"))
    models.catch_up()
    before = [validity(dsn, 30, known) for known in (1, 2, then.position, then.recorded)]
    told(log, bounced("P-1"))
    models.catch_up()
    after = [validity(dsn, 30, known) for known in (1, 2, then.position, then.recorded)]
    assert [answer.valid for answer in before] == [False, True, True, True]
    assert [answer.valid for answer in after] == [False, True, True, True]
    assert validity(dsn, 30).valid is False


def test_a_known_instant_waits_for_a_model_that_has_not_come_there(
    models: Models, log: Log, dsn: str
) -> None:
    models.catch_up()
    then = told(log, bought("T-1"))
    with pytest.raises(NotYet):
        validity(dsn, 30, then.recorded)
    models.catch_up()
    assert validity(dsn, 30, then.recorded).valid


def test_a_known_position_beyond_the_log_is_answered_by_all_that_is_known(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    assert validity(dsn, 30, known=10**12).valid


def test_a_watchlisted_plate_alerts_until_its_entry_ends(models: Models, log: Log, dsn: str) -> None:
    told(log, watched("W-1", expires=60), watched("W-2"), unwatched("W-2", at=5))
    models.catch_up()
    assert [alert.entry for alert in validity(dsn, 3).alerts] == ["W-1", "W-2"]
    assert [alert.entry for alert in validity(dsn, 6).alerts] == ["W-1"]
    assert validity(dsn, 60).alerts == ()
    assert [alert.entry for alert in validity(dsn, 30, known=2).alerts] == ["W-1", "W-2"]


def test_a_misread_is_a_possible_match_of_plates_with_a_right_best_first(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1", ["ON CKTR482"]), bought("T-2", ["ON CKTR48"]), bought("T-3", ["ON CKTR48Z"]))
    told(log, bought("T-4", ["QC CKTR48Z"]), bought("T-5", ["ON CKTR489"], until=5))
    models.catch_up()
    answer = validity(dsn, 30, plate="ON CKTR4B2")
    assert (answer.valid, answer.answer, answer.right) == (False, "possible_match", None)
    assert answer.possible_matches == ("ON CKTR482", "ON CKTR48Z", "ON CKTR48")
    assert validity(dsn, 30, plate="ON CKTR487").possible_matches == ("ON CKTR48",)
    assert validity(dsn, 30, plate="ZZ ?").possible_matches == ()


def test_many_questions_of_one_tick_are_each_answered(models: Models, log: Log, dsn: str) -> None:
    told(log, *(bought(f"T-{n}", [f"ON P{n}"]) for n in range(50)))
    models.catch_up()

    async def all_of_them(lookups: Lookups) -> list[ValidityAnswer]:
        asked = (lookups.validity(f"ON P{n}", "F", at=minute(1)) for n in range(50))
        return await asyncio.gather(*asked)

    assert [answer.right for answer in ask(dsn, all_of_them)] == [f"T-{n}" for n in range(50)]


def test_an_answer_says_what_it_rests_on_and_how_old_that_is(models: Models, log: Log, dsn: str) -> None:
    first = told(log, bought("T-1"))
    models.catch_up()
    as_of = validity(dsn, 1).as_of
    assert (as_of.position, as_of.recorded, as_of.age_ms) == (first.position, first.recorded, 0)
    told(log, bought("T-2"))
    behind = validity(dsn, 1).as_of
    assert behind.position == first.position
    assert behind.age_ms > 0


def test_at_least_answers_from_that_position_on(running: Running, log: Log, dsn: str) -> None:
    running()

    async def write_and_ask(lookups: Lookups) -> list[bool]:
        found = []
        for number in range(20):
            appended = await asyncio.to_thread(told, log, bought(f"T-{number}", [f"ON P{number}"]))
            answer = await lookups.validity(f"ON P{number}", "F", minute(1), at_least=appended.position)
            found.append(answer.valid and answer.as_of.position >= appended.position)
        return found

    assert all(ask(dsn, write_and_ask, patience=10))


def test_a_position_that_is_not_reached_says_how_far_behind_it_is(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    with pytest.raises(NotYet) as refused:
        ask(dsn, lambda lookups: lookups.validity(VEHICLE, "F", at_least=5))
    assert (refused.value.behind, refused.value.reached, refused.value.position) == (4, 1, 5)


def test_waiting_survives_a_cut_connection(models: Models, log: Log, dsn: str) -> None:
    async def cut_and_wait(lookups: Lookups) -> ValidityAnswer:
        await lookups.validity(VEHICLE, "F")
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name IN ('parkledger progress', 'parkledger look-ups')"
            )
        appended = told(log, bought("T-1"))
        await asyncio.to_thread(models.catch_up)
        return await lookups.validity(VEHICLE, "F", minute(1), at_least=appended.position)

    models.catch_up()
    assert ask(dsn, cut_and_wait, patience=10).valid


def test_the_page_of_a_plate_holds_its_rights_reads_citations_and_alerts(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1"), read("r1"), read("r2", "ON OTHER"), watched("W-1"))
    told(log, cited("C-1", basis=["r1"]), corrected("r2", VEHICLE))
    models.catch_up()
    page = ask(dsn, lambda lookups: lookups.plate(VEHICLE))
    assert [right["right"] for right in page.rights] == ["T-1"]
    assert {(seen["read"], seen["was"]) for seen in page.sightings} == {("r1", None), ("r2", "ON OTHER")}
    assert [citation["citation"] for citation in page.citations] == ["C-1"]
    assert [entry["entry"] for entry in page.watchlist] == ["W-1"]
    earlier = ask(dsn, lambda lookups: lookups.plate(VEHICLE, known=3))
    assert (len(earlier.sightings), earlier.citations, earlier.known) == (1, (), 3)


def test_the_queue_holds_open_appeals_by_what_is_due_first(models: Models, log: Log, dsn: str) -> None:
    told(log, opened(), cited("C-1", at=60 * 24 * 3), cited("C-2", "ON B2", at=10), cited("C-3", "ON C3"))
    told(log, appealed("A-1", "C-1", at=60 * 24 * 4), appealed("A-2", "C-2"), appealed("A-3", "C-3"))
    told(log, dismissed("A-3", "C-3"))
    models.catch_up()
    queue = ask(dsn, lambda lookups: lookups.appeals())
    assert [row["appeal"] for row in queue.rows] == ["A-2", "A-1"]
    assert all(row["in_time"] for row in queue.rows)
    everything = ask(dsn, lambda lookups: lookups.appeals(closed=True))
    assert [(row["appeal"], row["outcome"]) for row in everything.rows][-1] == ("A-3", "dismissed")


def test_an_accounts_permits_and_the_zones_are_listed(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1", account="ann"), bought("T-2", account="bob"), opened("F"), opened("G"))
    models.catch_up()
    assert [row["permit"] for row in ask(dsn, lambda lookups: lookups.permits_of("ann")).rows] == ["T-1"]
    assert [row["zone"] for row in ask(dsn, lambda lookups: lookups.zones()).rows] == ["F", "G"]


def test_without_anything_in_the_log_there_are_answers_too(models: Models, dsn: str) -> None:
    models.catch_up()
    answer = ask(dsn, lambda lookups: lookups.validity(VEHICLE, "F"))
    assert (answer.answer, answer.as_of.position, answer.as_of.recorded) == ("no_right", 0, None)
    assert datetime.now(UTC) - answer.at < timedelta(minutes=1)
