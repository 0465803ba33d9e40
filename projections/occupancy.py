"""How full a zone is at an instant: the rights in force there, and the vehicles that stand there.

A vehicle stands where it was read last within a day (`commands.stays.UNSEEN`) unless that was an exit, and
where a session of it is in force.
"""

from datetime import datetime
from typing import Any, LiteralString

import msgspec
from psycopg import Connection

from projections.as_of import AsOf
from projections.listings import listed_as_known

MODELS = frozenset({"validity", "sightings"})
_KNOWN = "known_from <= %(known)s AND known_until > %(known)s"
_COUNTS: LiteralString = f"""
    WITH seen AS (
        SELECT DISTINCT plate FROM views.sightings WHERE zone = %(zone)s
        AND at > %(at)s::timestamptz - interval '1 day' AND at <= %(at)s AND {_KNOWN}
    ), standing AS (
        SELECT seen.plate FROM seen, LATERAL (
            SELECT zone, direction FROM views.sightings s
            WHERE s.plate = seen.plate AND at <= %(at)s AND {_KNOWN} ORDER BY at DESC LIMIT 1
        ) last WHERE last.zone = %(zone)s AND last.direction <> 'exit'
    ), covered AS (
        SELECT DISTINCT kind, "right", plate FROM views.validity
        WHERE zone = %(zone)s AND start <= %(at)s AND until > %(at)s AND {_KNOWN}
    )
    SELECT (SELECT count(DISTINCT "right") FROM covered WHERE kind = 'permit') AS permits,
        (SELECT count(DISTINCT "right") FROM covered WHERE kind = 'session') AS sessions,
        (SELECT count(*) FROM (
            SELECT plate FROM standing UNION SELECT plate FROM covered WHERE kind = 'session') v) AS vehicles
"""


class Occupancy(msgspec.Struct, frozen=True):
    """Permits and sessions in force in a zone, and the vehicles that stand there."""

    permits: int
    sessions: int
    vehicles: int
    known: int
    as_of: AsOf


def occupancy(
    connection: Connection[Any], zone: str, at: datetime, known: int | datetime | None
) -> Occupancy:
    """Return how full a zone is at an instant, by what is known."""
    rows, position, as_of = listed_as_known(connection, set(MODELS), known, _COUNTS, zone=zone, at=at)
    return Occupancy(**rows[0], known=position, as_of=as_of)
