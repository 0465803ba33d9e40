"""Which share of the work an event belongs to, where several projectors share the keys of a read model.

A share owns the rows of the keys that hash to it. Their rows follow from their own events and from those of
their neighbours, so an event goes to the shares of the keys that it touches and have rows, and of those of
their neighbours that do. What is only looked at (hubs and common things) goes to all.

Neighbours are taken as of the end of the page that is routed: whoever becomes a neighbour within it has seen
all of the page. An event too many does no harm: a share folds it, and draws nothing of what is not its own.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from psycopg import Connection

from events.privacy import RetentionKeyDestroyed
from projections.projection import Projection

REMEMBERED = 500_000
"""Keys whose neighbours are remembered between pages; all are forgotten when there are more."""

_NEAR = (
    "SELECT t.tag, e.tags FROM log.tags t"
    " CROSS JOIN LATERAL (SELECT * FROM log.events e WHERE e.position = t.position OFFSET 0) e"
    " WHERE t.tag = ANY(%s) AND t.type = ANY(%s) AND t.position <= %s"
)
_ROWS = (
    "SELECT position, type, tags FROM log.events WHERE position > %s AND position <= %s AND type = ANY(%s)"
    " ORDER BY position"
)

type Heading = tuple[int, str, Sequence[str]]
"""Position, wire name and tags of an event, as the log keeps them."""


def share_of(tag: str, shares: int) -> int:
    """Return the share that owns a key, by its tag as the log keeps it (CRC-32, the same everywhere)."""
    return crc32(tag.encode()) % shares


class Routing:
    """Routes the events of one projection to its shares, page after page."""

    def __init__(self, projection: Projection, shares: int) -> None:
        """Remember no neighbours yet."""
        self.projection = projection
        self._shares = shares
        self._types = projection.types
        self._looked_at = {t.kind for t in projection.things if t.hub or t.common}
        self._followed = projection.kinds - self._looked_at
        self._to_all = {e.__name__ for t in projection.things if t.hub or t.common for e in t.types}
        self._to_all |= {RetentionKeyDestroyed.__name__} & self._types  # each share redacts what it owns
        self._near: dict[str, set[str]] = {}

    def route(self, connection: Connection[Any], headings: Iterable[Heading], upto: int) -> list[list[int]]:
        """Return the positions of each share's events, in order; `upto` is where the page ends."""
        page = [(p, t, self._keys(tags)) for p, t, tags in headings if t in self._types]
        self._learn(connection, page, upto)
        found: list[list[int]] = [[] for _ in range(self._shares)]
        for position, name, keys in page:
            for share in range(self._shares) if name in self._to_all else self._homes(keys):
                found[share].append(position)
        return found

    def read(self, connection: Connection[Any], after: int, upto: int) -> list[list[int]]:
        """Return the same of what the log holds after one position and up to another."""
        rows = connection.execute(_ROWS, [after, upto, sorted(self._types)]).fetchall()
        return self.route(connection, rows, upto)

    def _keys(self, tags: Iterable[str]) -> list[str]:
        return [tag for tag in tags if tag.partition(":")[0] in self._followed]

    def _with_rows(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if key.partition(":")[0] in self.projection.rooted]

    def _homes(self, keys: Iterable[str]) -> set[int]:
        return {share_of(near, self._shares) for key in keys for near in self._near[key]}

    def _learn(
        self, connection: Connection[Any], page: Sequence[tuple[int, str, list[str]]], upto: int
    ) -> None:
        """Get to know the neighbours, with rows, of all keys of a page; a key with rows is its own."""
        if len(self._near) > REMEMBERED:
            self._near.clear()
        new = list({key for _, _, keys in page for key in keys if key not in self._near})
        for key in new:
            self._near[key] = set(self._with_rows([key]))
        if new:
            for tag, tags in connection.execute(_NEAR, [new, sorted(self._types), upto]):
                self._near[tag].update(self._with_rows(tags))
        for _, _, keys in page:
            rooted = self._with_rows(keys)
            for key in keys:
                self._near[key].update(rooted)


def routes(
    connection: Connection[Any], routings: Sequence[Routing], rows: Sequence[Heading], upto: int
) -> list[dict[str, list[int]]]:
    """Return for each share what concerns it of every projection, by the projection's name and version."""
    found = {known_by(r.projection): r.route(connection, rows, upto) for r in routings}
    shares = len(next(iter(found.values()), ()))
    return [{name: parts[share] for name, parts in found.items() if parts[share]} for share in range(shares)]


def known_by(projection: Projection) -> str:
    """Return what messages call a projection: all builds of a version are routed alike."""
    return f"{projection.name}/{projection.version}"
