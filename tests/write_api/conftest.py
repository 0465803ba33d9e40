"""A write API under test: on a real PostgreSQL, with real tokens, over ASGI or over a real socket."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from starlette.testclient import TestClient

from event_store.log import Log
from operations.identity import Authenticator, Role
from operations.keys import authenticator as keys_of
from operations.keys import mint
from operations.settings import Settings
from projections.lookups import Lookups
from projections.registry import PROJECTIONS
from projections.runner import Runner
from write_api.app import WriteApp, create_app


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the office whose tokens the tests use."""
    return Settings(data=Path(tmp_path_factory.mktemp("office")))


@pytest.fixture(scope="session")
def authenticator(office: Settings) -> Authenticator:
    return keys_of(office)


@pytest.fixture
def headers(office: Settings) -> Callable[..., dict[str, str]]:
    """The headers of a subject with a role: `headers("parker", account="A-1")`."""

    def of(role: str, subject: str | None = None, account: str | None = None) -> dict[str, str]:
        return {"authorization": f"Bearer {mint(office, Role(role), subject, account)}"}

    return of


@pytest.fixture
def make_app(
    log: Log, dsn: str, office: Settings, authenticator: Authenticator
) -> Iterator[Callable[[], WriteApp]]:
    """Make a write API on the log; each is for one event loop, as each process has one."""
    with Lookups(dsn) as lookups:
        yield lambda: create_app(log, lookups, authenticator, office.with_dsn(dsn))


@pytest.fixture
def client(make_app: Callable[[], WriteApp], headers: Callable[..., dict[str, str]]) -> Iterator[TestClient]:
    """A client of the write API, as an administrator unless a request says otherwise."""
    with TestClient(make_app(), headers=headers("admin"), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def catch_up(dsn: str) -> Callable[[], object]:
    """Bring the read models up to the head of the log."""
    return Runner(dsn, PROJECTIONS).catch_up


@pytest.fixture
def serve(make_app: Callable[[], WriteApp]) -> Iterator[Callable[[], int]]:
    """Serve a further write API on the same log over a real socket, and return its port."""
    with ExitStack() as running:
        yield lambda: running.enter_context(served(make_app()))


@contextmanager
def served(app: WriteApp) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        config = uvicorn.Config(app, http="httptools", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture
def port(serve: Callable[[], int]) -> int:
    """The port of the write API, served over a real socket."""
    return serve()
