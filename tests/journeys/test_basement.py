"""An officer without signal: the page opens, answers from the list, and hands over what was read."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.conftest import PHONE, Installation, Visit, Visits
from tests.journeys.line import Line

pytestmark = pytest.mark.browser

ZONE = "CELLAR"


@pytest.fixture
def line(installation: Installation) -> Iterator[Line]:
    line = Line(installation.settings.pages)
    yield line
    line.close()


@pytest.fixture(scope="module")
def cellar(installation: Installation) -> str:
    """A zone with a right in force, one that ended just now, and an exemption."""
    tell, now = installation.tell, datetime.now(UTC)
    for zone in (ZONE, "ATTIC"):
        tell("admin", "/v1/zones", zone=zone, timezone="America/Toronto")
    held = {"zones": [ZONE], "at": (now - timedelta(hours=2)).isoformat()}
    later, ended = (now + timedelta(days=9)).isoformat(), (now - timedelta(minutes=2)).isoformat()
    tell("admin", "/v1/permits", permit="T-C1", plates=["ON HELD435"], valid_until=later, **held)
    tell("admin", "/v1/permits", permit="T-C2", plates=["ON OVER001"], valid_until=ended, **held)
    told = tell("admin", "/v1/exemptions", plate="ON FREE001", zone=ZONE)
    installation.ask("officer", "/v1/validity", plate="ON FREE001", zone=ZONE, at_least=told["position"])
    return ZONE


def takes_the_list(officer: Visit) -> Locator:
    officer.open("/officer")
    state = officer.page.locator("#offline-state")
    expect(state).to_contain_text(re.compile(r"With signal: list of position \d+"))
    expect(state).not_to_contain_text("not kept yet")
    return state


def asks(officer: Visit, number: str, zone: str = ZONE) -> Locator:
    officer.page.get_by_label("Plate", exact=True).fill(number)
    officer.page.get_by_label("Zone").select_option(zone)
    officer.page.get_by_role("button", name="Look up").click()
    return officer.page.locator("[data-answer]")


def test_a_signal_that_carries_nothing_is_none(
    cellar: str, line: Line, installation: Installation, visits: Visits
) -> None:
    officer = visits("officer", PHONE, line.address)
    state = takes_the_list(officer)
    line.mute()
    answer = asks(officer, "HELD435")
    expect(answer).to_have_attribute("data-answer", "valid")
    expect(answer).to_contain_text("Without signal: by the list of position")
    line.cut()
    expect(asks(officer, "NONE777")).to_have_attribute("data-answer", "no_right")
    expect(state).to_contain_text("Without signal: list of position")
    expect(state).to_contain_text("2 reads to hand over")
    line.mend()
    expect(state).to_contain_text("With signal")
    expect(state).not_to_contain_text("to hand over")
    reads = installation.ask("auditor", "/v1/events", tag=f"zone:{cellar}", type="PlateRead").json()["events"]
    assert {one["data"]["plate"] for one in reads} >= {"ON HELD435", "ON NONE777"}
    officer.complaints.clear()  # a browser complains of what it cannot fetch


def test_the_list_answers_by_the_rules_of_the_server(cellar: str, line: Line, visits: Visits) -> None:
    officer = visits("officer", PHONE, line.address)
    state = takes_the_list(officer)
    line.cut()
    words = {"HELD435": "valid", "held-435": "valid", "OVER001": "in_grace", "FREE001": "exempt"}
    words |= {"HELD43S": "possible_match", "HELD4355": "possible_match", "HELD436": "no_right"}
    for number, word in words.items():
        expect(asks(officer, number, cellar)).to_have_attribute("data-answer", word)
    asks(officer, "C*K")
    expect(officer.page.locator("#answer").get_by_role("alert")).to_contain_text("1 to 16 letters and digits")
    expect(state).to_contain_text(f"{len(words)} reads to hand over")
    officer.complaints.clear()


def test_an_officer_chooses_the_zone_and_keeps_it(cellar: str, visits: Visits) -> None:
    officer = visits("officer", PHONE)
    officer.open("/officer")
    zone = officer.page.get_by_label("Zone")
    expect(zone).to_have_value("")
    zone.select_option(cellar)
    officer.open("/officer")
    expect(zone).to_have_value(cellar)


def test_an_officer_goes_on_without_signal(installation: Installation, visits: Visits) -> None:
    zone, plate = "BASEMENT", "ON DEEP001"
    tell = installation.tell
    tell("admin", "/v1/zones", zone=zone, timezone="America/Toronto")
    permit = {"permit": "T-DEEP", "zones": [zone], "plates": [plate], "valid_until": "2030-01-01T00:00:00Z"}
    position = tell("admin", "/v1/permits", **permit)["position"]
    installation.ask("officer", "/v1/validity", plate=plate, zone=zone, at_least=position)
    officer = visits("officer", PHONE)
    officer.open("/officer")
    state = officer.page.locator("#offline-state")
    expect(state).to_contain_text(re.compile(r"With signal: list of position \d+"))
    expect(state).not_to_contain_text("not kept yet")
    officer.context.set_offline(True)
    officer.page.reload()
    look_up = {plate: "valid", "ON DEEP999": "no_right"}
    for number, (asked, word) in enumerate(look_up.items(), 1):
        officer.page.get_by_label("Plate", exact=True).fill(asked.removeprefix("ON "))
        officer.page.get_by_label("Zone").select_option(zone)
        officer.page.get_by_role("button", name="Look up").click()
        answer = officer.page.locator("[data-offline]")
        expect(answer).to_have_attribute("data-answer", word)
        expect(answer).to_contain_text("Without signal: by the list of position")
        expect(state).to_contain_text(f"{number} read")
    officer.context.set_offline(False)
    expect(state).not_to_contain_text("to hand over")
    reads = installation.ask("auditor", "/v1/events", tag=f"zone:{zone}", type="PlateRead").json()["events"]
    told = {one["data"]["plate"]: one["data"] for one in reads}
    assert {name: one["shown"]["answer"] for name, one in told.items()} == look_up
    assert all(one["online"] is False and one["list_version"] >= position for one in told.values())
    officer.complaints[:] = [text for text in officer.complaints if "ERR_INTERNET_DISCONNECTED" not in text]
