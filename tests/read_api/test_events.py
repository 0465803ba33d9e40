"""The auditor's history."""

import csv
import io
import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from events.security import WatchlistEntryAdded
from events.vocabulary import Plate
from events.zones import ZoneClosed, ZoneOpened
from tests.read_api.office import Office

NOW = datetime(2026, 3, 5, 14, tzinfo=UTC)


def zone(name: str, title: str = "Lot") -> ZoneOpened:
    return ZoneOpened(at=NOW, zone=name, name=title, timezone="UTC")


def positions(office: Office, **query: object) -> list[int]:
    answer = office.get("/v1/events", "auditor", **query)
    assert answer.status_code == 200, answer.text
    return [event["position"] for event in answer.json()["events"]]


@pytest.fixture
def told(office: Office) -> Office:
    """Four events: zones F and G opened by one actor, H by another, F closed."""
    office.report(zone("F"), zone("G"), actor="ana", catch_up=False)
    office.report(zone("H"), actor="ben", catch_up=False)
    office.report(ZoneClosed(at=NOW, zone="F"), actor="ana", catch_up=False)
    return office


def test_an_entry_has_its_whole_envelope(told: Office) -> None:
    first = told.get("/v1/events", "auditor", limit=1).json()["events"][0]
    assert first["type"] == "ZoneOpened"
    assert first["tags"] == ["zone:F"]
    assert first["data"] == {"zone": "F", "name": "Lot", "timezone": "UTC"}
    assert (first["actor"], first["version"]) == ("ana", 1)


def test_history_is_selected_by_tag_type_and_actor(told: Office) -> None:
    assert positions(told, tag="zone:F") == [1, 4]
    assert positions(told, type_="ZoneClosed") == [4]
    assert positions(told, tag="zone:F", type_="ZoneOpened") == [1]
    assert positions(told, actor="ben") == [3]
    assert positions(told, actor="ana", type_="ZoneOpened") == [1, 2]
    assert positions(told, actor="ana", tag="zone:F") == [1, 4]
    assert positions(told, actor="ana", limit=1, cursor=1) == [2]
    assert positions(told, actor="nobody") == []


def test_history_is_selected_by_when_it_was_recorded(told: Office) -> None:
    third = told.get("/v1/events", "auditor", actor="ben").json()["events"][0]["recorded"]
    assert positions(told, from_=third)[0] == 3
    assert 3 not in positions(told, to=third)


def test_a_cursor_goes_through_all_of_it_once(told: Office) -> None:
    seen: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        answer = told.get("/v1/events", "auditor", limit=3, cursor=cursor).json()
        seen += [event["position"] for event in answer["events"]]
        cursor = answer["cursor"]
    assert seen == [1, 2, 3, 4, 5]  # the last one says that somebody looked


def test_history_ends_at_what_was_known(told: Office) -> None:
    assert positions(told, known=2) == [1, 2]


def test_json_lines_hold_all_of_it(told: Office) -> None:
    answer = told.get("/v1/events", "auditor", headers={"accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["position"] for line in lines] == [1, 2, 3, 4]


@pytest.mark.parametrize("shape", ["jsonl", "csv"])
def test_a_limit_holds_for_every_format(told: Office, shape: str) -> None:
    answer = told.get("/v1/events", "auditor", format=shape, limit=2, cursor=1)
    assert len(answer.text.splitlines()) == 2 + (shape == "csv")


def test_a_plate_may_be_written_in_any_way(told: Office) -> None:
    entry = WatchlistEntryAdded(at=NOW, entry="W-1", plate=Plate("ON CKTR482"), reason="stolen")
    told.report(entry, catch_up=False)
    assert positions(told, tag="plate:on cktr-482", type="WatchlistEntryAdded") == [5]


def test_what_ends_before_it_begins_is_named_and_an_end_is_no_ignorance(told: Office) -> None:
    late, early = "2026-03-05T00:00:00Z", "2026-03-04T00:00:00Z"
    answer = told.get("/v1/events", "auditor", from_=late, to=early)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "to")
    answer = told.get("/v1/events", "auditor", to=early).json()
    assert (answer["events"], answer["as_of"]["position"]) == ([], 4)


def test_csv_has_a_heading_and_a_row_an_event(told: Office) -> None:
    answer = told.get("/v1/events", "auditor", format="csv", tag="zone:F")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["position"] for row in rows] == ["1", "4"]
    assert json.loads(rows[0]["data"])["zone"] == "F"
    assert rows[0]["recorded"].endswith("Z")


def test_no_cell_is_a_formula(office: Office) -> None:
    office.report(zone("F"), actor="=HYPERLINK()", catch_up=False)
    (row,) = csv.DictReader(io.StringIO(office.get("/v1/events", "auditor", format="csv").text))
    assert row["actor"] == "'=HYPERLINK()"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"tag": "F"}, "tag"),
        ({"type_": "ZoneOpend"}, "type"),
        ({"limit": 0}, "limit"),
        ({"cursor": -1}, "cursor"),
        ({"from_": "2026-03-05"}, "from"),
        ({"format": "xml"}, "format"),
        ({"tag": "plate:CKTR482"}, "tag"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    office: Office, query: dict[str, object], field: str
) -> None:
    answer = office.get("/v1/events", "auditor", **query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_the_whole_selection_comes_as_parquet(told: Office) -> None:
    answer = told.get("/v1/events", "auditor", format="parquet", type="ZoneOpened")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.column("position").to_pylist() == [1, 2, 3]
    assert json.loads(table.column("data").to_pylist()[0])["zone"] == "F"
    assert str(table.schema.field("recorded").type) == "timestamp[us, tz=UTC]"


def test_reading_history_is_recorded_once_for_all_its_pages(told: Office) -> None:
    for cursor in (0, 1, 2):
        told.get("/v1/events", "auditor", tag="plate:ON A1", cursor=cursor, headers={"purpose": "audit"})
    noted = [
        event["data"]
        for event in told.get("/v1/events", "auditor", type="RecordAccessed").json()["events"]
        if event["data"].get("plate") == "ON A1"
    ]
    assert [(one["query"], one["purpose"]) for one in noted] == [("history of tag=plate:ON A1", "audit")]


def test_history_waits_for_no_position_that_does_not_exist(told: Office) -> None:
    answer = told.get("/v1/events", "auditor", at_least=10_000)
    assert (answer.status_code, answer.json()["behind"]) == (503, 9_996)
