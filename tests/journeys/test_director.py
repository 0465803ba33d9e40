"""The director opens one page, picks a period, and follows a number to its citations."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from event_store.log import Log
from events.base import Event
from operations.settings import Settings
from tests.journeys.conftest import DESK, PHONE, Visit
from tests.projections.reports.stories import Story
from tests.read_api.office import Office, opened

pytestmark = pytest.mark.browser

PERIOD = "from=2026-03-01&to=2026-05-01"
PLAN = "measure,month,permit_type,zone,target\nrevenue,2026-03,,,12000\nrevenue,2026-04,,,18000\n"


def dated(facts: list[Event]) -> list[Event]:
    """Return the facts as they occurred, whenever they were told."""
    return sorted(facts, key=lambda fact: fact.at)


@pytest.fixture
def office(dsn: str, log: Log, tmp_path: Path) -> Iterator[Office]:
    plan = tmp_path / "plan.csv"
    plan.write_text(PLAN)
    settings = Settings(data=tmp_path, plan=plan, timezone="America/Toronto")
    with opened(dsn, log, settings) as office:
        office.report(*dated(Story(5, citations=60).facts), catch_up=False)
        yield office


def visit(browser: Browser, office: Office, size: dict[str, int]) -> Visit:
    token = office.headers("director")["authorization"].removeprefix("Bearer ")
    return Visit(browser, office.address, token, size)


def test_a_director_sees_the_period_and_follows_a_number_to_its_citations(
    browser: Browser, office: Office, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("PICTURES", tmp_path))
    director = visit(browser, office, DESK)
    director.open("/")
    director.page.get_by_role("link", name="Figures", exact=True).first.click()
    expect(director.page.get_by_role("heading", name="Figures of the office")).to_be_visible()
    director.open(f"/director?{PERIOD}")
    expect(director.page.locator(".chart canvas")).not_to_have_count(0)
    expect(director.page.locator(".chart .bk-Figure")).to_have_count(5)
    director.page.screenshot(path=pictures / "director.png", full_page=True)
    lot = director.page.get_by_role("region", name="Violations by lot").get_by_role("row").nth(1)
    counted = int(lot.get_by_role("cell").nth(1).inner_text())
    lot.get_by_role("link").click()
    expect(director.page.get_by_role("heading", name="Violations: North")).to_be_visible()
    assert director.page.locator("tbody tr").count() == counted
    assert director.complaints == []
    director.context.close()


def test_the_page_moves_on_when_something_happens(browser: Browser, office: Office) -> None:
    director = visit(browser, office, DESK)
    today = datetime.now(UTC)
    director.open("/director")
    expect(director.page.locator("#live")).to_have_text("Live")
    expect(director.page.locator(".gauge").first).to_contain_text("none")
    fresh = Story(7, citations=1).facts
    cited = next(fact for fact in fresh if type(fact).__name__ == "CitationIssued")
    moved = cited.model_copy(
        update={"at": today - timedelta(minutes=1), "citation": "C-new", "kind": "citation"}
    )
    office.report(moved)
    expect(director.page.locator(".gauge").first).to_contain_text("Violations1", timeout=20_000)
    by_lot = director.page.get_by_role("region", name="Violations by lot")
    expect(by_lot.locator(".bk-Figure")).to_have_count(1)
    assert director.complaints == []
    director.context.close()


def test_on_a_phone_nothing_is_wider_than_the_screen(
    browser: Browser, office: Office, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("PICTURES", tmp_path))
    director = visit(browser, office, PHONE)
    director.open(f"/director?{PERIOD}")
    expect(director.page.locator(".chart .bk-Figure")).to_have_count(5)
    director.page.screenshot(path=pictures / "director-phone.png", full_page=True)
    wide = director.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    assert director.complaints == []
    director.context.close()


def test_the_figures_can_be_printed_and_taken_away(office: Office) -> None:
    paper = office.get(f"/director.pdf?{PERIOD}", "director")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF")
    page = office.get(f"/director?{PERIOD}", "director").text
    assert "format=csv" in page
    assert "format=parquet" in page
    assert office.get("/director", "officer").status_code == 403


def test_printed_figures_name_their_period(browser: Browser, office: Office) -> None:
    director = visit(browser, office, DESK)
    director.open(f"/director?{PERIOD}")
    period = director.page.locator(".paper-only")
    expect(period).to_be_hidden()
    director.page.emulate_media(media="print")
    expect(period).to_be_visible()
    expect(period).to_contain_text("From 20")
    expect(director.page.get_by_role("navigation", name="Periods")).to_be_hidden()
    director.context.close()
