"""Read models on a real log, run by hand and rebuilt."""

import pytest

from event_store.log import Log
from tests.projections.conftest import Models


@pytest.fixture
def models(dsn: str, log: Log) -> Models:
    del log  # the tables of the log are there
    return Models(dsn)
