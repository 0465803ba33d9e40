"""The simulated town lives over real HTTP, and its story of the late payment waits for the dispute desk."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from event_store.postgres import PostgresLog
from events.boundary import on
from events.citations import CitationIssued
from events.payments import PaymentAuthorised
from events.permits import PermitPurchased
from events.reads import PlateRead
from events.security import WatchlistEntryAdded
from operations.identity import Role
from operations.keys import authenticator, mint
from operations.settings import Settings
from projections.lookups import Lookups
from projections.registry import PROJECTIONS
from projections.runner import Runner
from read_api.app import create_app as create_read_app
from replay.town import run_town
from replay.town.door import Door, Person, step
from replay.town.people import people_of
from write_api.app import create_app as create_write_app

CLERK = Person("dispute", "clerk")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def projecting(dsn: str) -> Iterator[None]:
    runner = Runner(dsn, PROJECTIONS)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        yield
    finally:
        runner.stop()
        thread.join()


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    return Settings(dsn=dsn, data=tmp_path)


@pytest.fixture
def token_for(settings: Settings) -> Callable[..., str]:
    return lambda role, subject=None, account=None: mint(settings, Role(role), subject, account)


@pytest.fixture
def doors(settings: Settings, dsn: str, log: PostgresLog) -> Iterator[tuple[str, str]]:
    """The addresses of a write and a read API, with a projector behind them."""
    with closing(Lookups(dsn)) as lookups, projecting(dsn):
        ways_in = create_write_app(log, lookups, authenticator(settings), settings)
        questions = create_read_app(log, lookups, authenticator(settings), settings)
        with served(ways_in) as write_url, served(questions) as read_url:
            yield write_url, read_url


def test_a_day_in_the_town(doors: tuple[str, str], token_for: Callable[..., str], log: PostgresLog) -> None:
    write_url, read_url = doors
    run_town(write_url, read_url, token_for, seconds_per_day=1.0, seed=7, days=1)
    permits = log.read(on(PermitPurchased)).entries
    assert len(permits) > 5
    assert len(log.read(on(PaymentAuthorised)).entries) >= len(permits)
    assert len(log.read(on(PlateRead)).entries) > 100
    assert len(log.read(on(WatchlistEntryAdded)).entries) == 1
    assert all(entry.event.shown is not None for entry in log.read(on(PlateRead)).entries)

    (late,) = [e.event for e in permits if (e.event.account or "").startswith("late-")]
    (cited,) = log.read(on(CitationIssued, plate=late.plates[0])).entries
    with closing(Door(read_url, token_for)) as read:
        found = read.get(CLERK, step("citations", cited.event.citation, "finding")).body
    assert found["disposition"] == "DISMISSED"
    assert found["cause"]["kind"] == "POSTING_LAG"
    assert found["officer_erred"] is False


def test_the_same_seed_makes_the_same_people() -> None:
    assert people_of(7).drivers == people_of(7).drivers
    assert people_of(7).drivers != people_of(8).drivers
    assert [people_of(7).visitor() for _ in range(2)] == [people_of(7).visitor() for _ in range(2)]


def test_a_door_that_nobody_opens_is_tried_and_then_left(
    token_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.town.door.PATIENCE", 0.2)
    with closing(Door("http://127.0.0.1:9", token_for)) as door:
        assert door.post(CLERK, "/v1/appeals", {}).ok is False
