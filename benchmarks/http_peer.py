"""What an office would build on the library alone: a FastAPI endpoint over its PostgreSQL DCB recorder.

    python -m benchmarks.http_peer SOCKET_NUMBER DSN

A pydantic body, one conditional append of the library's own recorder (`PostgresDCBRecorderTT`, table lock and
all), an answer with the position; no tokens and no rules. `/v1/sessions` appends without reading anything,
`/v1/decided-sessions` first reads what a decision rests on (whether the zone is open, the session new), as an
application has to. What tells of a zone has a tag of its own there: under the tag that every session of the
zone carries, the library would look through all of them.
"""

import socket
import sys
from typing import Annotated
from uuid import UUID, uuid4

import uvicorn
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.postgres import PostgresDatastore
from fastapi import FastAPI, HTTPException, Response
from psycopg.conninfo import conninfo_to_dict
from pydantic import AwareDatetime, BaseModel, Field

THREADS = 8
"""Connections of the library's pool: more than that slows it down."""


class Session(BaseModel):
    """A session that is to start; the fields of the command that it is measured beside."""

    session: Annotated[str, Field(min_length=1, max_length=100)]
    plate: str
    zone: str
    start: AwareDatetime | None = None
    until: AwareDatetime
    channel: str = "app"
    command: UUID = Field(default_factory=uuid4)


class Started(BaseModel):
    """The answer: where the session stands in the log."""

    position: int
    session: str


def create_peer(dsn: str) -> FastAPI:
    """Return the app on the library's recorder, its tables made."""
    known = conninfo_to_dict(dsn)
    store = PostgresDatastore(
        dbname=str(known["dbname"]),
        host=str(known["host"]),
        port=str(known.get("port", "5432")),
        user=str(known["user"]),
        password=str(known.get("password", "")),
        pool_size=THREADS,
        max_overflow=0,
        max_waiting=200,
        connect_timeout=30,
    )
    recorder = PostgresDCBRecorderTT(store)
    recorder.create_table()
    app = FastAPI()

    @app.post("/v1/sessions", status_code=201)
    def start(session: Session, response: Response) -> Started:
        own = [f"session:{session.session}", f"plate:{session.plate}"]
        query = DCBQuery([DCBQueryItem(types=["SessionStarted"], tags=own)])
        tags = [*own, f"zone:{session.zone}"]
        event = DCBEvent(type="SessionStarted", data=session.model_dump_json().encode(), tags=tags)
        position = recorder.append([event], DCBAppendCondition(query, after=0))
        response.headers["Log-Position"] = str(position)
        return Started(position=position, session=session.session)

    @app.post("/v1/decided-sessions", status_code=201)
    def decide(session: Session, response: Response) -> Started:
        query = DCBQuery(
            [
                DCBQueryItem(types=["SessionStarted"], tags=[f"session:{session.session}"]),
                DCBQueryItem(types=["ZoneOpened", "ZoneClosed"], tags=[f"rules:{session.zone}"]),
            ]
        )
        found = recorder.read(query)
        known = {one.event.type for one in found}
        if "ZoneClosed" in known or "SessionStarted" in known:
            raise HTTPException(409)
        tags = [f"session:{session.session}", f"plate:{session.plate}", f"zone:{session.zone}"]
        event = DCBEvent(type="SessionStarted", data=session.model_dump_json().encode(), tags=tags)
        position = recorder.append([event], DCBAppendCondition(query, after=found.head))
        response.headers["Log-Position"] = str(position)
        return Started(position=position, session=session.session)

    return app


def main() -> None:
    """Serve on a listening socket that was handed over."""
    listening = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(create_peer(sys.argv[2]), loop="uvloop", http="httptools", access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
