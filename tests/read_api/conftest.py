"""A read API under test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from event_store.log import Log
from operations.settings import Settings
from tests.read_api.office import Office, after_late_payment, opened


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data=Path(tmp_path_factory.mktemp("office")), wait_seconds=0.2)


@pytest.fixture
def late_payment(dsn: str, settings: Settings) -> Iterator[Office]:
    with after_late_payment(dsn, settings) as office:
        yield office


@pytest.fixture
def office(dsn: str, log: Log, settings: Settings) -> Iterator[Office]:
    with opened(dsn, log, settings) as office:
        yield office
