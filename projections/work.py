"""The topic `work`: which positions of the log concern which share of the read models.

One projector at a time routes, whoever holds the lock; partition *n* of the topic is share *n*. A message
says that there is work and where; what the work is stands in the log. So a message that comes twice, late or
never changes nothing: shares know where they are, and find out for themselves what they were not told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from psycopg import Connection

from event_store.relay import Course, Made
from event_store.relayed import Message
from event_store.topics import WORK
from projections.projection import Projection
from projections.routing import Routing, known_by, routes

_COLUMNS = "e.position, e.type, e.tags"
_BEGIN = "SELECT coalesce(min(position), 0) FROM views.progress WHERE stage = 'following'"


class Work(msgspec.Struct, frozen=True):
    """What a stretch of the log, after one position and up to another, holds for one share.

    `of` has the positions of the events by projection and version; a projection that has none is left out.
    """

    after: int
    upto: int
    of: dict[str, list[int]]
    routed: list[str]
    """The projections that were routed; whoever runs another one finds out for itself."""


read_work = msgspec.json.Decoder(Work).decode


def routing(projections: Sequence[Projection]) -> Course:
    """Return what the router of these projections publishes."""

    def making(
        connection: Connection[Any], position: int, _: Mapping[str, int], partitions: Callable[[str], int]
    ) -> Made:
        shares = partitions(WORK)
        routings = [Routing(projection, shares) for projection in projections]
        routed = [known_by(projection) for projection in projections]
        after = position

        def made(rows: Sequence[Any]) -> Iterable[Message]:
            nonlocal after
            upto = rows[-1][0]
            parts = routes(connection, routings, rows, upto)
            messages = [
                Message(
                    WORK, b"%d" % share, msgspec.json.encode(Work(after, upto, part, routed)), [], upto, share
                )
                for share, part in enumerate(parts)
            ]
            after = upto
            return messages

        return made

    return Course("router", (WORK,), _COLUMNS, _begin, making)


def _begin(connection: Connection[Any]) -> int:
    row = connection.execute(_BEGIN).fetchone()
    return int(row[0]) if row else 0
