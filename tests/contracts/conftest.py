from collections.abc import Iterator

import pytest

from event_store.log import Log
from event_store.memory import MemoryLog


@pytest.fixture(params=["in memory", "on PostgreSQL"])
def any_log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """An empty log, of each kind that there is."""
    if request.param == "on PostgreSQL":
        yield request.getfixturevalue("log")
        return
    log = MemoryLog()
    yield log
    log.close()
