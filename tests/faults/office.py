"""An office under attack: the real services as processes on a real PostgreSQL, killed and started again."""

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import psycopg

from operations.embedded import EmbeddedPostgres
from operations.identity import Role
from operations.keys import mint
from operations.serving import migrate_all
from operations.settings import Settings
from tests.faults.nursery import Forked, Nursery

TROUBLE = (OSError, http.client.HTTPException, json.JSONDecodeError)
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With compiled modules kept: a service that starts 70 times need not be compiled 70 times."""
GIVE_UP = 60.0
"""Seconds after which something that should have come back has not."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Office:
    """PostgreSQL, a write API and a projector, each of which can be killed."""

    def __init__(self, root: Path) -> None:
        self.postgres = EmbeddedPostgres(root / "postgres").start()
        self.settings = Settings(
            data=root, dsn=self.postgres.ensure("office"), write_port=free_port(), log_level="error"
        )
        migrate_all(self.dsn)
        self._services: dict[str, Forked] = {}
        self._log = (root / "services.log").open("ab")
        self._nursery = Nursery(self._log)
        self._closing = threading.Event()
        self._keeping = threading.Thread(target=self._keep)
        self._keeping.start()

    @property
    def dsn(self) -> str:
        assert self.settings.dsn is not None
        return self.settings.dsn

    def _keep(self) -> None:
        """Do what a supervisor does, without its pauses: start what does not run."""
        while not self._closing.wait(0.05):
            for service in ("write-api", "projector"):
                running = self._services.get(service)
                if running is None or running.poll() is not None:
                    self._services[service] = self._start(service)

    def _start(self, service: str) -> Forked:
        return self._nursery.start(["serve", service], ENVIRONMENT | self.settings.environment())

    def kill(self, victim: str) -> None:
        """Kill without warning."""
        if victim == "postgres":
            with suppress(ProcessLookupError, FileNotFoundError, ValueError, IndexError):
                os.kill(self.postgres.pid(), signal.SIGKILL)
            return
        if victim in self._services:
            self._services[victim].kill()

    def close(self) -> None:
        self._closing.set()
        self._keeping.join()
        for process in self._services.values():
            process.kill()
            process.wait()
        self._services.clear()
        self._nursery.close()
        self._log.close()
        self.postgres.close()

    def headers(self, role: str) -> dict[str, str]:
        token = mint(self.settings, Role(role), f"{role}-1", None)
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def post(self, path: str, body: object, headers: dict[str, str]) -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.write_port, timeout=5)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def insist(self, path: str, body: object, role: str = "admin") -> dict[str, object]:
        """Send the same command under the same key until somebody answers for it."""
        headers = self.headers(role) | {"idempotency-key": str(uuid4())}
        end = time.monotonic() + GIVE_UP
        last: object = None
        while time.monotonic() < end:
            with suppress(*TROUBLE):
                status, answer = self.post(path, body, headers)
                if status in {200, 201}:
                    return answer
                last = answer
                assert status >= 500, f"{path} answered {status}: {answer}"
            time.sleep(0.02)
        raise TimeoutError(f"nobody answered {path} within {GIVE_UP:.0f} s; last: {last}")


@dataclass
class Load:
    """Clients that send commands until they are told to stop, and remember what was acknowledged."""

    office: Office
    acknowledged: list[tuple[str, int]] = field(default_factory=list)
    """`(tag of the thing that was made, position that was answered)`"""
    failures: list[BaseException] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, clients: int) -> None:
        for number in range(clients):
            thread = threading.Thread(target=self._run, args=(Random(number),))  # noqa: S311
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _run(self, random: Random) -> None:
        try:
            while not self._stopped.is_set():
                random.choice((self._buy, self._read))(random)
        except BaseException as failure:  # noqa: BLE001  (the test's thread raises it again)
            self.failures.append(failure)

    def _buy(self, random: Random) -> None:
        permit = f"T-{UUID(int=random.getrandbits(128))}"
        body = {
            "permit": permit,
            "zones": ["F"],
            "plates": [f"ON K{random.getrandbits(40):X}"],
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": "2027-01-01T00:00:00Z",
        }
        self._did(f"permit:{permit}", self.office.insist("/v1/permits", body))

    def _read(self, random: Random) -> None:
        read = f"R-{UUID(int=random.getrandbits(128))}"
        body = {"read": read, "plate": f"ON K{random.getrandbits(12):X}", "zone": "F", "device": "H1"}
        self._did(f"read:{read}", self.office.insist("/v1/plate-reads", body, "device"))

    def _did(self, tag: str, answer: dict[str, object]) -> None:
        position = answer.get("position")
        self.acknowledged.append((tag, position if isinstance(position, int) else 0))


def eventually(look: Callable[[], object], seconds: float = GIVE_UP) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(psycopg.Error):
            if look():
                return
        time.sleep(0.02)
    raise TimeoutError(f"it did not come true within {seconds:.0f} s")
