"""The compose file's commands, settings and health checks, started outside containers beside a real Kafka."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from event_store.brokers import Access
from event_store.postgres import PostgresLog
from event_store.topics import READS_IN
from events.boundary import on
from events.reads import PlateRead
from operations.settings import Settings
from tests.event_store.consuming import messages
from tests.faults.office import free_port
from tests.write_api.test_ingest import a_read, publish

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]
COMPOSE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "parkledger"}
PATIENCE = 180.0


def environment(service: dict[str, Any], ours: dict[str, str]) -> dict[str, str]:
    """What the container would get, its variables left empty but for those that name what runs here."""
    given = {name: re.sub(r"\$\{\w+(:[-?]([^}]*))?\}", r"\2", str(value)) for name, value in
             service["environment"].items()}  # fmt: skip
    return os.environ | given | ours


@pytest.fixture
def settings(empty_dsn: str, kafka: Access, prefix: str, tmp_path: Path) -> dict[str, str]:
    chosen = Settings(
        data=tmp_path, dsn=empty_dsn, kafka_bootstrap=kafka.bootstrap, kafka_prefix=prefix,
        kafka_partitions=2, read_port=free_port(), write_port=free_port(),
    )  # fmt: skip
    kept = ("DATA", "DSN", "KAFKA_BOOTSTRAP", "KAFKA_PREFIX", "KAFKA_PARTITIONS", "READ_PORT", "WRITE_PORT")
    return {f"PARKLEDGER_{name}": chosen.environment()[f"PARKLEDGER_{name}"] for name in kept}


@pytest.fixture
def services(settings: dict[str, str]) -> Iterator[None]:
    """Every container's command, as often as the file says."""
    running = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "operations", *service["command"]],
            env=environment(service, settings),
            stdin=subprocess.DEVNULL,
        )
        for service in OURS.values()
        for _ in range(service["deploy"].get("replicas", 1))
    ]
    yield
    assert [process.args for process in running if process.poll() is not None] == []
    for process in running:
        process.terminate()
    for process in running:
        process.wait(60)


def is_healthy(service: dict[str, Any], settings: dict[str, str]) -> bool:
    _, program, *arguments = service["healthcheck"]["test"]
    assert program == "python"
    ports = {"8100": settings["PARKLEDGER_READ_PORT"], "8101": settings["PARKLEDGER_WRITE_PORT"]}
    asked = [re.sub("810[01]", lambda found: ports[found[0]], argument) for argument in arguments]
    check = [sys.executable, *asked]
    done = subprocess.run(check, env=os.environ | settings, capture_output=True, check=False)
    return done.returncode == 0


def until(holds: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.2)


@pytest.mark.usefixtures("services")
def test_all_of_it_becomes_healthy_and_a_published_read_comes_out_again(
    settings: dict[str, str], kafka: Access, empty_dsn: str
) -> None:
    for service in OURS.values():
        if "healthcheck" in service:
            until(lambda service=service: is_healthy(service, settings))
    topics = Settings.from_environment(settings).topics
    log = PostgresLog(empty_dsn)
    publish(kafka, topics, a_read(1, zone="nowhere"), a_read(2))
    dead = messages(kafka, topics, lambda found: len(found) == 2, (f"{READS_IN}.rejected",))
    assert {one.headers["reason"] for one in dead} == {
        "No zone 'nowhere' was ever opened.",
        "No zone 'F' was ever opened.",
    }
    assert log.read(on(PlateRead)).entries == []
    log.close()
