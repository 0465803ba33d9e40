"""The library's projection runner with the same table and the same fold as ours, as its users would run it.

The library's log takes queries of one type only, so every event is of the type `Fact`; its payload begins
with the wire name. The library goes on after a restart at the position that its view has tracked, so what the
view knows of a permit has to be in the database with it: each event reads the folds of the things that it
touches, and writes them, the rows and the position in one transaction. Ours reads a fold back from the log's
tags when it is not in memory.

    python -m benchmarks.projections_peer DSN      runs until it is told to end
"""

import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.dcb.api import DCBEvent
from eventsourcing.dcb.application import DCBApplication
from eventsourcing.dcb.domain import Tagged
from eventsourcing.dcb.persistence import DCBMapper
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL

from commands.rights import Payment, Right
from event_store.codec import Codec
from events.base import Event, event_named
from events.envelope import Recorded
from operations.memory import settle_memory
from projections.cells import Cells
from projections.table import OPEN
from projections.validity import VALIDITY

FACT = "Fact"
NAME = "peerlog"
_codec = Codec()
_NOBODY = UUID(int=0)
_COLUMNS = ", ".join(["%s"] * len(VALIDITY.table.types))
_FOLDS = "CREATE TABLE IF NOT EXISTS validity_fold (key text PRIMARY KEY, fold bytea NOT NULL)"
_READ = SQL("SELECT key, fold FROM validity_fold WHERE key = ANY(%s)")
_WRITE = SQL(
    "INSERT INTO validity_fold SELECT * FROM unnest(%s::text[], %s::bytea[])"
    " ON CONFLICT (key) DO UPDATE SET fold = excluded.fold"
)
_THINGS = {thing.kind: thing for thing in VALIDITY.things}
_STATES: dict[str, Any] = {"permit": Right, "session": Right, "exemption": Right, "payment": Payment}
_Drawn = tuple[str, str, str, str, datetime, datetime, str]
_cells = Cells(VALIDITY)
_INSERT = SQL("INSERT INTO views.validity_1 VALUES (" + _COLUMNS + ")")
_CLOSE = SQL("UPDATE views.validity_1 SET known_until = %s WHERE key = %s AND known_from = %s AND part = %s")


def settings(dsn: str) -> dict[str, str]:
    """Return how the library finds the database."""
    known = psycopg.conninfo.conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        f"{NAME.upper()}_PERSISTENCE_MODULE": "eventsourcing.dcb.postgres_tt",
        "MAPPER_TOPIC": "benchmarks.projections_peer:Mapper",
        "POSTGRES_DBNAME": str(known["dbname"]),
        "POSTGRES_HOST": str(known["host"]),
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": str(known["user"]),
        "POSTGRES_PASSWORD": "",
    }


def dcb_event(event: Event) -> DCBEvent:
    """Return an event as the library's log keeps it."""
    encoded = _codec.encode(event)
    data = msgspec.json.encode([encoded.type, event.at]) + b"\n" + encoded.payload
    return DCBEvent(FACT, data, list(encoded.tags))


class Mapper(DCBMapper[Any]):
    """Revives events as quickly as ours do."""

    def to_dcb_event(self, event: Tagged[Any]) -> DCBEvent:
        """Return an event as the log keeps it."""
        return dcb_event(event.decision)

    def to_domain_event(self, event: DCBEvent) -> Tagged[Any]:
        """Return the event of what the log keeps."""
        head, _, payload = event.data.partition(b"\n")
        name, at = msgspec.json.decode(head, type=tuple[str, datetime])
        return Tagged(event.tags, event_named(name).revive(payload, at))


class PeerLog(DCBApplication):
    """The library's log."""

    name = NAME
    env: Mapping[str, str] = {}


class Kept(msgspec.Struct):
    """What the view keeps of a thing: its fold, and its open rows with the place of each."""

    state: bytes
    rows: list[tuple[int, int, _Drawn]] = []


class PeerView(PostgresTrackingRecorder):
    """The table of validity, written an event at a time together with the folds and the position."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Keep nothing in memory."""
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(SQL(_FOLDS).format())

    def take(self, event: Event, tracking: Tracking) -> None:
        """Fold one event, and write what it changes in one transaction with the position.

        Every event of this benchmark carries the tags of all things that its rows follow from.
        """
        position = tracking.notification_id
        entry = Recorded(position, event.at, event, "", "", _NOBODY)
        keys = [key for key in _cells.keys_of(entry) if key.partition(":")[0] in _STATES]
        if not keys:
            self.insert_tracking(tracking)
            return
        with self.datastore.transaction(commit=True) as cursor:
            found = cursor.execute(_READ, [keys], prepare=True).fetchall()
            kept = {row["key"]: msgspec.msgpack.decode(row["fold"], type=Kept) for row in found}
            states = {key: _evolved(key, kept.get(key), entry) for key in keys}
            after = {key: Kept(msgspec.msgpack.encode(states[key])) for key in keys}
            for key in keys:
                if key.startswith(_cells.roots):
                    after[key].rows = _drawn(cursor, position, key, kept.get(key), states)
            packed = [msgspec.msgpack.encode(after[key]) for key in keys]
            cursor.execute(_WRITE, [keys, packed], prepare=True)
            self._insert_tracking(cursor, tracking)


def _drawn(
    cursor: Any, position: int, key: str, kept: Kept | None, states: dict[str, Any]
) -> list[tuple[int, int, _Drawn]]:
    """Write the difference between the rows of a permit and those that now follow; return the open ones."""
    before = {row: (known_from, part) for known_from, part, row in (kept.rows if kept else [])}
    rows: dict[Any, None] = dict.fromkeys(
        VALIDITY.rows(key.partition(":")[2], states[key], {**states, "policy:": ()})
    )
    for row in before.keys() - rows.keys():
        cursor.execute(_CLOSE, [position, key, *before.pop(row)], prepare=True)
    for part, row in enumerate(row for row in rows if row not in before):
        cursor.execute(_INSERT, [key, position, part, OPEN, *row], prepare=True)
        before[row] = (position, part)
    return [(*place, row) for row, place in before.items()]


def _evolved(key: str, kept: Kept | None, entry: Recorded[Event]) -> Any:
    """Return the fold of a thing after one more event."""
    kind, _, name = key.partition(":")
    thing = _THINGS[kind]
    state = msgspec.msgpack.decode(kept.state, type=_STATES[kind]) if kept else thing.initial(name)
    return thing.evolve(state, entry) if type(entry.event) in thing.types else state


class PeerProjection(Projection[PeerView]):
    """Hands every event to the view."""

    name = "peerview"
    topics = (FACT,)

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take one event."""
        self.view.take(domain_event.decision, tracking)


def runner(dsn: str) -> ProjectionRunner[PeerLog, PeerView]:
    """Return the library's runner, started."""
    return ProjectionRunner(
        application_class=PeerLog,
        projection_class=PeerProjection,
        view_class=PeerView,
        env=settings(dsn),
    )


def main(dsn: str) -> None:
    """Run until standard input ends."""
    settle_memory()
    with runner(dsn) as running:
        threading.Thread(target=_end_with_input, args=(running,), daemon=True).start()
        running.run_forever()


def _end_with_input(running: ProjectionRunner[PeerLog, PeerView]) -> None:
    sys.stdin.read()
    running.stop()


if __name__ == "__main__":
    main(sys.argv[1])
