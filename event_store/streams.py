"""How the programs between log and Kafka are: position, backlog, proof of life and what is in their way.

Written by each of them at least every second while it runs, read by health, metrics and the operator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

_LOCK = 0x7061726B73747265
_TABLE = """
create schema if not exists streams;
create table if not exists streams.programs (
    service  text        not null,             -- relay, ingest, router
    name     text        not null,             -- whose prefix or which member of a group
    position bigint      not null default 0,   -- relay, router: everything up to here is in their topics
    waiting  bigint      not null default 0,   -- messages or events that wait for it
    trouble  text,                             -- why it cannot go on, if it cannot
    alive_at timestamptz not null default clock_timestamp(),
    primary key (service, name)
) with (fillfactor = 50)
"""
_REPORT = """
insert into streams.programs (service, name, waiting, trouble) values (%s, %s, %s, %s)
on conflict (service, name) do update
set waiting = excluded.waiting, trouble = excluded.trouble, alive_at = clock_timestamp()
"""
_FOUND = """
select service, name, position,
    case when service not in ('relay', 'router') then waiting
         else greatest(0, (select coalesce(max(position), 0) from log.events) - position) end,
    trouble, greatest(0, extract(epoch from clock_timestamp() - alive_at))::float8, alive_at
from streams.programs where alive_at > clock_timestamp() - interval '1 hour' order by service, name
"""
_THERE = "select to_regclass('streams.programs') is not null"


@dataclass(frozen=True, slots=True)
class Program:
    """One of them; `waiting` counts what it has not taken yet."""

    service: str
    name: str
    position: int
    waiting: int
    trouble: str | None
    alive_seconds: float
    alive_at: datetime


def ensure(connection: Connection[Any]) -> None:
    """Make the table; several processes may do so at once."""
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute("set local client_min_messages to warning")
        connection.execute(_TABLE.encode(), prepare=False)


def report(connection: Connection[Any], service: str, name: str, waiting: int, trouble: str | None) -> None:
    """Prove that a program is alive, and tell how it is."""
    connection.execute(_REPORT, [service, name, waiting, trouble])


def programs(connection: Connection[Any]) -> Sequence[Program]:
    """Return all that proved alive within an hour; none where Kafka was never used."""
    if connection.execute(_THERE).fetchone() != (True,):
        return ()
    return [Program(*row) for row in connection.execute(_FOUND).fetchall()]
