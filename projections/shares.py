"""A read model whose keys are shared: each share is folded by itself, and has a position of its own.

A share keeps in memory the things that it owns, and their neighbours, whose events all come to it. Whatever
else a batch brought in is forgotten when the batch is done: nobody would tell it what happens to that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from event_store.codec import Codec
from projections.cells import Broken, Cell, Cells, Entry
from projections.changes import Changes, merged
from projections.convoy import Convoy, Stalled, Traveller
from projections.fold import Fold, Source
from projections.history import Page, Stored
from projections.parking import parked_keys
from projections.projection import Projection
from projections.redacting import redacting
from projections.routing import Routing, share_of
from projections.writing import COPY_FROM, as_json, copy_rows

_COMMIT = "SELECT views.commit_shares(%s, %s, %s::json, %s::json)"
_BEGIN = (
    "INSERT INTO views.shares (name, version, build, share, shares, position)"
    " SELECT p.name, p.version, p.build, s, %s, p.position"
    " FROM views.progress p, generate_series(0, %s - 1) s"
    " WHERE (p.name, p.version, p.build) = (%s, %s, %s) AND NOT EXISTS ("
    "   SELECT FROM views.shares x WHERE (x.name, x.version, x.build) = (p.name, p.version, p.build))"
    " ON CONFLICT DO NOTHING"
)
_SHARES = (
    "SELECT share, shares, position, epoch FROM views.shares WHERE (name, version, build) = (%s, %s, %s)"
)
_END = "DELETE FROM views.shares WHERE (name, version, build) = (%s, %s, %s)"
_LEVEL = "UPDATE views.progress SET position = %s WHERE (name, version, build) = (%s, %s, %s)"
LEVEL_BY = 4_000
"""Positions that a share which is behind is brought forward by at a time."""


class OtherShares(RuntimeError):
    """The read models are shared in another number of parts than the topic `work` has partitions.

    To share them anew, run one projector with PARKLEDGER_PROJECTOR_SOURCE=postgresql once.
    """


class SharedCells(Cells):
    """The cells of one share: only what it owns is ever drawn."""

    def __init__(self, projection: Projection, share: int, shares: int, codec: Codec) -> None:
        """Own the keys that hash to `share` of `shares`."""
        super().__init__(projection)
        self._share, self._shares, self._codec = share, shares, codec
        self._new: list[str] = []

    def owns(self, key: str) -> bool:
        """Tell whether a key is of this share."""
        return share_of(self._codec.tag(key), self._shares) == self._share

    def __missing__(self, key: str) -> Cell:
        """Begin a thing."""
        cell = super().__missing__(key)
        if cell.redraw and not self.owns(key):
            cell.redraw = ()
        self._new.append(key)
        return cell

    def meet(self, key: str, cell: Cell, keys: Collection[str]) -> None:
        """Make neighbours; only those of them that are owned are drawn with it."""
        before = cell.redraw
        super().meet(key, cell, keys)
        if len(cell.redraw) > len(before):
            cell.redraw = (*before, *(near for near in cell.redraw[len(before) :] if self.owns(near)))

    def forget_strangers(self) -> None:
        """Forget what came into memory and is neither owned, nor the neighbour of what is, nor looked at."""
        for key in self._new:
            cell = self.get(key)
            if cell is not None and not cell.redraw and not cell.passive:
                del self[key]
        self._new.clear()


class SharedFold(Fold):
    """The fold of one share."""

    def __init__(
        self, projection: Projection, parked: Mapping[str, int], share: int, shares: int, codec: Codec
    ) -> None:
        """Begin with nothing in memory."""
        self._mine = SharedCells(projection, share, shares, codec)
        super().__init__(projection, parked, cells=self._mine)

    def apply(self, entries: Sequence[Entry | Broken], source: Source) -> Changes:
        """Fold a batch and return what it changes of the rows that are owned."""
        changes = super().apply(entries, source)
        self._mine.forget_strangers()
        changes.waiting = {key: n for key, n in changes.waiting.items() if self._mine.owns(key)}
        return changes


class Share(Traveller):
    """One share of a projection on its way along the log; `wanted` are its events on the page at hand."""

    def __init__(
        self, projection: Projection, fold: SharedFold, share: int, shares: int, position: int, epoch: int
    ) -> None:
        """Stand at `position`."""
        super().__init__(projection, position, {})
        self.fold = fold
        self.share, self.shares, self.epoch = share, shares, epoch
        self.wanted: frozenset[int] = frozenset()

    @property
    def identity(self) -> dict[str, Any]:
        """What the database knows it by."""
        name, version, build = self.projection.identity
        return {"name": name, "version": version, "build": build, "share": self.share, "epoch": self.epoch}


def found(
    connection: Connection[Any], projection: Projection, of: int, mine: Collection[int], codec: Codec
) -> list[Share]:
    """Return those of a build's shares that are mine, where their last commits left them.

    Raises:
        OtherShares: if the build is shared in another number of parts.

    """
    connection.execute(_BEGIN, [of, of, *projection.identity])
    rows = connection.execute(_SHARES, projection.identity).fetchall()
    if any(row[1] != of for row in rows):
        raise OtherShares(
            f"The read models are shared in another number of parts than the topic `work` has partitions "
            f"({projection.label}: {rows[0][1]}, not {of}). To share them anew, run one projector with "
            "PARKLEDGER_PROJECTOR_SOURCE=postgresql once."
        )
    return _shares(connection, projection, [row for row in rows if row[0] in mine], codec)


def by_position(
    connection: Connection[Any],
    projection: Projection,
    position: int,
    keys: Collection[str],
    codec: Codec | None = None,
) -> Mapping[int, set[str]]:
    """Return keys by the position that their rows are at: that of their share, or of a model without any."""
    if not keys:
        return {}
    rows = connection.execute(_SHARES, projection.identity).fetchall()
    if not rows:
        return {position: set(keys)}
    codec = codec or Codec.over(connection)
    at = {share: stands_at for share, _, stands_at, _ in rows}
    found: dict[int, set[str]] = {}
    for key in keys:
        found.setdefault(at[share_of(codec.tag(key), len(rows))], set()).add(key)
    return found


def _shares(
    connection: Connection[Any], projection: Projection, rows: Iterable[Any], codec: Codec
) -> list[Share]:
    parked = parked_keys(connection, projection)
    return [
        Share(projection, SharedFold(projection, parked, share, of, codec), share, of, position, epoch)
        for share, of, position, epoch in rows
    ]


class ShareConvoy(Convoy):
    """Moves shares along the log; those that are moved together are committed together."""

    def take(self, shares: Sequence[Share], upto: int) -> Sequence[Stalled]:
        """Move shares that stand at one position by a page that ends at `upto`; each knows what it wants.

        Returns those that could not be moved at all.

        Raises:
            psycopg.errors.SerializationFailure: if another projector has one of them.

        """
        wanted = sorted(set[int]().union(*(one.wanted for one in shares)))
        page = Page(upto, datetime.now(UTC), self._reader.at(wanted) if wanted else ())
        try:
            self._move(shares, page)
        except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
            raise
        except Exception:  # noqa: BLE001 - found again below, and shown where it belongs
            return self._one_by_one(shares, page)
        return ()

    def bring(self, share: Share, upto: int) -> Sequence[Stalled]:
        """Move one share to a position, finding out from the log what concerns it."""
        routing = Routing(
            share.projection, share.shares
        )  # a kept one would miss pages, and with them neighbours
        while share.position < upto:
            end = min(upto, share.position + self.page_size)
            parts = routing.read(self._connection, share.position, end)
            share.wanted = frozenset(parts[share.share])
            stalled = self.take([share], end)
            if stalled:
                return stalled
        return ()

    def _move(self, travellers: Sequence[Traveller], page: Page) -> None:
        old = travellers[0].position
        parts = [(one, [e for e in page.entries if e.position in one.wanted]) for one in _of(travellers)]
        missing = set[str]().union(*(one.fold.missing(entries) for one, entries in parts))
        untouched = self._reader.untouched(missing, old)
        changes: dict[str, tuple[Projection, list[Changes]]] = {}
        for one, entries in parts:
            source = Stored(self._connection, one.projection, old, untouched)
            if entries:
                kept = changes.setdefault(one.projection.label, (one.projection, []))
                kept[1].append(one.fold.apply(entries, source))
        try:
            whole = [(projection, merged(several)) for projection, several in changes.values()]
            mine = {(one.share, one.shares) for one, _ in parts}
            told = [entry for entry in page.entries if any(entry.position in one.wanted for one, _ in parts)]
            with redacting(
                self._connection,
                {one.projection.label: one.projection for one, _ in parts}.values(),
                told,
                lambda key: any(share_of(key, of) == share for share, of in mine),
            ):
                _commit(self._connection, old, page.upto, [one for one, _ in parts], whole)
        except BaseException:
            self._go_back(travellers)
            raise
        for traveller in travellers:
            traveller.position = page.upto


def _of(travellers: Iterable[Traveller]) -> list[Share]:
    return [one for one in travellers if isinstance(one, Share)]


def _commit(
    connection: Connection[Any],
    old: int,
    new: int,
    shares: Sequence[Share],
    changes: Sequence[tuple[Projection, Changes]],
) -> None:
    """Write the changes and move the shares, or do nothing.

    Raises:
        psycopg.errors.SerializationFailure: if somebody else moved one of them.

    """
    large = [(projection, change) for projection, change in changes if len(change.opened) >= COPY_FROM]
    moves = msgspec.json.encode([one.identity for one in shares]).decode()
    told = msgspec.json.encode(
        [as_json(p, c, copied=len(c.opened) >= COPY_FROM) for p, c in changes if not c.empty]
    ).decode()
    with connection.transaction():
        for projection, change in large:
            copy_rows(connection, projection, change.opened)
        connection.execute(_COMMIT, [old, new, moves, told])


def level(connection: Connection[Any], projection: Projection, codec: Codec | None = None) -> None:
    """Bring all shares of a build to where the first of them is, and end the sharing.

    Only for whoever has the build to itself: then its position is that of all its keys again.
    """
    codec = codec or Codec.over(connection)
    rows = connection.execute(_SHARES, projection.identity).fetchall()
    if not rows:
        return
    target = max(row[2] for row in rows)
    convoy = ShareConvoy(connection, LEVEL_BY)
    for one in _shares(connection, projection, rows, codec):
        for stalled in convoy.bring(one, target):
            raise RuntimeError(stalled.error)
    with connection.transaction():
        connection.execute(_LEVEL, [target, *projection.identity])
        connection.execute(_END, projection.identity)
