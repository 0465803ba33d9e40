"""What most would write: FastAPI with a response model, and a pool of psycopg connections, on the same table.

python -m benchmarks.lookups_peer SOCKET DSN
"""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import uvicorn
from fastapi import FastAPI
from psycopg.rows import class_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

GRACE = timedelta(minutes=10)
LATEST = 2**63 - 2
QUERY: LiteralString = """
SELECT "right", kind, start, until FROM views.validity
WHERE plate = %(plate)s AND zone IN (%(zone)s, '') AND start <= %(at)s AND until > %(since)s
  AND known_from <= %(known)s AND known_until > %(known)s
ORDER BY until DESC LIMIT 1
"""


ONE: LiteralString = "SELECT type, payload FROM log.events WHERE position = %s"


class Right(BaseModel):
    """A row of the table."""

    right: str
    kind: str
    start: datetime
    until: datetime


class Validity(BaseModel):
    """The answer."""

    plate: str
    zone: str
    at: datetime
    valid: bool
    right: str | None
    kind: str | None
    start: datetime | None
    end: datetime | None
    grace_until: datetime | None


def create_app(dsn: str) -> FastAPI:
    """Return the peer."""
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        dsn, min_size=8, max_size=16, open=False, kwargs={"autocommit": True}
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/v1/validity")
    async def validity(
        plate: str, zone: str, at: datetime | None = None, known: int | None = None
    ) -> Validity:
        moment = at or datetime.now(UTC)
        asked = {
            "plate": plate,
            "zone": zone,
            "at": moment,
            "since": moment - GRACE,
            "known": LATEST if known is None else known,
        }
        async with pool.connection() as connection, connection.cursor(row_factory=class_row(Right)) as cursor:
            await cursor.execute(QUERY, asked)
            found = await cursor.fetchone()
        return Validity(
            plate=plate,
            zone=zone,
            at=moment,
            valid=found is not None and found.until > moment,
            right=found.right if found else None,
            kind=found.kind if found else None,
            start=found.start if found else None,
            end=found.until if found else None,
            grace_until=found.until + GRACE if found else None,
        )

    @app.get("/v1/events/{position}")
    async def event(position: int) -> dict[str, Any]:
        async with pool.connection() as connection:
            found = await (await connection.execute(ONE, [position])).fetchone()
        return {} if found is None else {"position": position, "type": found[0], "payload": found[1]}

    return app


def main() -> None:
    """Serve on the socket that was handed down."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(
        create_app(sys.argv[2]), loop="uvloop", http="httptools", access_log=False, log_level="error"
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
