"""What people do on the pages themselves: buy and pay, appeal, decide, watch, audit."""

import os
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PHONE, Installation, Visit, Visits

pytestmark = pytest.mark.browser

_numbers = count(1)
LOOK_AT = os.environ.get("LOOK_AT")
"""A folder where screenshots of the journeys are left, to be looked at."""


def look(page: Page, name: str) -> None:
    if LOOK_AT:
        page.screenshot(path=Path(LOOK_AT) / f"{name}.png", full_page=True)


class Office:
    """A zone, a permit type and a parker of this test's own."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        number = next(_numbers)
        self.zone, self.kind = f"SELF{number}", f"COMMUTER{number}"
        self.plate = f"ON SELF{number:03}"
        self.parker = f"parker-{number}"
        since = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
        rules = [{"code": "NO_PERMIT", "kind": "permit"}]
        tell = installation.tell
        tell("admin", "/v1/zones", zone=self.zone, name="Self", timezone="America/Toronto", at=since)
        tell("admin", f"/v1/zones/{self.zone}/rules", effective_from=since, rules=rules)
        offered = {"zones": [self.zone], "price": 24000, "term_days": 120, "max_plates": 2}
        tell("admin", "/v1/permit-types", permit_type=self.kind, **offered)

    def cite(self) -> str:
        seen = {"plate": self.plate, "zone": self.zone}
        read = f"R-{self.zone}"
        early = datetime.now(UTC) - timedelta(minutes=30)
        tell = self.installation.tell
        tell("officer", "/v1/plate-reads", read=read, device="H3", at=early.isoformat(), **seen)
        cited = {"citation": f"PV-{self.zone}", "code": "NO_PERMIT", "basis": [read], "online": False, **seen}
        citation: str = tell("officer", "/v1/citations", at=early.isoformat(), **cited)["citation"]
        return citation

    def parks(self, visits: Visits, size: dict[str, int] = PHONE, **options: object) -> Visit:
        installation = self.installation
        token = installation.token("parker", self.parker)
        visit = Visit(visits.browser, installation.settings.pages, token, size, **options)
        visits.all.append(visit)
        return visit


@pytest.fixture
def office(installation: Installation) -> Office:
    return Office(installation)


def buys(office: Office, parker: Visit) -> None:
    parker.open("/parker")
    kind = parker.page.get_by_role("article", name=f"Permit type {office.kind}")
    kind.get_by_text(f"Buy {office.kind}").click()
    kind.get_by_label("Plate, with its region").fill(office.plate.lower())
    kind.get_by_role("button", name="Pay 240.00").click()
    expect(parker.page.get_by_role("status").first).to_have_text("The permit is yours and paid.")


def test_a_parker_buys_a_permit_and_the_officer_sees_it(office: Office, visits: Visits) -> None:
    parker = office.parks(visits)
    buys(office, parker)
    permit = parker.page.get_by_role("article", name=re.compile("^Permit T-"))
    expect(permit).to_contain_text("valid now")
    look(parker.page, "parker-phone")
    validity = office.installation.ask("officer", "/v1/validity", plate=office.plate, zone=office.zone)
    assert validity.json()["answer"] == "valid"
    permit.get_by_text("Register a vehicle").click()
    permit.get_by_label("Plate, with its region").fill("ON NEW 123")
    permit.get_by_role("button", name="Register").click()
    expect(parker.page.get_by_role("status").first).to_have_text("The vehicle is registered.")
    parker.page.get_by_role("button", name="Make ON NEW123 active").click()
    expect(parker.page.get_by_role("status").first).to_contain_text("active from now on")
    look(parker.page, "parker-two-vehicles")


def test_a_refusal_is_said_where_the_form_stands(office: Office, visits: Visits) -> None:
    parker = office.parks(visits)
    buys(office, parker)
    kind = parker.page.get_by_role("article", name=f"Permit type {office.kind}")
    kind.get_by_text(f"Buy {office.kind}").click()
    kind.get_by_label("Plate, with its region").fill(office.plate)
    kind.get_by_role("button", name="Pay 240.00").click()
    expect(kind.get_by_role("alert")).to_contain_text(office.plate)
    look(parker.page, "parker-refused")
    words = parker.page.get_by_role("region", name="What the office holds in my words")
    words.get_by_text("Erase my words").click()
    words.get_by_role("button", name="Erase them for good").click()
    expect(words.get_by_role("alert")).to_contain_text("is not over")


def test_a_citation_is_appealed_and_decided_on_the_pages(office: Office, visits: Visits) -> None:
    citation = office.cite()
    parker = office.parks(visits)
    buys(office, parker)
    desk = visits("dispute")
    office.installation.tell("dispute", "/v1/appeals", citation=citation, level=1, statement="I had paid.")
    desk.open(f"/citations/{citation}")
    expect(desk.page.locator(".finding-title")).to_contain_text("UPHOLD: no right covered the plate")
    look(desk.page, "desk-decide")
    desk.page.get_by_role("radio", name="Reduce").check()
    desk.page.get_by_label("Reduced to").fill("20")
    desk.page.get_by_label("Reason, as the notice will say it").fill("First citation.")
    desk.page.get_by_role("button", name="Decide and give notice").click()
    expect(desk.page.get_by_role("status").first).to_contain_text("The decision is made")
    state = office.installation.ask("dispute", f"/v1/citations/{citation}").json()
    assert state["appeals"][0]["outcome"] == "reduced"
    assert state["payable"] == 2000
    desk.open("/desk")
    look(desk.page, "desk")


def test_who_missed_the_deadline_asks_the_office_which_hears_them(office: Office, visits: Visits) -> None:
    parker = office.parks(visits)
    buys(office, parker)
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    seen = {"plate": office.plate, "zone": office.zone, "code": "NO_PERMIT", "online": False, "at": long_ago}
    told = office.installation.tell("officer", "/v1/citations", **seen)
    office.installation.ask("dispute", "/v1/citations", at_least=told["position"])
    parker.open("/parker")
    article = parker.page.get_by_role("article", name=f"Citation {told['citation']}")
    expect(article.get_by_text("Appeal it")).to_have_count(0)
    article.get_by_text("Ask to appeal late").click()
    article.get_by_label("Why could it not be earlier?").fill("I was in hospital.")
    article.get_by_role("button", name="Ask the office").click()
    expect(parker.page.get_by_role("status").first).to_have_text("The request is filed.")
    expect(article).to_contain_text("late filing requested")
    desk = visits("dispute")
    desk.open(f"/citations/{told['citation']}")
    expect(desk.page.locator(".entries")).to_contain_text("I was in hospital.")
    acts = desk.page.get_by_role("region", name=re.compile("came late"))
    acts.get_by_role("radio", name="Hear it", exact=True).check()
    acts.get_by_label("Reason").fill("A good reason.")
    acts.get_by_role("button", name="Settle it").click()
    expect(desk.page.get_by_role("status").first).to_contain_text("It is settled")
    expect(desk.page.get_by_role("heading", name=re.compile("^Decide appeal"))).to_be_visible()


def test_a_hearing_is_set_by_the_clock_of_the_zone(office: Office, visits: Visits) -> None:
    citation = office.cite()
    office.installation.tell("dispute", "/v1/appeals", citation=citation, level=1)
    desk = visits("dispute")
    desk.open(f"/citations/{citation}")
    desk.page.get_by_text("Set a hearing").click()
    desk.page.get_by_label("Time of the hearing").fill("2031-07-20T14:00")
    desk.page.get_by_role("button", name="Set it").click()
    expect(desk.page.get_by_role("status").first).to_have_text("The hearing is noted.")
    acts = desk.page.get_by_role("region", name=re.compile("^Decide appeal"))
    expect(acts).to_contain_text("The hearing is set for 20 Jul 2031 14:00:00 \N{MINUS SIGN}04:00.")
    acts.get_by_text("Put the hearing off").click()
    acts.get_by_role("radio", name="It took place").check()
    acts.get_by_role("button", name="Note it").click()
    expect(desk.page.locator(".entries")).to_contain_text("Hearing held")


def test_who_has_no_permit_finds_pays_and_appeals_by_the_notice(office: Office, visits: Visits) -> None:
    citation = office.cite()
    parker = office.parks(visits)
    parker.open("/parker")
    parker.page.get_by_text("Find a citation by its notice").click()
    parker.page.get_by_label("Citation number").fill(citation)
    plate = parker.page.locator("#notice-plate")
    plate.fill("ON OTHER1")
    parker.page.get_by_role("button", name="Find it").click()
    expect(parker.page.get_by_role("alert")).to_contain_text("no such citation of that plate")
    plate.fill(office.plate.lower())
    parker.page.get_by_role("button", name="Find it").click()
    article = parker.page.get_by_role("article", name=f"Citation {citation}")
    expect(article).to_contain_text("30.00 settles it until")
    article.get_by_text("Appeal it").click()
    article.get_by_label("What should the office know?").fill("The sign was covered.")
    article.get_by_role("button", name="File the appeal").click()
    expect(parker.page.get_by_role("status").first).to_have_text("The appeal is filed.")
    expect(article).to_contain_text("level 1: filed")
    article.get_by_role("button", name="Pay 30.00 now").click()
    expect(parker.page.get_by_role("status").first).to_contain_text("counts from this moment")
    expect(article).to_contain_text("Nothing is to be paid.")
    look(parker.page, "parker-in-hand")


def test_a_permit_is_renewed_only_by_who_sees_the_price_first(office: Office, visits: Visits) -> None:
    parker = office.parks(visits)
    buys(office, parker)
    permit = parker.page.get_by_role("article", name=re.compile("^Permit T-"))
    expect(permit.get_by_role("button", name="Pay 240.00")).to_be_hidden()
    permit.get_by_text("Renew", exact=True).click()
    expect(permit).to_contain_text("120 days more, from")
    permit.get_by_role("button", name="Pay 240.00").click()
    expect(parker.page.get_by_role("status").first).to_have_text("The permit is renewed and paid.")


def test_a_parker_pays_and_appeals_without_scripts(office: Office, visits: Visits) -> None:
    parker = office.parks(visits, java_script_enabled=False)
    buys(office, parker)
    now = datetime.now(UTC).isoformat()
    seen = {"plate": office.plate, "zone": office.zone, "code": "NO_PERMIT", "online": False, "at": now}
    told = office.installation.tell("officer", "/v1/citations", **seen)
    office.installation.ask("dispute", "/v1/citations", at_least=told["position"])  # the page does not wait
    citation = told["citation"]
    parker.open("/parker")
    article = parker.page.get_by_role("article", name=f"Citation {citation}")
    expect(article).to_contain_text("30.00 settles it until")
    look(parker.page, "parker-citation")
    article.get_by_text("Appeal it").click()
    article.get_by_label("What should the office know?").fill("My permit was valid.")
    article.get_by_role("button", name="File the appeal").click()
    expect(parker.page.get_by_role("status").first).to_have_text("The appeal is filed.")
    article.get_by_role("button", name="Withdraw the appeal").click()
    article.get_by_role("button", name="Pay 30.00 now").click()
    expect(parker.page.get_by_role("status").first).to_contain_text("counts from this moment")
    expect(article).to_contain_text("Nothing is to be paid.")


def test_who_signs_out_is_out(office: Office, visits: Visits) -> None:
    parker = office.parks(visits)
    parker.open("/parker")
    parker.page.get_by_role("button", name="Sign out").click()
    expect(parker.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_hit_appears_on_securitys_page_by_itself(office: Office, visits: Visits) -> None:
    security = visits("security")
    security.open("/security")
    security.page.get_by_text("Look for a plate").click()
    security.page.get_by_label("Plate, with its region").first.fill(office.plate)
    security.page.get_by_label("Reason, as whoever reads it sees it").fill("stolen, call dispatch")
    security.page.get_by_role("button", name="Alert whoever reads it").click()
    expect(security.page.get_by_role("status").first).to_contain_text("is alerted")
    expect(security.page.locator("#live")).to_have_text("Live")
    read = {"plate": office.plate, "zone": office.zone, "read": f"H-{office.zone}", "device": "H3"}
    alerts = office.installation.tell("officer", "/v1/plate-reads", **read)["alerts"]
    assert alerts
    hit = security.page.locator("[data-hit]", has_text=office.zone)
    expect(hit).to_contain_text("stolen, call dispatch", timeout=30_000)
    security.page.get_by_text("Open an incident").click()
    security.page.get_by_label("What happened").fill(f"Stolen vehicle found in {office.zone}.")
    security.page.get_by_role("button", name="Open it").click()
    security.page.get_by_role("link", name=f"Stolen vehicle found in {office.zone}.").click()
    security.page.get_by_label("Note").fill("Police are on the way.")
    security.page.get_by_role("button", name="Add the note").click()
    expect(security.page.locator("ol.entries")).to_contain_text("Police are on the way.")
    look(security.page, "incident")
    security.open("/security")
    look(security.page, "security")


def test_an_auditor_finds_an_entry_and_its_proof(office: Office, visits: Visits) -> None:
    auditor = visits("auditor")
    auditor.open("/audit")
    auditor.page.get_by_label("Tag").fill(f"zone:{office.zone}")
    auditor.page.get_by_role("button", name="Show").click()
    expect(auditor.page.locator("tbody tr")).not_to_have_count(0)
    look(auditor.page, "audit")
    auditor.page.get_by_role("link", name=re.compile("and its proof")).first.click()
    expect(auditor.page.locator("[data-proof='holds']")).to_be_visible(timeout=30_000)
    look(auditor.page, "entry")
    with auditor.page.expect_download() as download:
        auditor.page.get_by_role("link", name="Proof as JSON").click()
    assert download.value.suggested_filename.startswith("proof-")


def test_a_form_from_another_site_is_refused(office: Office, installation: Installation) -> None:
    token = installation.token("parker", office.parker)
    answer = installation.post(
        "/tell/join-waitlist",
        {"key": "7e9f7c9e-6f8c-4d59-9d55-6a5b4a1b0a11", "permit_type": office.kind},
        {"origin": "https://elsewhere.example", "cookie": f"parkledger_token={token}"},
    )
    assert answer.status_code == 403
