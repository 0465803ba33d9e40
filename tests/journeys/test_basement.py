"""An officer without signal: the page opens, answers from the list, and hands over what was read."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Installation, Visits

pytestmark = pytest.mark.browser


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
