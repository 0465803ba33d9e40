"""A citation, its timeline and its finding, over HTTP and at every `known`."""

import pytest

from tests.read_api.late_payment import CITATION, PLATE
from tests.read_api.office import Office

BEFORE_POSTING = "2026-03-05T14:31:03Z"
AFTER_POSTING = "2026-03-05T14:31:04Z"


def of_citation(office: Office, what: str = "", role: str = "dispute", **query: object) -> dict[str, object]:
    answer = office.get(f"/v1/citations/{CITATION}{what}", role, **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_the_finding_changes_when_the_payment_posts(late_payment: Office) -> None:
    before = of_citation(late_payment, "/finding", known=BEFORE_POSTING)
    assert (before["disposition"], before["reason"]) == ("UPHELD", "NO_RIGHT_AT_OBSERVATION")
    after = of_citation(late_payment, "/finding", known=AFTER_POSTING)
    assert (after["disposition"], after["reason"]) == ("DISMISSED", "VALID_RIGHT_AT_OBSERVATION")
    assert after["cause"] == {"kind": "POSTING_LAG", "seconds": 1733}
    assert after["officer_erred"] is False


def test_the_discount_settles_it_inside_its_window(late_payment: Office) -> None:
    state = of_citation(late_payment, at="2026-03-05T16:00:00Z")
    assert (state["balance"], state["payable"], state["stage"]) == (6000, 3000, "open")
    later = of_citation(late_payment, at="2026-03-20T16:00:00Z", known=AFTER_POSTING)
    assert (later["balance"], later["payable"]) == (6000, 6000)


def test_an_appeal_in_time_holds_the_discount(late_payment: Office) -> None:
    held = of_citation(late_payment, at="2026-03-20T16:00:00Z")
    assert held["payable"] == 3000


def test_a_citation_that_was_not_known_yet_is_not_there(late_payment: Office) -> None:
    answer = late_payment.get(f"/v1/citations/{CITATION}", "dispute", known="2026-03-05T14:00:00Z")
    assert (answer.status_code, answer.json()["rule"]) == (404, "NoSuchCitation")


def test_the_timeline_tells_both_clocks_and_what_the_screen_showed(late_payment: Office) -> None:
    told = of_citation(late_payment, "/timeline")
    entries = told["entries"]
    assert isinstance(entries, list)
    assert [entry["type"] for entry in entries] == [
        "PlateRead",
        "PaymentAuthorised",
        "PermitPurchased",
        "PlateRead",
        "CitationIssued",
        "AppealFiled",
        "PaymentCaptured",
    ]
    read = entries[3]
    assert read["shown"]["answer"] == "no_right"
    assert (read["known_then"]["answer"], read["known_now"]["answer"]) == ("no_right", "valid")
    payment = entries[1]
    assert (payment["at"], payment["recorded"]) == ("2026-03-05T14:02:11Z", "2026-03-05T14:31:04Z")


def test_the_timeline_ends_at_what_is_known(late_payment: Office) -> None:
    told = of_citation(late_payment, "/timeline", known=BEFORE_POSTING)
    entries = told["entries"]
    assert isinstance(entries, list)
    assert [entry["type"] for entry in entries] == ["PlateRead", "PlateRead", "CitationIssued"]


@pytest.mark.parametrize(
    ("role", "status"), [("dispute", 200), ("auditor", 200), ("officer", 403), (None, 401)]
)
def test_who_may_read_a_timeline(late_payment: Office, role: str | None, status: int) -> None:
    assert late_payment.get(f"/v1/citations/{CITATION}/timeline", role).status_code == status


def test_a_strangers_citation_is_not_shown_to_a_parker(late_payment: Office) -> None:
    stranger = late_payment.headers("parker", "pat", "A-2")
    for what in ("", "/timeline"):
        answer = late_payment.get(f"/v1/citations/{CITATION}{what}", None, headers=stranger)
        assert answer.status_code == 403


def test_the_page_shows_what_was_known_at_each_step(late_payment: Office) -> None:
    page = late_payment.get(f"/citations/{CITATION}", "dispute").text
    assert 'data-disposition="DISMISSED"' in page
    assert "DISMISS: permit T-1001 was paid at 9:02:11 and posted at 9:31:04" in page
    assert PLATE.partition(" ")[2] in page
    earlier = late_payment.get(f"/citations/{CITATION}", "dispute", known=5).text
    assert 'data-disposition="UPHELD"' in earlier
    assert earlier.count("not known yet</span>") == 4
