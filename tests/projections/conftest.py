"""Read models on a real log, and what several tests ask of them."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from event_store.log import Log
from projections.connection import connect
from projections.projection import Projection
from projections.refold import Drift, drift, standing_rows
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.table import Row


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.02)


class Models:
    """The read models of one database, run by hand."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def catch_up(self, page_size: int = 4000, models: tuple[Projection, ...] = PROJECTIONS) -> int:
        return Runner(self.dsn, models, page_size=page_size).catch_up()

    def rows(self, model: Projection) -> list[Row]:
        with connect(self.dsn) as connection:
            return standing_rows(connection, model)

    def drift(self, models: tuple[Projection, ...] = PROJECTIONS) -> list[Drift]:
        """What differs, of all keys that have rows, from what the log leads to."""
        found: list[Drift] = []
        with connect(self.dsn) as connection:
            for model in models:
                row = connection.execute(
                    "SELECT position FROM views.progress WHERE name = %s AND version = %s",
                    [model.name, model.version],
                ).fetchone()
                assert row is not None
                keys = {str(row[0]) for row in standing_rows(connection, model)}
                found += drift(connection, model, row[0], keys)
        return found


@pytest.fixture
def models(dsn: str, log: Log) -> Models:
    del log  # the tables of the log are there
    return Models(dsn)


type Running = Callable[..., Runner]


@pytest.fixture
def running(dsn: str) -> Iterator[Running]:
    """Starts runners in threads, and stops them when the test ends."""
    started: list[tuple[Runner, threading.Thread]] = []

    def start(models: tuple[Projection, ...] = PROJECTIONS, page_size: int = 4000) -> Runner:
        runner = Runner(dsn, models, page_size=page_size)
        thread = threading.Thread(target=runner.run, name="runner of a test")
        thread.start()
        started.append((runner, thread))
        return runner

    yield start
    for runner, _ in started:
        runner.stop()
    for _, thread in started:
        thread.join(10)
