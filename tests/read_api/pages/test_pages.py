"""The pages, as a browser without scripts gets them."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest

from event_store import streams
from events.permits import PermitPurchased
from events.policies import PolicyAdopted
from events.security import IncidentLinked, IncidentOpened, WatchlistEntryAdded
from events.vocabulary import Plate
from events.zones import ZoneOpened
from read_api.pages.rendering import TEMPLATES
from tests.read_api.office import Office

NOW = datetime.now(UTC)
PLATE = Plate("ON CKTR482")
ZONE = ZoneOpened(at=NOW, zone="F", name="Faculty", timezone="America/Toronto")
PERMIT = PermitPurchased(
    at=NOW,
    permit="T-1",
    zones=("F",),
    plates=(PLATE,),
    valid_from=NOW,
    valid_until=NOW + timedelta(hours=8),
)
HOSTILE = '<script>alert("x")</script>'


def look_up(office: Office, **query: object) -> httpx.Response:
    asked = {"region": "on", "number": "cktr-482", "zone": "F", **query}
    return office.get("/officer", "officer", **asked)


def test_who_is_not_signed_in_is_asked_to(office: Office) -> None:
    for path in ("/officer", "/operator", "/desk"):
        answer = office.get(path, None)
        assert answer.status_code == 401
        assert "Sign in" in answer.text


def test_a_role_sees_the_pages_whose_questions_it_may_ask(office: Office) -> None:
    seen = office.get("/", "officer").text
    assert 'href="/officer"' in seen
    assert 'href="/operator"' not in seen
    refused = office.get("/operator", "officer")
    assert refused.status_code == 403
    assert refused.headers["content-type"].startswith("text/html")


def test_a_valid_plate_is_answered_in_word_and_icon(office: Office) -> None:
    office.report(ZONE, PERMIT)
    shown = look_up(office).text
    assert 'data-answer="valid"' in shown
    assert re.search(r"May stand here for another 7 h \d+ min", shown)
    assert "permit T-1" in shown


def test_a_plate_without_right_is_answered_so(office: Office) -> None:
    office.report(ZONE)
    assert 'data-answer="no_right"' in look_up(office).text


def test_a_watchlisted_plate_alerts(office: Office) -> None:
    office.report(ZONE, WatchlistEntryAdded(at=NOW, entry="W-1", plate=PLATE, reason="stolen, call dispatch"))
    assert "stolen, call dispatch" in look_up(office).text


def test_a_plate_that_cannot_be_one_is_explained(office: Office) -> None:
    office.report(ZONE)
    shown = look_up(office, number="C*K")
    assert shown.status_code == 422
    assert "a plate number is 1 to 16 letters and digits" in shown.text


def test_what_was_typed_is_escaped(office: Office) -> None:
    office.report(ZONE, WatchlistEntryAdded(at=NOW, entry="W-1", plate=PLATE, reason=HOSTILE))
    shown = look_up(office).text + look_up(office, number=HOSTILE, zone=HOSTILE).text
    assert "<script>alert" not in shown


def test_the_policy_may_demand_a_purpose_of_the_form(office: Office) -> None:
    strict = PolicyAdopted(at=NOW, policy="strict", effective_from=NOW, values={"purpose_required": 1})
    office.report(ZONE, strict)
    assert "Purpose of this look-up" in look_up(office).text
    assert 'data-answer="no_right"' in look_up(office, purpose="patrol").text


def test_a_page_that_keeps_itself_up_to_date_is_one_look_up(office: Office) -> None:
    office.report(ZONE)
    headers = office.headers("officer", "riley")
    before = office.log.head()
    for _ in range(3):
        office.get("/officer", None, headers=headers, region="ON", number="CKTR482", zone="F")
    assert office.log.head() == before + 1


def test_a_part_of_a_page_is_a_part(office: Office) -> None:
    office.report(ZONE)
    headers = office.headers("officer") | {"HX-Request": "true"}
    part = office.get("/officer", None, headers=headers, region="ON", number="CKTR482", zone="F").text
    assert "<html" not in part
    assert 'data-answer="no_right"' in part


def test_the_operator_sees_every_model(office: Office) -> None:
    shown = office.get("/operator", "admin").text
    assert "validity" in shown
    assert "None: every event was applied." in shown


@pytest.mark.parametrize("path", ["/", "/officer", "/operator", "/nowhere"])
def test_every_page_forbids_what_it_does_not_need(office: Office, path: str) -> None:
    answer = office.get(path, "admin")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert " style=" not in answer.text
    assert " onclick=" not in answer.text


def test_signing_in_by_link_sets_a_cookie_that_scripts_cannot_read(office: Office) -> None:
    token = office.headers("officer")["authorization"].removeprefix("Bearer ")
    answer = office.get("/sign-in", None, token=token)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    signed_in = office.get("/", None, headers={"cookie": cookie.partition(";")[0]})
    assert "enforcement officer" in signed_in.text


def test_a_token_that_is_none_does_not_sign_in(office: Office) -> None:
    answer = office.get("/sign-in?token=nonsense", None)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_another_sites_form_cannot_sign_out(office: Office) -> None:
    answer = httpx.post(f"{office.address}/sign-out", headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403


def test_static_files_may_be_kept_for_ever_because_their_address_changes(office: Office) -> None:
    page = office.get("/", None).text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = office.get(address, None)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert office.get("/static/../app.py", None).status_code == 404


def test_what_is_exported_is_what_was_selected(office: Office) -> None:
    office.report(ZONE)
    asked = {"tag": "zone:F", "since": "2026-03-05T14:00", "until": "2026-03-05T15:00:00-05:00"}
    shown = office.get("/audit", "auditor", **asked).text
    told = "tag=zone%3AF&amp;from=2026-03-05T14%3A00%3A00%2B00%3A00&amp;to=2026-03-05T20%3A00%3A00%2B00%3A00"
    assert f'href="/v1/events?{told}&amp;format=csv"' in shown


def test_history_leads_to_its_newest_entries(office: Office) -> None:
    office.report(
        *[ZoneOpened(at=NOW, zone=f"Z{number}", name="Lot", timezone="UTC") for number in range(60)]
    )
    head = office.log.head()
    assert "newest" in office.get("/audit", "auditor").text
    shown = office.get("/audit", "auditor", cursor=head - 50).text
    assert f'href="/audit/events/{head}"' in shown


def test_a_browser_whose_token_ran_out_is_told_so(office: Office) -> None:
    ended = office.get("/desk", None, headers={"cookie": "parkledger_token=long.since.over"})
    assert ended.status_code == 401
    assert "Your sign-in has ended" in ended.text
    assert "has ended" not in office.get("/desk", None).text


def test_a_plate_that_may_no_longer_be_read_is_shown_so() -> None:
    plate = TEMPLATES.get_template("pieces.html").module.plate  # type: ignore[attr-defined]
    assert '<span class="digits">REDACTED</span>' in plate("REDACTED")
    assert '<span class="region">ON</span><span class="digits">CKTR482</span>' in plate("ON CKTR482")


def test_what_security_may_not_open_is_no_link(office: Office) -> None:
    office.report(IncidentOpened(at=NOW, incident="I-1", summary="Stolen."))
    office.report(IncidentLinked(at=NOW, incident="I-1", links=("citation:PV-1",)))
    assert "citation:PV-1" in office.get("/incidents/I-1", "security").text
    assert 'href="/citations/PV-1"' not in office.get("/incidents/I-1", "security").text
    assert 'href="/citations/PV-1"' in office.get("/incidents/I-1", "auditor").text


def test_what_is_parked_stands_first_and_says_what_waits(office: Office) -> None:
    office.report(ZONE)
    with psycopg.connect(office.dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO views.parked (name, version, key, position, type, error, waiting, attempts)"
            " SELECT name, version, 'permit:T-1', 1, 'PermitPurchased', 'a fault', 7, 3"
            " FROM views.progress WHERE name = 'validity' AND live"
        )
    shown = office.get("/operator", "admin").text
    assert shown.index("Parked keys</h2>") < shown.index("Read models</h2>")
    assert 'data-head="Waiting">7<' in shown
    assert 'data-head="Tried">3<' in shown
    assert "Try again</button>" in shown
    assert "Try again</button>" not in office.get("/operator", "auditor").text


def test_the_operator_sees_what_waits_for_kafka_and_why(office: Office) -> None:
    office.report(ZONE)
    with psycopg.connect(office.dsn, autocommit=True) as connection:
        streams.ensure(connection)
        streams.report(connection, "relay", "parkledger", 1200, "No Kafka broker answers at kafka:9092.")
    shown = office.get("/operator", "admin").text
    assert "Between log and Kafka" in shown
    assert "No Kafka broker answers at kafka:9092." in shown
    assert "troubled" in shown
