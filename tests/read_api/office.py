"""A read API in small: served on a real socket, on a real PostgreSQL, with real tokens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI

from event_store.log import Log
from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from event_store.seal import seal
from event_store.signing import Signer, signing_key
from events.base import Event
from events.envelope import Append, Appended, Origin
from operations.archiving import reports_of
from operations.draining import DrainingServer
from operations.identity import Role
from operations.keys import authenticator, mint
from operations.settings import Settings
from projections.lookups import Lookups
from projections.registry import PROJECTIONS
from projections.runner import Runner
from read_api.app import create_app
from tests.read_api.late_payment import story


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app on a free port, and yield its address."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", lifespan="on", timeout_graceful_shutdown=1
    )
    server = DrainingServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


class Office:
    """An installation in small: facts go to its log, its models keep up when told to, its door answers."""

    def __init__(self, dsn: str, log: Log, settings: Settings, address: str) -> None:
        self.dsn = dsn
        self.log = log
        self.address = address
        self._settings = settings
        self._runner = Runner(dsn, PROJECTIONS)
        self._client = httpx.Client(base_url=address, timeout=30)

    def report(self, *events: Event, actor: str = "office", catch_up: bool = True) -> Appended:
        """Append facts as they were reported, whatever the rules say."""
        appended = self.log.append(Append(events, uuid4(), origin=Origin(actor=actor)))
        if catch_up:
            self.catch_up()
        return appended

    def seal(self) -> None:
        """Sign the head of the log, as the sealer does."""
        seal(self.dsn, Signer("office", signing_key(self._settings.data / "keys" / "seal.pem")))

    def catch_up(self) -> None:
        self._runner.catch_up()

    def headers(
        self, role: str | None, subject: str | None = None, account: str | None = None
    ) -> dict[str, str]:
        if role is None:
            return {}
        return {"authorization": f"Bearer {mint(self._settings, Role(role), subject, account)}"}

    def get(
        self,
        path: str,
        role: str | None = "auditor",
        *,
        subject: str | None = None,
        account: str | None = None,
        headers: dict[str, str] | None = None,
        **query: object,
    ) -> httpx.Response:
        """Ask as somebody of that role; `from_` stands for the parameter `from`."""
        params = {name.rstrip("_"): str(value) for name, value in query.items()}
        sent = self.headers(role, subject, account) | (headers or {})
        return self._client.get(path, params=params or None, headers=sent)

    def post(self, path: str, role: str | None) -> httpx.Response:
        return self._client.post(path, headers=self.headers(role))

    def ask(self, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
        return self._client.request(method, path, headers=headers)

    def close(self) -> None:
        self._client.close()


@contextmanager
def opened(dsn: str, log: Log, settings: Settings) -> Iterator[Office]:
    """Serve the read API on a log, and yield the office around it."""
    with (
        Lookups(dsn, patience=settings.wait_seconds) as lookups,
        reports_of(dsn, settings.model_copy(update={"archive": str(settings.data / dsn[-8:])})) as reporting,
        served(
            create_app(log, lookups, authenticator(settings), settings.with_dsn(dsn), reporting)
        ) as address,
    ):
        office = Office(dsn, log, settings, address)
        office.catch_up()
        yield office
        office.close()


@contextmanager
def after_late_payment(dsn: str, settings: Settings) -> Iterator[Office]:
    """Yield an office whose simulated clock went through the story of the late-posted payment."""
    simulate(dsn)
    log = PostgresLog(dsn)
    with opened(dsn, log, settings) as office:
        for told in story():
            log.set_now(told.recorded)
            office.report(told.event, catch_up=False)
        office.catch_up()
        yield office
    log.close()
