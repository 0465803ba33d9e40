"""Waiting for notices of the database, and for being told to stop, whichever comes first."""

import select
import socket
from typing import Any, Self

from psycopg import Connection, Notify

_MILLIS = 1000


class Ear:
    """Listens on a connection; another thread may ring to end the waiting at once."""

    def __init__(self) -> None:
        """Begin silent."""
        self._here, self._there = socket.socketpair()
        self._here.settimeout(0)
        self._there.settimeout(0)

    def wait(self, connection: Connection[Any], seconds: float) -> list[Notify]:
        """Return the notices that have come, waiting for the first for so long at most.

        Raises:
            psycopg.OperationalError: if the connection is gone.

        """
        heard = list(connection.notifies(timeout=0))
        if heard:
            return heard
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        poll.register(self._here.fileno(), select.POLLIN)
        poll.poll(seconds * _MILLIS)
        return list(connection.notifies(timeout=0))

    def ring(self) -> None:
        """End the waiting, now and from now on."""
        try:
            self._there.send(b"!")
        except OSError:
            return  # closed: nobody waits any more

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Let go of both ends."""
        self._here.close()
        self._there.close()
