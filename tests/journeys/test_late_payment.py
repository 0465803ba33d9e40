"""A permit is paid at 9:02, cited at 9:06, and posted at 9:31: the whole story, in a browser."""

import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Installation, Visits

pytestmark = pytest.mark.browser

numbers = count(1)


class Morning:
    """The morning's facts, as the doors are told them; nine o'clock was half an hour ago."""

    def __init__(self, installation: Installation) -> None:
        number = next(numbers)
        self.installation = installation
        self.zone, self.plate = f"F{number}", f"ON CKTR48{number}"
        self.read, self.citation, self.permit = f"e{number}", f"PV-5000{number}", f"T-100{number}"
        self._nine = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=31)

    def at(self, minute: int, second: int = 0) -> str:
        return (self._nine + timedelta(minutes=minute, seconds=second)).isoformat()

    def tell(self, role: str, path: str, **said: Any) -> dict[str, Any]:
        return self.installation.tell(role, path, **said)

    def begins(self) -> None:
        self.tell("admin", "/v1/zones", zone=self.zone, name="Faculty", timezone="America/Toronto")
        rules = [{"code": "NO_PERMIT", "kind": "permit"}]
        self.tell("admin", f"/v1/zones/{self.zone}/rules", effective_from=self.at(-60), rules=rules)

    def plate_is_read(self) -> str:
        read = {
            "read": self.read,
            "plate": self.plate,
            "zone": self.zone,
            "device": "H3",
            "at": self.at(5, 40),
        }
        answer: str = self.tell("officer", "/v1/plate-reads", **read)["answer"]
        return answer

    def is_cited(self) -> None:
        cited = {"citation": self.citation, "plate": self.plate, "zone": self.zone, "basis": [self.read]}
        self.tell("officer", "/v1/citations", at=self.at(6, 30), code="NO_PERMIT", **cited)

    def payment_posts(self) -> int:
        paid = {"payment": self.permit, "amount": 24000, "method": "card", "permit": self.permit}
        self.tell("admin", "/v1/payments", at=self.at(2, 11), **paid)
        until = (self._nine + timedelta(days=30)).isoformat()
        bought = {"permit": self.permit, "plates": [self.plate], "zones": [self.zone]}
        bought["payment"] = self.permit
        valid = {"valid_from": self.at(2, 11), "valid_until": until}
        position: int = self.tell("admin", "/v1/permits", at=self.at(2, 11), **bought, **valid)["position"]
        return position

    def is_appealed(self) -> None:
        self.tell("dispute", "/v1/appeals", appeal=f"AP-{self.citation}", citation=self.citation, level=1)


@pytest.fixture
def morning(installation: Installation) -> Morning:
    morning = Morning(installation)
    morning.begins()
    return morning


def test_the_officers_screen_turns_by_itself_when_the_payment_posts(morning: Morning, visits: Visits) -> None:
    assert morning.plate_is_read() == "no_right"
    officer = visits("officer", PHONE)
    officer.open("/officer")
    officer.page.get_by_label("Plate", exact=True).fill(morning.plate.removeprefix("ON ").lower())
    officer.page.get_by_label("Zone").select_option(morning.zone)
    officer.page.get_by_role("button", name="Look up").click()
    answer = officer.page.locator("[data-answer]")
    expect(answer).to_have_attribute("data-answer", "no_right")
    expect(answer).to_contain_text("No right")
    expect(officer.page.locator("#live")).to_have_text("Live")
    morning.is_cited()
    morning.payment_posts()
    expect(answer).to_have_attribute("data-answer", "valid", timeout=10_000)
    expect(answer).to_contain_text(f"permit {morning.permit}")


def test_the_finding_follows_the_slider_over_what_was_known(morning: Morning, visits: Visits) -> None:
    morning.plate_is_read()
    morning.is_cited()
    morning.payment_posts()
    morning.is_appealed()
    desk = visits("dispute")
    desk.open("/desk")
    row = desk.page.get_by_role("row", name=morning.citation).first
    expect(row).to_contain_text("DISMISS: A right covered the plate when it was read.")
    desk.page.get_by_role("link", name=morning.citation).first.click()
    finding = desk.page.locator(".finding")
    expect(finding).to_have_attribute("data-disposition", "DISMISSED")
    line = r"DISMISS: permit \S+ was paid at \d+:\d\d:\d\d .*posted at .*was right by what was known"
    expect(finding).to_contain_text(re.compile(line))
    expect(finding).to_contain_text("did not err")
    slider = desk.page.get_by_label("What was known, and when")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    expect(finding).to_have_attribute("data-disposition", "UPHELD")
    expect(desk.page.locator(".entry-unknown")).to_have_count(3)
    expect(desk.page).to_have_url(re.compile(r"\?known=\d+"))


def test_an_entry_can_be_chosen_on_the_tracks_and_with_the_keyboard(morning: Morning, visits: Visits) -> None:
    morning.plate_is_read()
    morning.is_cited()
    morning.payment_posts()
    desk = visits("dispute", PHONE, color_scheme="dark")
    desk.open(f"/citations/{morning.citation}")
    first = desk.page.locator("svg a[data-entry='1']")
    first.focus()
    desk.page.keyboard.press("ArrowRight")
    expect(desk.page.locator("li[data-entry='2']")).to_have_attribute("aria-current", "true")
    expect(desk.page.locator("li[data-entry='1']")).not_to_have_attribute("aria-current", "true")
    desk.page.locator("li[data-entry='3'] .badge").click()
    expect(desk.page.locator("svg a[data-entry='3']")).to_have_attribute("aria-current", "true")


def test_the_operators_page_keeps_itself_up_to_date(morning: Morning, visits: Visits) -> None:
    operator = visits("admin")
    operator.open("/operator")
    head = operator.page.locator(".gauge dd").first
    before = int(head.inner_text())
    morning.payment_posts()
    expect(head).not_to_have_text(str(before), timeout=10_000)
    expect(operator.page.locator("tbody .word-bad")).to_have_count(0)


def test_every_page_can_be_used_without_scripts(morning: Morning, visits: Visits) -> None:
    morning.plate_is_read()
    officer = visits("officer", PHONE, java_script_enabled=False)
    officer.open("/officer")
    officer.page.get_by_label("Plate", exact=True).fill(morning.plate.removeprefix("ON "))
    officer.page.get_by_label("Zone").select_option(morning.zone)
    officer.page.get_by_role("button", name="Look up").click()
    expect(officer.page.locator("[data-answer='no_right']")).to_be_visible()
    morning.is_cited()
    morning.payment_posts()
    desk = visits("dispute", java_script_enabled=False)
    desk.open(f"/citations/{morning.citation}?step=1")
    expect(desk.page.locator("[data-disposition='UPHELD']")).to_be_visible()
    desk.page.get_by_role("link", name="Now", exact=True).click()
    expect(desk.page.locator("[data-disposition='DISMISSED']")).to_be_visible()
