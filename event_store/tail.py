"""Following the log: LISTEN first, then read, so that nothing is appended unheard in between.

Positions are given out in the order of commits, so whoever has seen position n only asks for what is
greater. A notice only hastens the next look, and a look is taken at least every second: a notice that got
lost costs a second, never an event. A lost connection is made anew, at growing intervals.
"""

import contextlib
from collections.abc import Callable, Collection, Generator, Sequence
from time import sleep
from typing import Any

import psycopg
from psycopg import Connection

from event_store.connections import connect
from event_store.log import LogUnavailable
from event_store.reading import COLUMNS, NEWEST, page

CHANNEL = "parkledger_log"
POLL = 1.0
"""Seconds after which a follower looks even where it heard nothing."""
PAGE = 2_000
_FIRST_PAUSE = 0.05


def follow(
    dsn: str,
    after: int = 0,
    *,
    types: Collection[str] | None = None,
    until: Callable[[], bool] = lambda: False,
    columns: str = COLUMNS,
) -> Generator[Sequence[Any]]:
    """Yield what is after a position, then what is appended, as raw rows in order, until told to end.

    An empty batch comes at least every second, also while the database is away.
    """
    pause = _FIRST_PAUSE
    while not until():
        try:
            with contextlib.closing(connect(dsn)) as connection:
                connection.execute(f"listen {CHANNEL}".encode())
                for rows in _heard(connection, after, types, until, columns):
                    yield rows
                    pause = _FIRST_PAUSE
                    after = rows[-1][0] if rows else after
        except (psycopg.OperationalError, LogUnavailable):
            yield ()
            sleep(pause)
            pause = min(2 * pause, POLL)


def _heard(
    connection: Connection[Any],
    after: int,
    types: Collection[str] | None,
    until: Callable[[], bool],
    columns: str,
) -> Generator[Sequence[Any]]:
    while not until():
        rows = page(connection, after, NEWEST, types, PAGE, columns)
        yield rows
        after = rows[-1][0] if rows else after
        if len(rows) < PAGE:
            for _ in connection.notifies(timeout=POLL, stop_after=1):
                pass
