"""How the door and the read models are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from event_store import streams
from events.zones import ZoneOpened
from projections.connection import connect
from projections.patrol import Patrol
from projections.registry import PROJECTIONS
from projections.runner import Runner
from replay.rebuild import Rebuild
from replay.watching import Watch
from tests.read_api.office import Office

ZONE = ZoneOpened(at=datetime(2026, 3, 5, tzinfo=UTC), zone="F", name="F", timezone="UTC")


@contextmanager
def projector(office: Office) -> Iterator[None]:
    """Run the projections meanwhile."""
    runner = Runner(office.dsn, PROJECTIONS)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield
    finally:
        runner.stop()
        thread.join()


def test_the_process_is_alive_whatever_the_models_do(office: Office) -> None:
    assert office.get("/healthz", None).json() == {"status": "alive"}


def test_ready_tells_how_far_behind_the_models_are(office: Office) -> None:
    with projector(office):
        position = office.report(ZONE, catch_up=False).position
        office.get("/v1/projections", "admin", at_least=position)
        ready = office.get("/readyz", None)
    assert ready.status_code == 200, ready.text
    assert (ready.json()["head"], ready.json()["behind"]) == (1, 0)
    assert ready.json()["alive_seconds"] < 5


def test_every_model_tells_its_state(office: Office) -> None:
    with projector(office):
        position = office.report(ZONE, catch_up=False).position
        answer = office.get("/v1/projections", "admin", at_least=position).json()
    assert {model["name"] for model in answer["models"]} == {model.name for model in PROJECTIONS}
    assert {model["state"] for model in answer["models"]} == {"running"}
    assert answer["as_of"]["position"] == 1
    assert answer["parked"] == []


def test_metrics_count_answers_and_tell_the_lag(office: Office) -> None:
    office.get("/v1/zones", "admin")
    office.report(ZONE, catch_up=False)
    text = office.get("/metrics", None).text
    assert 'parkledger_read_answers_total{route="/v1/zones",status="200"} 1.0' in text
    assert 'parkledger_model_behind{model="validity",version="1"} 1.0' in text


def test_proofs_against_drift_are_told(office: Office) -> None:
    office.report(ZONE)
    assert office.get("/readyz", None).json()["proved_at"] is None
    with connect(office.dsn) as connection:
        connection.execute("UPDATE views.zones_1 SET name = 'G'")
        Patrol(office.dsn, PROJECTIONS, share=1.0).round(connection)
    ready = office.get("/readyz", None).json()
    assert (ready["drifted"], ready["proved_at"] is None) == (1, False)
    answer = office.get("/v1/projections", "admin").json()
    (row,) = answer["drifted"]
    assert (row["key"], row["type"], row["live"]["name"], row["wanted"]["name"]) == (
        "zone:F",
        "ZoneOpened",
        "G",
        "F",
    )
    (zones,) = [model for model in answer["models"] if model["name"] == "zones"]
    assert (zones["proof"]["rounds"], zones["proof"]["round_found"]) == (1, 1)
    page = office.get("/operator", "admin").text
    assert "name: G → F" in page


def test_a_rebuild_on_its_way_is_told(office: Office) -> None:
    office.report(ZONE)
    seen: list[dict[str, Any]] = []

    def tell(step: str, *_: object) -> None:
        if step == "indexing":
            seen.extend(office.get("/v1/projections", "admin").json()["rebuilds"])
            assert "zones/1.2" in office.get("/operator", "admin").text

    (zones,) = [model for model in PROJECTIONS if model.name == "zones"]
    Rebuild(office.dsn, (zones,), watch=Watch(tell)).run()
    assert [(one["model"], one["build"], one["folded"], one["upto"]) for one in seen] == [("zones", 2, 1, 1)]
    assert office.get("/v1/projections", "admin").json()["rebuilds"] == []


def test_parked_keys_are_tried_again_by_an_administrator_only(office: Office) -> None:
    office.report(ZONE)
    with connect(office.dsn) as connection:
        connection.execute(
            "INSERT INTO views.parked (name, version, key, position, type, error)"
            " VALUES ('zones', 1, 'zone:F', 1, 'ZoneOpened', 'none')"
        )
    assert "hx-post" in office.get("/operator", "admin").text
    assert "hx-post" not in office.get("/operator", "auditor").text
    assert office.post("/v1/projections/zones/retry", "auditor").status_code == 403
    missing = office.post("/v1/projections/zone/retry", "admin")
    assert (missing.status_code, "Did you mean zones?" in missing.json()["detail"]) == (404, True)
    done = office.post("/v1/projections/zones/retry", "admin")
    assert (done.status_code, done.json()) == (202, {"keys": ["zone:F"]})


def test_programs_between_log_and_kafka_tell_how_much_waits_and_why(office: Office) -> None:
    office.report(ZONE, catch_up=False)
    with psycopg.connect(office.dsn, autocommit=True) as connection:
        streams.ensure(connection)
        streams.report(connection, "relay", "parkledger", 0, "No Kafka broker answers at kafka:9092.")
        streams.report(connection, "ingest", "parkledger here 7", 12, None)
    with projector(office):
        office.get("/v1/projections", "admin", at_least=1)
        ready = office.get("/readyz", None).json()
        metrics = office.get("/metrics", None).text
    assert [(one["service"], one["waiting"], one["trouble"]) for one in ready["streams"]] == [
        ("ingest", 12, None),
        ("relay", 1, "No Kafka broker answers at kafka:9092."),
    ]
    assert 'parkledger_stream_waiting{name="parkledger here 7",service="ingest"} 12.0' in metrics
