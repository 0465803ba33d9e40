"""A whole installation, as `parkledger serve` runs it, and a real browser in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from operations.embedded import EmbeddedPostgres
from operations.identity import Role
from operations.keys import mint
from operations.settings import Settings

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000
"""Milliseconds until a page that does not show what it should is taken for wrong; busy machines are slow."""
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1200, "height": 900}


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, all different."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


class Installation:
    """All services in processes of their own, on a database of the test's."""

    def __init__(self, settings: Settings, output: Path) -> None:
        self.settings = settings
        self._output = output
        self._client = httpx.Client(timeout=30)
        with output.open("w") as lines:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "operations", "serve"],
                env=os.environ | settings.environment(),
                stdout=lines,
                stderr=lines,
            )

    def await_ready(self) -> None:
        for _ in range(300):
            if self._process.poll() is not None:
                raise RuntimeError(self._output.read_text())
            try:
                doors = (self.settings.pages, self.settings.ways_in)
                if all(self._client.get(f"{door}/readyz").status_code == 200 for door in doors):
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise RuntimeError(self._output.read_text())

    def token(self, role: str, subject: str | None = None) -> str:
        return mint(self.settings, Role(role), subject)

    def tell(self, role: str, path: str, **said: Any) -> dict[str, Any]:
        """Send a command, and return what it was answered."""
        headers = {"authorization": f"Bearer {self.token(role)}"}
        answer = self._client.post(f"{self.settings.ways_in}{path}", json=said, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, role: str, path: str, **query: object) -> httpx.Response:
        """Ask a question."""
        headers = {"authorization": f"Bearer {self.token(role)}"}
        params = {name: str(value) for name, value in query.items()}
        return self._client.get(f"{self.settings.pages}{path}", params=params, headers=headers)

    def post(self, path: str, form: dict[str, str], headers: dict[str, str]) -> httpx.Response:
        """Send a form to a page."""
        return self._client.post(f"{self.settings.pages}{path}", data=form, headers=headers)

    def close(self) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture(scope="session")
def installation(
    cluster: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One installation for all journeys; each has a zone, a plate and numbers of its own."""
    data = tmp_path_factory.mktemp("installation")
    read_port, write_port = free_ports(2)
    dsn = cluster.create("journeys", template)
    settings = Settings(data=data, dsn=dsn, read_port=read_port, write_port=write_port)
    running = Installation(settings, data / "serve.log")
    try:
        running.await_ready()
        yield running
    finally:
        running.close()
        cluster.drop("journeys")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a module: while Playwright lives it runs an event loop, in which no other test may be."""
    chromium = os.environ.get("PARKLEDGER_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium: install Debian's package chromium, or set PARKLEDGER_CHROMIUM")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Visit:
    """A browser signed in as somebody; what its console complains of is kept."""

    def __init__(
        self, browser: Browser, address: str, token: str, size: dict[str, int], **options: Any
    ) -> None:
        self.complaints: list[str] = []
        self._address = address
        viewport = {"width": size["width"], "height": size["height"]}
        self.context = browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(2 * PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.open(f"/sign-in?token={token}")
        self.page.wait_for_url(f"{address}/")

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def open(self, path: str) -> None:
        self.page.goto(f"{self._address}{path}")


class Visits:
    """Opens browsers, and closes them all at the end."""

    def __init__(self, browser: Browser, installation: Installation) -> None:
        self.browser, self._installation = browser, installation
        self.all: list[Visit] = []

    def __call__(
        self, role: str, size: dict[str, int] = DESK, address: str | None = None, **options: Any
    ) -> Visit:
        address = address or self._installation.settings.pages
        token = self._installation.token(role)
        self.all.append(Visit(self.browser, address, token, size, **options))
        return self.all[-1]


@pytest.fixture
def visits(browser: Browser, installation: Installation) -> Iterator[Visits]:
    """Open pages as somebody; none of them may complain, of its policy or of anything else."""
    visits = Visits(browser, installation)
    yield visits
    complaints: Sequence[str] = [text for visit in visits.all for text in visit.complaints]
    for visit in visits.all:
        visit.context.close()
    assert complaints == []
