"""May this vehicle stand here? Asked over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from events.boundary import on
from events.permits import PermitPurchased
from events.policies import PolicyAdopted
from events.privacy import RecordAccessed
from events.security import WatchlistEntryAdded
from events.vocabulary import Plate
from events.zones import ZoneOpened
from tests.read_api.office import Office

NINE = datetime(2026, 3, 5, 14, tzinfo=UTC)
PLATE = Plate("ON CKTR482")
ZONE = ZoneOpened(at=NINE, zone="F", name="Faculty", timezone="America/Toronto")
PERMIT = PermitPurchased(
    at=NINE,
    permit="T-1",
    account="A-1",
    zones=("F",),
    plates=(PLATE,),
    valid_from=NINE,
    valid_until=NINE + timedelta(hours=8),
)
INSIDE = (NINE + timedelta(hours=1)).isoformat()


def ask(office: Office, role: str | None = "device", **query: object) -> httpx.Response:
    return office.get("/v1/validity", role, **{"plate": PLATE, "zone": "F", "at": INSIDE, **query})


def test_a_valid_right_is_named_with_its_end_and_grace(office: Office) -> None:
    office.report(ZONE, PERMIT)
    answer = ask(office).json()
    assert answer["valid"]
    assert (answer["answer"], answer["right"], answer["kind"]) == ("valid", "T-1", "permit")
    assert answer["end"] == "2026-03-05T22:00:00Z"
    assert answer["grace_until"] == "2026-03-05T22:10:00Z"
    assert answer["as_of"]["position"] == 2


def test_what_was_not_known_yet_is_not_answered(office: Office) -> None:
    office.report(ZONE)
    bought = office.report(PERMIT)
    assert ask(office, known=bought.position).json()["valid"]
    before = ask(office, known=bought.position - 1).json()
    assert (before["valid"], before["known"]) == (False, bought.position - 1)
    earlier = (bought.recorded - timedelta(microseconds=1)).isoformat()
    assert not ask(office, known=earlier).json()["valid"]
    assert ask(office, known=bought.recorded.isoformat()).json()["valid"]


def test_the_grace_after_the_end_is_told(office: Office) -> None:
    office.report(ZONE, PERMIT)
    late = (NINE + timedelta(hours=8, minutes=5)).isoformat()
    answer = ask(office, at=late).json()
    assert (answer["valid"], answer["answer"], answer["right"]) == (False, "in_grace", "T-1")


def test_a_watchlisted_plate_alerts(office: Office) -> None:
    office.report(ZONE, WatchlistEntryAdded(at=NINE, entry="W-1", plate=PLATE, reason="stolen"))
    (alert,) = ask(office).json()["alerts"]
    assert (alert["entry"], alert["reason"]) == ("W-1", "stolen")


def test_a_plate_may_be_given_as_number_and_region_and_is_normalised(office: Office) -> None:
    office.report(ZONE, PERMIT)
    assert ask(office, plate="cktr-482", region="on").json()["plate"] == PLATE


def test_an_answer_waits_for_the_position_that_is_asked_for(office: Office) -> None:
    office.report(ZONE)
    appended = office.report(PERMIT, catch_up=False)
    late = ask(office, at_least=appended.position)
    assert late.status_code == 503
    assert late.json()["behind"] == 1
    assert late.headers["content-type"] == "application/problem+json"
    office.catch_up()
    assert ask(office, at_least=appended.position).json()["valid"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"plate": ""}, "plate"),
        ({"plate": "CKTR482"}, "plate"),
        ({"plate": "ON CK*TR"}, "plate"),
        ({"zone": " "}, "zone"),
        ({"zone": "F\x00"}, "zone"),
        ({"zone": "F" * 101}, "zone"),
        ({"at": "2026-03-05T09:05:40"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-13-05T09:05:40Z"}, "at"),
        ({"known": "-1"}, "known"),
        ({"known": "99999999999999999999"}, "known"),
        ({"at_least": "soon"}, "at_least"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(office: Office, query: dict[str, str], field: str) -> None:
    answer = ask(office, **query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_a_zone_that_was_never_opened_is_no_answer(office: Office) -> None:
    answer = ask(office, zone="Q")
    assert (answer.status_code, answer.json()["rule"]) == (404, "NoSuchZone")


def test_a_parker_asks_about_their_own_plate_only(office: Office) -> None:
    office.report(ZONE, PERMIT)
    at = datetime.now(UTC).isoformat()
    assert ask(office, "parker", at=at).status_code == 403
    parker = office.headers("parker", "pat", "A-1")
    own = office.get("/v1/validity", None, headers=parker, plate=PLATE, zone="F", at=INSIDE)
    assert own.status_code == 200


def lookups_noted(office: Office) -> list[RecordAccessed]:
    return [entry.event for entry in office.log.read(on(RecordAccessed)).entries]


def test_a_look_up_by_a_person_is_recorded_before_it_is_answered(office: Office) -> None:
    office.report(ZONE, PERMIT)
    headers = office.headers("officer", "riley") | {"purpose": "patrol"}
    assert office.get("/v1/validity", None, headers=headers, plate=PLATE, zone="F").status_code == 200
    (noted,) = lookups_noted(office)
    assert (noted.who, noted.purpose, noted.plate) == ("riley", "patrol", PLATE)


def test_a_look_up_by_a_device_is_not_recorded_because_its_read_is(office: Office) -> None:
    office.report(ZONE)
    ask(office, "device")
    assert lookups_noted(office) == []


def test_the_policy_may_demand_a_purpose(office: Office) -> None:
    policy = PolicyAdopted(at=NINE, policy="strict", effective_from=NINE, values={"purpose_required": 1})
    office.report(ZONE, policy)
    refused = ask(office, "officer")
    assert (refused.status_code, refused.json()["rule"]) == (428, "PurposeRequired")
    assert lookups_noted(office) == []
    headers = office.headers("officer") | {"purpose": "patrol"}
    assert office.get("/v1/validity", None, headers=headers, plate=PLATE, zone="F").status_code == 200


def test_who_parks_need_not_say_why_they_look_at_their_own(office: Office) -> None:
    policy = PolicyAdopted(at=NINE, policy="strict", effective_from=NINE, values={"purpose_required": 1})
    now = datetime.now(UTC)
    office.report(
        ZONE, policy, PERMIT.model_copy(update={"valid_from": now, "valid_until": now + timedelta(1)})
    )
    parker = office.headers("parker", "pat", "A-1")
    assert office.get("/v1/validity", None, headers=parker, plate=PLATE, zone="F").status_code == 200
    assert lookups_noted(office)[-1].purpose == "own data"


def test_who_parks_does_not_learn_who_looks_for_them(office: Office) -> None:
    office.report(ZONE, PERMIT, WatchlistEntryAdded(at=NINE, entry="W-1", plate=PLATE, reason="stolen"))
    parker = office.headers("parker", "pat", "A-1")
    asked = {"plate": PLATE, "zone": "F", "at": INSIDE}
    assert office.get("/v1/validity", None, headers=parker, **asked).json()["alerts"] == []
    plate = office.get(f"/v1/plates/{PLATE}", None, headers=parker).json()
    assert (plate["alerts"], plate["reads"]) == ([], [])


@pytest.mark.parametrize("query", [{}, {"plate": "bad"}, {"zone": "Q"}, {"known": "0"}, {"known": "x"}])
def test_the_quick_way_answers_as_the_documented_route_does(
    office: Office, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    office.report(ZONE, PERMIT)
    quick = ask(office, **query)
    monkeypatch.setattr("read_api.validity.PATH", "/nowhere")
    documented = ask(office, **query)
    assert (quick.status_code, quick.json()) == (documented.status_code, documented.json())
