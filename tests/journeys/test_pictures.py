"""The pictures of the README, taken of the pages themselves.

    PICTURES=docs/images pytest tests/journeys/test_pictures.py

takes them anew; without `PICTURES` they are taken and thrown away.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from events.permits import PermitPurchased
from operations.settings import Settings
from tests.journeys.conftest import DESK, PHONE, Visit
from tests.read_api.late_payment import CITATION, PLATE
from tests.read_api.office import Office, after_late_payment

pytestmark = pytest.mark.browser

LARGEST = 150_000
"""Bytes of a picture."""


@pytest.fixture
def office(dsn: str, tmp_path: Path) -> Iterator[Office]:
    with after_late_payment(dsn, Settings(data=tmp_path)) as office:
        yield office


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return Path(os.environ.get("PICTURES", tmp_path))


def lasting() -> PermitPurchased:
    """Return a permit that is valid when the picture is taken."""
    now = datetime.now(UTC)
    return PermitPurchased(
        at=now,
        permit="T-1002",
        plates=(PLATE,),
        zones=("F",),
        valid_from=now,
        valid_until=now + timedelta(days=57),
    )


def visit(browser: Browser, office: Office, role: str, size: dict[str, int]) -> Visit:
    token = office.headers(role)["authorization"].removeprefix("Bearer ")
    return Visit(browser, office.address, token, size)


def test_the_timeline_has_its_picture(browser: Browser, office: Office, pictures: Path) -> None:
    desk = visit(browser, office, "dispute", DESK)
    desk.open(f"/citations/{CITATION}")
    expect(desk.page.locator(".band")).to_have_count(1)
    file = pictures / "timeline.png"
    desk.page.screenshot(path=file, clip={"x": 0, "y": 0, "width": 1200, "height": 1000}, full_page=True)
    assert file.stat().st_size < LARGEST
    assert desk.complaints == []
    desk.context.close()


def test_the_officers_screen_has_its_picture(browser: Browser, office: Office, pictures: Path) -> None:
    officer = visit(browser, office, "officer", PHONE)
    office.log.set_now(datetime.now(UTC))
    office.report(lasting())
    nothing: dict[str, object] = {"list_version": 9, "list": {"rights": [], "watchlist": []}}
    officer.page.route("**/officer/sync", lambda route: route.fulfill(json=nothing))  # no write API here
    officer.open("/officer?region=ON&number=CKTR482&zone=F")
    office.catch_up()
    officer.page.reload()
    expect(officer.page.locator("[data-answer]")).to_be_visible()
    file = pictures / "officer.png"
    officer.page.screenshot(path=file)
    assert file.stat().st_size < LARGEST
    assert officer.complaints == []
    officer.context.close()
