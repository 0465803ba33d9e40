"""Security's view over HTTP: hits with what explains them, incidents with all that they link."""

from datetime import UTC, datetime, timedelta

from events.reads import PlateRead
from events.security import (
    IncidentAmended,
    IncidentClosed,
    IncidentLinked,
    IncidentOpened,
    WatchlistEntryAdded,
    WatchlistHit,
)
from events.vocabulary import Plate
from tests.read_api.office import Office

NOW = datetime.now(UTC) - timedelta(hours=1)
PLATE = Plate("ON CKTR482")


def test_a_hit_says_where_and_by_which_list(office: Office) -> None:
    office.report(
        WatchlistEntryAdded(at=NOW, entry="W-1", plate=PLATE, reason="stolen"),
        PlateRead(at=NOW, read="R-1", plate=PLATE, zone="F", device="H3", online=False, list_version=7),
        WatchlistHit(at=NOW, entry="W-1", read="R-1", plate=PLATE, stale=True),
    )
    (hit,) = office.get("/v1/watchlist", "security").json()["hits"]
    assert (hit["entry"], hit["zone"], hit["device"], hit["list_version"], hit["stale"]) == (
        "W-1",
        "F",
        "H3",
        7,
        True,
    )
    before = (NOW - timedelta(minutes=1)).isoformat()
    assert office.get("/v1/watchlist", "security", at=before).json()["hits"] == []


def test_a_vehicle_may_stand_among_the_links_of_an_incident(office: Office) -> None:
    links = ("plate:on b-2", "ON C3", "Lot 4", "plate:", "permit:ON D4")
    office.report(IncidentOpened(at=NOW, incident="I-1", links=links))
    found = office.get("/v1/incidents", "security", plate="ON B2").json()["incidents"]
    assert [one["plates"] for one in found] == [["ON B2", "ON C3"]]


def test_an_incident_links_vehicles_people_and_places(office: Office) -> None:
    office.report(IncidentOpened(at=NOW, incident="I-1", summary="Window broken.", place="Garage 2"))
    office.report(IncidentLinked(at=NOW, incident="I-1", plate=PLATE, links=("citation:PV-1",)))
    office.report(IncidentClosed(at=NOW, incident="I-1"))
    office.report(IncidentAmended(at=NOW, incident="I-1", account="A-1", summary="It was another window."))
    found = office.get("/v1/incidents/I-1", "security").json()
    assert (found["open"], found["summary"], found["plates"]) == (False, "Window broken.", [PLATE])
    assert (found["places"], found["accounts"], found["links"]) == (["Garage 2"], ["A-1"], ["citation:PV-1"])
    assert [entry["type"] for entry in found["entries"]][-1] == "IncidentAmended"
    assert [
        one["incident"] for one in office.get("/v1/incidents", "security", plate=PLATE).json()["incidents"]
    ]
    assert office.get("/v1/incidents", "security", closed="false").json()["incidents"] == []
    assert office.get("/v1/incidents/I-1", "security", known=1).json()["open"] is True
    assert office.get("/v1/incidents/none", "security").json()["rule"] == "NoSuchIncident"
