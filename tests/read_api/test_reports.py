"""Reports over HTTP: figures with their meaning, at any `known`, in three formats, down to each citation."""

import csv
import io
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest

from event_store.log import Log
from events.appeals import AppealDecided, AppealFiled, AppealReinstated
from events.citations import CitationVoided
from events.payments import PaymentDishonoured, PaymentReceived
from events.permits import PermitPurchased
from events.reads import PlateRead
from events.sessions import SessionStarted
from events.zones import ZoneOpened
from operations.settings import Settings
from tests.commands.cases import CAR, cents, cited, t
from tests.read_api.office import Office, opened

MARCH = {"from_": "2026-03-01", "to": "2026-04-01"}
NORTH = ZoneOpened(at=t("2026-01-01"), zone="F", name="F", timezone="America/Toronto", lot="North")
FINE = {"fine": cents(6000)}


@pytest.fixture
def office(dsn: str, log: Log, settings: Settings) -> Iterator[Office]:
    """An office with four citations: one paid, one unpaid, one voided, one whose cheque came back."""
    with opened(dsn, log, settings) as office:
        office.report(
            NORTH,
            cited("2026-03-05", "C-1", **FINE),
            cited("2026-03-06", "C-2", zone="G", **FINE),
            cited("2026-03-07", "C-3", **FINE),
            cited("2026-03-08", "C-4", **FINE),
            catch_up=False,
        )
        office.report(
            PaymentReceived(at=t("2026-04-09"), payment="P-1", amount=cents(6000), citation="C-1"),
            PaymentReceived(at=t("2026-04-09"), payment="P-4", amount=cents(6000), citation="C-4"),
            catch_up=False,
        )
        office.report(
            CitationVoided(at=t("2026-04-10"), citation="C-3", reason="error"),
            PaymentDishonoured(at=t("2026-04-11"), payment="P-4"),
            catch_up=False,
        )
        yield office


def test_every_report_says_what_it_means(office: Office) -> None:
    found = office.get("/v1/reports", "director").json()["reports"]
    assert {"collection_by_value", "compliance", "findings_by_cause"} <= {one["report"] for one in found}
    assert all(one["formula"] and one["denominator"] and one["cohort"] and one["unit"] for one in found)


def test_a_figure_comes_with_numerator_denominator_and_position(office: Office) -> None:
    found = office.get("/v1/reports/collection_by_value", "director", **MARCH).json()
    assert found["rows"] == [{"part": "all", "numerator": 6000, "denominator": 18000, "value": 0.3333}]
    assert found["formula"].startswith("payments / (payments + still due)")
    assert found["as_of"]["position"] == office.log.head()


def test_a_restated_figure_is_explained_by_what_was_known(office: Office) -> None:
    def at(known: int) -> float:
        return office.get("/v1/reports/collection_by_count", "director", **MARCH, known=known).json()["rows"][
            0
        ]["value"]

    assert [at(known) for known in (5, 7, 8, 9)] == [0, 0.5, 0.6667, 0.3333]


def test_a_figure_is_parted_and_narrowed(office: Office) -> None:
    found = office.get("/v1/reports/violations", "director", **MARCH, by="lot").json()
    assert [(row["part"], row["value"]) for row in found["rows"]] == [("North", 2), ("G", 1)]
    narrowed = office.get("/v1/reports/violations", "director", **MARCH, lot="North").json()
    assert (narrowed["rows"][0]["value"], narrowed["only"]) == (2, {"lot": "North"})


def test_an_empty_period_says_so_and_divides_nothing(office: Office) -> None:
    for name in ("collection_by_count", "collection_by_value", "overturn_rate", "compliance", "revenue"):
        found = office.get(f"/v1/reports/{name}", "director", from_="2020-01-01", to="2020-02-01").json()
        assert found["empty"] is True
        assert all(row["value"] is None for row in found["rows"])


def test_a_figure_leads_to_its_citations(office: Office) -> None:
    found = office.get("/v1/reports/violations/basis", "director", **MARCH, by="lot", part="North").json()
    assert [row["citation"] for row in found["rows"]] == ["C-4", "C-1"]
    assert found["total"] == 2
    voided = office.get("/v1/reports/violations/basis", "director", **MARCH, standing="voided").json()
    assert [row["citation"] for row in voided["rows"]] == ["C-3"]
    unpaid = office.get("/v1/reports/violations/basis", "director", **MARCH, standing="unpaid").json()
    assert [row["citation"] for row in unpaid["rows"]] == ["C-4", "C-2"]
    assert "plate" not in found["rows"][0]


def decide(office: Office) -> None:
    """Have C-2 decided, remanded, and decided again without a word."""
    filed = {"appeal": "A-2", "citation": "C-2"}
    office.report(
        AppealFiled(at=t("2026-03-10"), **filed),
        AppealDecided(at=t("2026-03-12"), outcome="dismissed", reason="receipt shown", **filed),
        AppealReinstated(at=t("2026-03-14"), **filed),
        AppealDecided(at=t("2026-03-16"), outcome="upheld", **filed),
        catch_up=False,
    )


def test_an_outcome_is_counted_with_the_reason_of_the_decision_that_stands(office: Office) -> None:
    decide(office)
    found = office.get("/v1/reports/appeals_by_reason", "director", **MARCH).json()
    assert [(row["part"], row["numerator"]) for row in found["rows"]] == [("upheld: no reason given", 1)]
    behind = [
        office.get("/v1/reports/appeals_by_reason/basis", "director", **MARCH, part=part).json()["total"]
        for part in ("upheld: no reason given", "upheld: receipt shown")
    ]
    assert behind == [1, 0]


def test_a_cause_leads_to_the_citations_that_were_wrong_by_it(office: Office) -> None:
    read = PlateRead(at=t("2026-03-20 09:00"), read="r1", plate=CAR, zone="F", device="H3")
    session = SessionStarted(
        at=t("2026-03-20 08:00"), session="S-1", plate=CAR, zone="F", start=t("2026-03-20 08:00"),
        until=t("2026-03-20 10:00"),
    )  # fmt: skip
    office.report(session, read, cited("2026-03-20 09:01", "C-9", basis=("r1",), **FINE), catch_up=False)
    rows = office.get("/v1/reports/findings_by_cause", "director", **MARCH).json()["rows"]
    behind = office.get("/v1/reports/findings_by_cause/basis", "director", **MARCH).json()
    assert sum(row["value"] for row in rows) == behind["total"] == 1
    assert [row["citation"] for row in behind["rows"]] == ["C-9"]
    other = office.get("/v1/reports/findings_by_cause/basis", "director", **MARCH, part="CLOCK_OFFSET")
    assert other.json()["total"] == 0


def test_the_director_sees_each_figure_narrowed_by_what_it_knows(office: Office) -> None:
    assert office.get("/director", "director", **MARCH, officer="riley").status_code == 200


def test_revenue_leads_to_its_permits(office: Office) -> None:
    begin = t("2026-03-01")
    office.report(
        PermitPurchased(
            at=begin, permit="T-1", permit_type="commuter", zones=("F",), valid_from=begin,
            valid_until=t("2026-04-01"), payment="P-T",
        ),
        PaymentReceived(at=begin, payment="P-T", amount=cents(3100), permit="T-1"),
        catch_up=False,
    )  # fmt: skip
    narrowed = office.get("/v1/reports/revenue", "director", **MARCH, type="commuter", by="month").json()
    assert [(row["part"], row["value"]) for row in narrowed["rows"]] == [("2026-03", 3100)]
    half = office.get(
        "/v1/reports/revenue_recognised", "director", from_="2026-03-01", to="2026-03-11"
    ).json()
    assert half["rows"][0]["value"] == 969  # 3100 x 10 of the 32 days in UTC that the term touches
    found = office.get("/v1/reports/revenue/basis", "director", **MARCH).json()
    assert [(row["permit"], row["kept"]) for row in found["rows"]] == [("T-1", 3100)]


def test_a_report_can_be_taken_away_as_csv_or_parquet(office: Office) -> None:
    text = office.get("/v1/reports/violations", "analyst", **MARCH, by="lot", format="csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["part"], row["value"], row["position"]) for row in rows] == [
        ("North", "2", "9"),
        ("G", "1", "9"),
    ]
    content = office.get("/v1/reports/violations", "analyst", **MARCH, by="lot", format="parquet").content
    table = pq.read_table(io.BytesIO(content))
    assert table["value"].to_pylist() == [2, 1]
    assert table.schema.metadata[b"formula"] == b"citations issued that were not voided"


@pytest.mark.parametrize(
    ("path", "query", "status", "says"),
    [
        ("collection_by_valu", {}, 404, "Did you mean collection_by_value?"),
        ("violations", {"from_": "yesterday"}, 422, "from is refused: is a date such as 2026-09-01"),
        ("violations", {"from_": "2026-03-02", "to": "2026-03-01"}, 422, "to is refused: is not after from"),
        ("violations", {"by": "moon"}, 422, "can be parted by zone, lot"),
        ("violations", {"known": "soon"}, 422, "known is refused"),
        ("violations", {"known": "-1"}, 422, "known is refused"),
        ("violations", {"known": "1.5"}, 422, "known is refused"),
        (
            "revenue",
            {"officer": "riley"},
            422,
            "officer is refused: revenue can be narrowed down to zone, type",
        ),
        ("occupancy", {"type": "NO_PERMIT"}, 422, "occupancy can be narrowed down to zone, lot"),
        ("occupancy/basis", {}, 422, "occupancy is made of reads and sessions"),
        ("violations", {"at_least": 99}, 503, "The log is at position 9, 90 behind 99."),
    ],
)
def test_what_cannot_be_answered_is_named(
    office: Office, path: str, query: dict[str, object], status: int, says: str
) -> None:
    answer = office.get(f"/v1/reports/{path}", "director", **query)
    assert answer.status_code == status
    assert says in answer.json()["detail"]


def test_hostile_words_are_values_and_nothing_else(office: Office) -> None:
    for hostile in ("'; drop table plan; --", "x' or '1'='1", "\\", "$$"):
        found = office.get("/v1/reports/violations", "director", zone=hostile).json()
        assert found["rows"] == []
        assert (
            office.get("/v1/reports/violations/basis", "director", by="lot", part=hostile).json()["total"]
            == 0
        )
    assert office.get("/v1/reports/violations", "director", **MARCH).json()["rows"][0]["value"] == 3


def test_parkers_and_officers_have_no_reports(office: Office) -> None:
    for role in ("parker", "officer", "device"):
        assert office.get("/v1/reports/violations", role).status_code == 403
