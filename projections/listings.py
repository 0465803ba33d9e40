"""Lists from the read models: a plate's page, the dispute desk's queue, permits, zones, the watchlist.

The position is read first and every list as known at it, so that all parts of an answer agree, whatever is
committed between them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection

from projections.as_of import MODELS, AsOf, oldest
from projections.table import FOREVER

MOST = 500
"""Rows of one list."""

type Listed = tuple[Mapping[str, Any], ...]
"""Rows by column; what has no end is `None`."""

_KNOWN = "known_from <= %(known)s AND known_until > %(known)s"
_RIGHTS: LiteralString = (
    'SELECT kind, "right", zone, start, until, ended_by FROM views.validity'
    f" WHERE plate = %(plate)s AND {_KNOWN} ORDER BY until DESC, start DESC LIMIT %(most)s"
)
_SIGHTINGS: LiteralString = (
    "SELECT read, zone, device, at, recorded, direction, online, answer, answer_right, officer, was"
    f" FROM views.sightings WHERE plate = %(plate)s AND {_KNOWN} ORDER BY at DESC LIMIT %(most)s"
)
_CITATIONS: LiteralString = (
    "SELECT citation, zone, code, kind, issued_at, voided_at FROM views.citations"
    f" WHERE plate = %(plate)s AND {_KNOWN} ORDER BY issued_at DESC LIMIT %(most)s"
)
_ALERTS: LiteralString = (
    "SELECT entry, reason, source, since, until, ended_by FROM views.watchlist"
    f" WHERE plate = %(plate)s AND {_KNOWN} ORDER BY until DESC LIMIT %(most)s"
)
_APPEALS: LiteralString = (
    "SELECT appeal, citation, plate, zone, level, state, open, filed_at, in_time, hearing_at, due, outcome,"
    f" decided_at FROM views.appeals WHERE open = ANY(%(open)s) AND {_KNOWN}"
    " ORDER BY open DESC, due, filed_at, appeal LIMIT %(most)s"
)
_WRITTEN: LiteralString = (
    "SELECT citation, plate, zone, code, kind, issued_at, served_at, voided_at, under_review, discount_until,"
    f" late_fee_at FROM views.citations WHERE {_KNOWN}"
    " AND (%(plates)s::text[] IS NULL OR plate = ANY(%(plates)s))"
    " ORDER BY issued_at DESC, citation LIMIT %(most)s"
)
_PERMITS: LiteralString = (
    "SELECT permit, account, permit_type, zones, plates, valid_from, valid_until, price, state"
    f" FROM views.permits WHERE account = %(account)s AND {_KNOWN}"
    " ORDER BY valid_until DESC, permit LIMIT %(most)s"
)
_ZONES: LiteralString = (
    "SELECT zone, name, timezone, capacity, spaces, lot, opened_at, closed_at FROM views.zones"
    f" WHERE {_KNOWN} ORDER BY zone LIMIT %(most)s"
)
_RESOLVED = "SELECT coalesce(max(position), 0), coalesce(%s::int8, log.position_at(%s)) FROM log.events"


class PlatePage(msgspec.Struct, frozen=True):
    """What the models hold of a plate, newest first; the office decides who sees how much of it."""

    plate: str
    rights: Listed
    sightings: Listed
    citations: Listed
    watchlist: Listed
    known: int
    as_of: AsOf


class Listing(msgspec.Struct, frozen=True):
    """One list, and what it rests on."""

    rows: Listed
    known: int
    as_of: AsOf


class _Reading:
    """Lists as known at one position."""

    def __init__(
        self, connection: Connection[Any], models: set[str], known: int | datetime | None, most: int = MOST
    ) -> None:
        self._connection = connection
        found = connection.execute(MODELS, binary=True).fetchall()
        self.as_of = oldest([AsOf(*row[1:]) for row in found if row[0] in models])
        position = self.as_of.position
        self.known = position if known is None else min(resolved(connection, known)[1], position)
        self._most = most

    def rows(self, statement: LiteralString, **values: object) -> Listed:
        """Return what the statement finds, by column."""
        cursor = self._connection.execute(
            statement, {**values, "known": self.known, "most": self._most}, binary=True
        )
        names = [column.name for column in cursor.description or ()]
        return tuple(
            {name: None if value == FOREVER else value for name, value in zip(names, row, strict=True)}
            for row in cursor.fetchall()
        )


def listed_as_known(
    connection: Connection[Any],
    models: set[str],
    known: int | datetime | None,
    statement: LiteralString,
    **values: object,
) -> tuple[Listed, int, AsOf]:
    """Return what a statement over these models finds as known, the position of that, and how old it is."""
    reading = _Reading(connection, models, known)
    return reading.rows(statement, **values), reading.known, reading.as_of


def resolved(connection: Connection[Any], known: int | datetime) -> tuple[int, int]:
    """Return the head of the log, and the position that `known` means."""
    instant = known if isinstance(known, datetime) else None
    number = known if isinstance(known, int) else None
    row = connection.execute(_RESOLVED, [number, instant]).fetchone()
    return (row[0], row[1]) if row else (0, 0)


def plate_page(connection: Connection[Any], plate: str, known: int | datetime | None) -> PlatePage:
    """Return what is known of a plate."""
    reading = _Reading(connection, {"validity", "sightings", "citations", "watchlist"}, known)
    return PlatePage(
        plate,
        reading.rows(_RIGHTS, plate=plate),
        reading.rows(_SIGHTINGS, plate=plate),
        reading.rows(_CITATIONS, plate=plate),
        reading.rows(_ALERTS, plate=plate),
        reading.known,
        reading.as_of,
    )


def appeals_queue(connection: Connection[Any], known: int | datetime | None, *, closed: bool) -> Listing:
    """Return the open appeals by what is due first; with `closed`, the others after them."""
    reading = _Reading(connection, {"appeals"}, known)
    return Listing(
        reading.rows(_APPEALS, open=[True, False] if closed else [True]), reading.known, reading.as_of
    )


def citations_written(
    connection: Connection[Any], known: int | datetime | None, plates: Sequence[str] | None, most: int
) -> Listing:
    """Return the citations (of these plates, if any are named) that were written last, the newest first."""
    reading = _Reading(connection, {"citations"}, known, min(most, MOST))
    wanted = None if plates is None else list(plates)
    return Listing(reading.rows(_WRITTEN, plates=wanted), reading.known, reading.as_of)


def permits_of(connection: Connection[Any], account: str, known: int | datetime | None) -> Listing:
    """Return an account's permits, those that run longest first."""
    reading = _Reading(connection, {"permits"}, known)
    return Listing(reading.rows(_PERMITS, account=account), reading.known, reading.as_of)


def zones(connection: Connection[Any], known: int | datetime | None) -> Listing:
    """Return all zones."""
    reading = _Reading(connection, {"zones"}, known, most=10_000)
    return Listing(reading.rows(_ZONES), reading.known, reading.as_of)
