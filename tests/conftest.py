"""A real PostgreSQL for every test: a throw-away cluster in memory, databases cloned from a template."""

import gc
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Generator, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from event_store.brokers import Access
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from operations.broker import Broker
from operations.broker_jars import NoBroker
from operations.embedded import THROW_AWAY_OPTIONS, EmbeddedPostgres
from operations.settings import Settings
from projections import schema

MEMORY = Path("/dev/shm")  # noqa: S108  (a directory made by mkdtemp inside it)
TEMPLATE = "template_migrated"
NEVER_SKIPPED_IN_CI = ("browser", "kafka")
LONG = (
    "tests/faults/",
    "tests/projections/reports/",
    "tests/write_api/imports/",
    "tests/read_api/test_whatever_is_asked.py",
    "tests/replay/",
    "tests/projections/test_from_kafka.py",
    "tests/write_api/test_openapi.py",
)
"""Run first: two processes share the files, and a long one at the end would leave one of them idle."""
LISTENER = "parkledger-progress"
"""A thread that connects again by itself, for as long as nobody closes the look-ups that it belongs to."""
_numbers = count(1)

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # a busy machine is no failure


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let no browser or Kafka test pass for done in CI because what it needs was missing."""
    report = yield
    needed = [name for name in NEVER_SKIPPED_IN_CI if item.get_closest_marker(name)]
    if report.skipped and needed and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"CI does not skip {needed[0]} tests: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long; and let be what kafka-python leaves to the garbage collector."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    for item in items:
        if item.get_closest_marker("kafka"):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(autouse=True)
def _sockets_swept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test of Kafka leave nothing of that sort to the next one."""
    yield
    if request.node.get_closest_marker("kafka"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()


@pytest.fixture(scope="module", autouse=True)
def _nobody_left_knocking() -> Iterator[None]:
    """Let nobody who listens at a database outlive a file's tests: it would knock there ever after."""
    before = set(threading.enumerate())
    yield
    left = [one for one in threading.enumerate() if one not in before and one.name == LISTENER]
    for one in left:
        one.join(30)  # it may be on its way out
    assert [one for one in left if one.is_alive()] == []


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of this test run alone; it ends and its files go when the run ends or is killed."""
    parent = MEMORY if MEMORY.is_dir() else None
    root = Path(tempfile.mkdtemp(prefix="parkledger-test-", dir=parent))
    with EmbeddedPostgres(root, options=THROW_AWAY_OPTIONS, ephemeral=True) as server:
        yield server


@pytest.fixture(scope="session")
def template(cluster: EmbeddedPostgres) -> str:
    """The name of a database with all tables, from which tests get their own."""
    dsn = cluster.create(TEMPLATE)
    migrate(dsn)
    schema.ensure(dsn)
    return TEMPLATE


@pytest.fixture
def empty_dsn(cluster: EmbeddedPostgres) -> Iterator[str]:
    """The connection string of a fresh database without any table."""
    name = f"empty_{next(_numbers)}"
    yield cluster.create(name)
    cluster.drop(name)


@pytest.fixture
def dsn(cluster: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The connection string of a fresh database with all tables."""
    name = f"test_{next(_numbers)}"
    yield cluster.create(name, template)
    cluster.drop(name)


@pytest.fixture
def log(dsn: str) -> Iterator[PostgresLog]:
    """An empty log on a fresh database."""
    opened = PostgresLog(dsn)
    yield opened
    opened.close()


def _directory() -> Path:
    parent = MEMORY if MEMORY.is_dir() else None
    return Path(tempfile.mkdtemp(prefix="parkledger-kafka-", dir=parent))


def a_broker(options: dict[str, str] | None = None) -> Broker:
    """An Apache Kafka that a test may kill; the test is skipped with the reason where there can be none."""
    try:
        return Broker(_directory(), options).start()
    except NoBroker as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """An Apache Kafka of this test run alone, for tests that leave it as it is."""
    started = a_broker()
    yield started
    started.close()
    shutil.rmtree(started.directory, ignore_errors=True)


@pytest.fixture
def kafka(request: pytest.FixtureRequest) -> Access:
    """How to reach Kafka: the broker of the settings, or else one of this test run alone."""
    configured = Settings.from_environment().kafka
    return configured or Access(request.getfixturevalue("broker").address())


@pytest.fixture
def prefix() -> str:
    """What topics and groups of one test begin with, so that tests do not see each other's."""
    return f"test-{os.getpid()}-{next(_numbers)}"
