"""The list that a device takes along for work without signal: rights and watchlist, as of one position."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import msgspec
from psycopg import Connection

from projections.as_of import MODELS, AsOf, oldest
from projections.table import FOREVER
from projections.validity import EVERY_ZONE

BEFORE = timedelta(days=1)
"""How long ago a right may have ended that is still on the list, for its grace."""

AHEAD = timedelta(days=1)
"""How far ahead a right may begin that is already on the list."""

_KNOWN = "known_from <= %(known)s AND known_until > %(known)s"
_RIGHTS: LiteralString = (
    'SELECT plate, zone, "right", kind, start, until FROM views.validity'
    f" WHERE {_KNOWN} AND until > %(after)s AND start < %(before)s"
    " AND (%(zones)s::text[] IS NULL OR zone = ANY(%(zones)s)) ORDER BY plate, start"
)
_WATCHED: LiteralString = (
    "SELECT plate, entry, reason, since, until FROM views.watchlist"
    f" WHERE {_KNOWN} AND until > %(at)s ORDER BY plate, entry"
)
_RECORDED: LiteralString = "SELECT recorded FROM log.events WHERE position = %s"


class ListedRight(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plate's right within `[start, until)`; without a zone it holds in every one."""

    plate: str
    right: str
    kind: str
    start: datetime
    zone: str | None = None
    until: datetime | None = None


class Watched(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plate to be alerted on, until then."""

    plate: str
    entry: str
    reason: str
    since: datetime
    until: datetime | None = None


class DeviceList(msgspec.Struct, frozen=True):
    """What a device knows when it is offline; `as_of.position` is the list's version."""

    rights: tuple[ListedRight, ...]
    watchlist: tuple[Watched, ...]
    as_of: AsOf


def device_list(
    connection: Connection[Any], at: datetime, zones: Sequence[str] | None, version: int | None = None
) -> DeviceList:
    """Return the list for work from an instant on, in these zones or in all: the newest, or that version.

    The position is read first, and everything else as known at it, so the list is of one version.
    """
    positions = connection.execute(MODELS, binary=True).fetchall()
    as_of = oldest([AsOf(*row[1:]) for row in positions if row[0] in {"validity", "watchlist"}])
    if version is not None:
        row = connection.execute(_RECORDED, [version], binary=True).fetchone()
        as_of = msgspec.structs.replace(as_of, position=version, recorded=row[0] if row else None)
    told = {
        "known": as_of.position,
        "at": at,
        "after": at - BEFORE,
        "before": at + AHEAD,
        "zones": None if zones is None else [*zones, EVERY_ZONE],
    }
    rights = tuple(
        ListedRight(plate, right, kind, start, zone or None, _end(until))
        for plate, zone, right, kind, start, until in connection.execute(_RIGHTS, told, binary=True)
    )
    watched = tuple(
        Watched(plate, entry, reason, since, _end(until))
        for plate, entry, reason, since, until in connection.execute(_WATCHED, told, binary=True)
    )
    return DeviceList(rights, watched, as_of)


def _end(until: datetime) -> datetime | None:
    return None if until == FOREVER else until
