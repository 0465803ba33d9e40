"""Databases for stories: a throw-away PostgreSQL whose template every story is cloned from, or a kept one."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from event_store.migrations import end_simulation, migrate, simulate
from operations.embedded import THROW_AWAY_OPTIONS, EmbeddedPostgres
from operations.settings import BadSetting, Settings
from projections import schema

TEMPLATE = "template_scenario"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory made by mkdtemp inside it


class Databases:
    """Fresh databases of one server, each with an empty log that keeps simulated time."""

    def __init__(self, server: EmbeddedPostgres, *, keep: bool = False) -> None:
        """Describe them; `keep` leaves them behind."""
        self._server, self.keeps = server, keep

    @classmethod
    def on(cls, server: EmbeddedPostgres) -> Self:
        """Use a server that runs, whose template is made here."""
        _prepare(server.create(TEMPLATE))
        return cls(server)

    @classmethod
    @contextmanager
    def thrown_away(cls) -> Iterator[Path]:
        """Run a server in memory until the block ends, and yield the root that others attach to it by."""
        parent = _MEMORY if os.access(_MEMORY, os.W_OK) else None
        root = Path(tempfile.mkdtemp(prefix="parkledger-scenario-", dir=parent))
        with EmbeddedPostgres(root, options=THROW_AWAY_OPTIONS, ephemeral=True) as server:
            cls.on(server)
            yield root

    @classmethod
    @contextmanager
    def attached(cls, root: Path) -> Iterator[Self]:
        """Use a server that another process of this run started."""
        with EmbeddedPostgres(root, options=THROW_AWAY_OPTIONS, ephemeral=True) as server:
            yield cls(server)

    @classmethod
    @contextmanager
    def kept(cls, settings: Settings) -> Iterator[Self]:
        """Use the installation's own embedded server, and leave the stories in it.

        Raises:
            BadSetting: if the installation has no server of its own.

        """
        if settings.dsn is not None:
            raise BadSetting("--keep leaves stories in the embedded PostgreSQL; unset PARKLEDGER_DSN for it.")
        with EmbeddedPostgres(settings.data / "postgres") as server:
            yield cls(server, keep=True)

    @contextmanager
    def fresh(self, story: Path) -> Iterator[str]:
        """Yield the connection string of an empty database for a story."""
        name = f"scenario_{re.sub('[^a-z0-9]+', '_', story.stem.lower())[:40]}"
        if self.keeps:
            self._server.drop(name)
            dsn = self._server.create(name)
            _prepare(dsn)
            yield dsn
            end_simulation(dsn)
            return
        name = f"{name}_{os.getpid()}"
        dsn = self._server.create(name, TEMPLATE)
        try:
            yield dsn
        finally:
            self._server.drop(name)


def _prepare(dsn: str) -> None:
    migrate(dsn)
    simulate(dsn)
    schema.ensure(dsn)
