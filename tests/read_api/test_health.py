"""How the door and the read models are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from events.zones import ZoneOpened
from projections.registry import PROJECTIONS
from projections.runner import Runner
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
