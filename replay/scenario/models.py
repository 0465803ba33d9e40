"""The read models of a played story: brought up to the log by the real runner, asked through the look-ups."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from projections.lookups import Lookups
from projections.registry import PROJECTIONS
from projections.runner import Runner


class Models:
    """The read models of one database, for one caller."""

    def __init__(self, dsn: str) -> None:
        """Describe them; `catch_up` builds them."""
        self._dsn = dsn
        self._loop = asyncio.Runner()
        self.lookups = Lookups(dsn)

    def catch_up(self) -> int:
        """Fold the log into all models and return the position that they stand at."""
        return Runner(self._dsn, PROJECTIONS).catch_up()

    def run[A](self, answer: Coroutine[Any, Any, A]) -> A:
        """Wait for a look-up."""
        return self._loop.run(answer)

    def close(self) -> None:
        """Let go of the database: what listens for progress would call at its door for ever, gone or not."""
        self.lookups.close()
        self._loop.close()
