"""What HTTP itself and history expect of every question, whatever it is about."""

import threading
from datetime import datetime
from pathlib import Path

import pytest

from event_store.log import Log
from events.permits import PermitPurchased, PermitSuspended, PermitTransferred
from events.security import IncidentClosed, IncidentOpened
from events.zones import ZoneOpened
from operations.settings import Settings
from tests.read_api.office import Office, opened

LONG_AGO = datetime.fromisoformat("2026-01-01T00:00:00Z")
BOUGHT = datetime.fromisoformat("2026-03-01T00:00:00Z")
SUSPENDED = datetime.fromisoformat("2026-04-01T00:00:00Z")
MOVED = datetime.fromisoformat("2026-05-01T00:00:00Z")
ENDS = datetime.fromisoformat("2027-01-01T00:00:00Z")


def zone(name: str) -> ZoneOpened:
    return ZoneOpened(at=LONG_AGO, zone=name, name=name, timezone="UTC")


def bought(permit: str) -> PermitPurchased:
    return PermitPurchased(
        at=BOUGHT,
        permit=permit,
        account="A-1",
        zones=("F",),
        plates=("ON CKTR482",),
        valid_from=BOUGHT,
        valid_until=ENDS,
    )


@pytest.mark.parametrize("path", ["/v1/zones/F", "/v1/events", "/v1/reports/violations", "/v1/reports"])
def test_a_question_waits_for_the_log_to_come_to_a_position(
    dsn: str, log: Log, tmp_path: Path, path: str
) -> None:
    with opened(dsn, log, Settings(data=tmp_path, wait_seconds=30)) as office:
        office.report(zone("F"))
        writing = threading.Timer(0.3, office.report, [zone("G"), zone("H")])
        writing.start()
        answer = office.get(path, at_least=log.head() + 2)
        writing.join()
    assert answer.status_code == 200
    assert answer.json()["as_of"]["position"] >= 3


def test_a_head_is_that_of_the_answer(office: Office) -> None:
    office.report(zone("F"))
    headers = office.headers("auditor")
    for path in ("/healthz", "/readyz", "/metrics", "/v1/zones/F", "/v1/checkpoints"):
        answer = office.ask("HEAD", path, headers)
        assert (answer.status_code, answer.content) == (200, b""), path
        assert answer.headers["content-length"] != "0"
    assert office.ask("HEAD", "/v1/zones/Q", headers).status_code == 404
    assert office.ask("HEAD", "/v1/stream", headers).status_code == 405


def test_a_name_with_a_slash_is_addressed_by_its_code(office: Office) -> None:
    office.report(zone("F"), zone("north/2"), bought("2026/113"))
    assert office.get("/v1/zones/north%2F2").json()["zone"] == "north/2"
    assert office.get("/v1/zones/north%2f2/occupancy").json()["zone"] == "north/2"
    assert office.get("/v1/permits/2026%2F113").json()["permit"] == "2026/113"
    assert office.get("/v1/zones/north/2").status_code == 404


@pytest.mark.parametrize("path", ["/v1/watchlist", "/v1/zones", "/v1/validity?plate=ON+A1&zone=F"])
def test_an_instant_before_all_parking_is_named(office: Office, path: str) -> None:
    office.report(zone("F"))
    mark = "&" if "?" in path else "?"
    answer = office.get(f"{path}{mark}at=0001-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "at")
    assert office.get(f"{path}{mark}at=9999-12-31T23:59:59Z").status_code == 200


def test_who_asks_for_json_gets_a_problem_as_json_and_people_a_page(office: Office) -> None:
    for_programs = office.get("/v2/zones", headers={"accept": "application/json"})
    assert for_programs.headers["content-type"] == "application/problem+json"
    assert for_programs.json()["detail"] == "There is nothing at this address."
    for_people = office.get("/v2/zones", headers={"accept": "text/html,application/json;q=0.9"})
    assert for_people.headers["content-type"].startswith("text/html")


def test_an_incident_is_answered_as_it_stood_at_an_instant(office: Office) -> None:
    opened_, closed = (
        IncidentOpened(at=BOUGHT, incident="I-1", summary="A broken barrier."),
        IncidentClosed(at=MOVED, incident="I-1"),
    )
    office.report(opened_, closed)

    def told(at: datetime) -> list[bool]:
        answer = office.get("/v1/incidents", "security", at=at.isoformat()).json()
        return [incident["open"] for incident in answer["incidents"]]

    assert (told(LONG_AGO), told(SUSPENDED), told(MOVED)) == ([], [True], [False])
    assert office.get("/v1/incidents/I-1", "security", at=LONG_AGO.isoformat()).status_code == 404
    assert len(office.get("/v1/incidents/I-1", "security", at=BOUGHT.isoformat()).json()["entries"]) == 1


def test_an_account_is_answered_as_it_stood_at_an_instant(office: Office) -> None:
    suspended = PermitSuspended(at=BOUGHT, permit="T-1", effective_at=SUSPENDED)
    moved = PermitTransferred(at=MOVED, permit="T-1", account="A-2")
    office.report(zone("F"), bought("T-1"), suspended, moved)

    def held(account: str, at: datetime) -> list[tuple[str, str]]:
        answer = office.get(f"/v1/accounts/{account}", at=at.isoformat()).json()
        assert answer["as_of"]["position"] == answer["known"]
        return [(permit["permit"], permit["state"]) for permit in answer["permits"]]

    assert held("A-1", LONG_AGO) == []
    assert held("A-1", BOUGHT) == [("T-1", "issued")]
    assert held("A-1", SUSPENDED) == [("T-1", "suspended")]
    assert (held("A-1", MOVED), held("A-2", MOVED)) == ([], [("T-1", "suspended")])
    assert office.get("/v1/accounts/A-2").json()["at"] is None
