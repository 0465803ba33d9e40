"""What people see when something cannot be done: it is said, where they are, in words of theirs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import DESK, PHONE, Installation, Visits
from tests.journeys.line import Line

pytestmark = pytest.mark.browser


@pytest.fixture
def line(installation: Installation) -> Iterator[Line]:
    line = Line(installation.settings.pages)
    yield line
    line.close()


def test_a_form_that_cannot_be_used_says_so_where_it_stands(visits: Visits) -> None:
    security = visits("security")
    security.open("/security")
    security.page.get_by_text("Look for a plate").click()
    security.page.get_by_label("Plate, with its region").first.fill("!!!")
    security.page.get_by_label("Reason, as whoever reads it sees it").fill("stolen")
    security.page.get_by_role("button", name="Alert whoever reads it").click()
    alert = security.page.get_by_role("region", name="Watchlist").get_by_role("alert")
    expect(alert).to_contain_text("Plate: a plate is written REGION NUMBER")


def test_a_form_that_nobody_answers_says_so_and_can_be_sent_again(line: Line, visits: Visits) -> None:
    security = visits("security", DESK, line.address)
    security.open("/security")
    security.page.get_by_text("Look for a plate").click()
    security.page.get_by_label("Plate, with its region").first.fill("ON LINE001")
    security.page.get_by_label("Reason, as whoever reads it sees it").fill("line test")
    line.cut()
    send = security.page.get_by_role("button", name="Alert whoever reads it")
    send.click()
    expect(security.page.get_by_role("region", name="Watchlist").get_by_role("alert")).to_contain_text(
        "No answer came. Send it again"
    )
    line.mend()
    send.click()
    expect(security.page.get_by_role("status").first).to_contain_text("is alerted")
    security.complaints.clear()  # a browser complains of what it cannot fetch


def test_a_page_is_live_again_after_the_line_was_cut(line: Line, visits: Visits) -> None:
    desk = visits("dispute", DESK, line.address)
    desk.open("/desk")
    live = desk.page.locator("#live")
    expect(live).to_have_text("Live")
    line.cut()
    expect(live).to_have_text("Not live, connecting again")
    line.mend()
    expect(live).to_have_text("Live")
    desk.complaints.clear()


def test_who_is_no_longer_signed_in_is_told_and_not_left_with_an_old_page(line: Line, visits: Visits) -> None:
    desk = visits("dispute", DESK, line.address)
    desk.open("/desk")
    expect(desk.page.locator("#live")).to_have_text("Live")
    desk.context.clear_cookies()
    line.mend()  # the stream breaks off
    expect(desk.page.locator("#live")).to_contain_text("your sign-in has ended")
    desk.page.get_by_role("link", name="Sign in again").click()
    expect(desk.page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    desk.complaints.clear()


def test_a_period_that_cannot_be_is_told_beside_its_form(visits: Visits) -> None:
    director = visits("director")
    director.open("/director?from=2026-12-01&to=2026-11-01")
    expect(director.page.get_by_role("alert")).to_contain_text("To is not after from")
    expect(director.page.get_by_label("From")).to_have_value("2026-12-01")
    director.complaints[:] = [text for text in director.complaints if "422" not in text]


def test_a_page_of_another_role_is_no_dead_end(visits: Visits) -> None:
    officer = visits("officer", PHONE)
    officer.open("/operator")
    expect(officer.page.get_by_role("main")).to_contain_text("signed in as enforcement officer")
    officer.page.get_by_role("link", name="Look-up").click()
    expect(officer.page).to_have_url(re.compile("/officer$"))
    officer.complaints[:] = [text for text in officer.complaints if "403" not in text]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("officer", "/officer"),
        ("dispute", "/desk"),
        ("auditor", "/audit"),
        ("security", "/security"),
        ("admin", "/operator"),
        ("director", "/director/violations"),
    ],
)
def test_no_page_is_wider_than_a_phone(role: str, path: str, visits: Visits) -> None:
    visit = visits(role, PHONE)
    visit.open(path)
    widths = visit.page.evaluate(
        "[...document.querySelectorAll('html, .scroll')].map(e => [e.scrollWidth, e.clientWidth])"
    )
    assert all(width <= shown for width, shown in widths), widths
