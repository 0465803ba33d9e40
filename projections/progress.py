"""How far the read models have come, as it happens: waiting for a position without polling for it.

One thread listens for the notice of each batch. It listens before it first reads, reads again after every
reconnect, and looks every second even if no notice comes.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Event as Flag
from threading import Lock, Thread
from typing import Any

import psycopg
from psycopg import Connection

from projections.connection import connect
from projections.listening import Ear

VIEWS_CHANNEL = "parkledger_views"
POLL = 1.0
_BACK_OFF = 0.2
_POSITIONS = "SELECT name, position FROM views.progress WHERE live"


class NotYet(TimeoutError):
    """The read model has not come to the position that was asked for in time; `behind` says how far it is."""

    def __init__(self, model: str, position: int, reached: int) -> None:
        """Say which model, where it should be, and where it is."""
        super().__init__(
            f"the read model {model} is at position {reached}, {position - reached} behind {position}"
        )
        self.model = model
        self.position = position
        self.reached = reached
        self.behind = position - reached


@dataclass(eq=False, slots=True)
class _Waiter:
    position: int
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[int]" = field(init=False)

    def __post_init__(self) -> None:
        self.future = self.loop.create_future()


class Progress:
    """Knows the position of each live read model, and wakes who waits for one."""

    def __init__(self, dsn: str) -> None:
        """Begin to listen at once."""
        self._dsn = dsn
        self._positions: dict[str, int] = {}
        self._waiters: dict[str, list[_Waiter]] = {}
        self._lock = Lock()
        self._stopped = Flag()
        self._ear = Ear()
        self._thread = Thread(target=self._run, name="parkledger-progress", daemon=True)
        self._thread.start()

    def position(self, model: str) -> int:
        """Return the position that the model was last heard to have come to."""
        return self._positions.get(model, 0)

    async def wait(self, model: str, position: int, timeout: float) -> int:  # noqa: ASYNC109 - a bound, told to the client
        """Wait until the model has come to the position, and return where it is.

        Raises:
            NotYet: if it has not within `timeout` seconds.

        """
        waiter = _Waiter(position, asyncio.get_running_loop())
        with self._lock:
            reached = self._positions.get(model, 0)
            if reached >= position:
                return reached
            self._waiters.setdefault(model, []).append(waiter)
        try:
            async with asyncio.timeout(timeout):
                return await waiter.future
        except TimeoutError:
            raise NotYet(model, position, self.position(model)) from None
        finally:
            with self._lock, contextlib.suppress(ValueError):
                self._waiters[model].remove(waiter)

    def heard(self, positions: Iterable[tuple[str, int]]) -> None:
        """Take note of positions, and wake who waits for them."""
        with self._lock:
            for model, position in positions:
                if position > self._positions.get(model, 0):
                    self._positions[model] = position
                    self._wake(model, position)

    def close(self) -> None:
        """Stop listening."""
        self._stopped.set()
        self._ear.ring()
        self._thread.join(POLL * 3)
        self._ear.close()

    def _wake(self, model: str, position: int) -> None:
        for waiter in self._waiters.get(model, ()):
            if waiter.position <= position:
                with contextlib.suppress(RuntimeError):  # its loop was closed: nobody waits any more
                    waiter.loop.call_soon_threadsafe(_resolve, waiter.future, position)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with connect(self._dsn, name="parkledger progress") as connection:
                    connection.execute(f"LISTEN {VIEWS_CHANNEL}".encode())
                    while not self._stopped.is_set():
                        self.heard(connection.execute(_POSITIONS).fetchall())
                        self._listen(connection)
            except psycopg.Error:
                self._stopped.wait(_BACK_OFF)

    def _listen(self, connection: Connection[Any]) -> None:
        """Take notices until none has come for a while, and it is time to look again."""
        while not self._stopped.is_set() and (notices := self._ear.wait(connection, POLL)):
            for notice in notices:
                self.heard(parsed(notice.payload))


def parsed(payload: str) -> list[tuple[str, int]]:
    """Return the models and positions of a notice, `name:position` each, apart by blanks."""
    found = []
    for part in payload.split():
        name, _, position = part.rpartition(":")
        if position.isdigit():
            found.append((name, int(position)))
    return found


def _resolve(future: "asyncio.Future[int]", position: int) -> None:
    if not future.done():
        future.set_result(position)
