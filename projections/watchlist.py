"""The watchlist: whose plate alerts whoever reads it, from when until when, by both clocks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from events.envelope import Recorded
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import FOREVER, Row, Table

TABLE = Table(
    {
        "entry": "text",
        "plate": "text",
        "reason": "text",
        "source": "text",
        "since": "timestamptz",
        "until": "timestamptz",
        "ended_by": "text",
    },
    indexes=("plate, until",),
)


class WatchlistEntry(NamedTuple):
    """An entry as it was added, and when it was cancelled."""

    added: WatchlistEntryAdded | None = None
    cancelled: datetime | None = None


def evolve(state: WatchlistEntry, entry: Recorded[Any]) -> WatchlistEntry:
    """Fold an entry; of several cancellations the first one counts."""
    match entry.event:
        case WatchlistEntryAdded() if state.added is None:
            return state._replace(added=entry.event)
        case WatchlistEntryCancelled(at=at):
            return state._replace(cancelled=min(at, state.cancelled or at))
        case _:
            return state


def rows(name: str, state: WatchlistEntry, _: Neighbours) -> Iterable[Row]:
    """Return the one row of an entry: alerting within `[since, until)`."""
    added = state.added
    if added is None:
        return ()
    expires = added.expires or FOREVER
    until = min(expires, state.cancelled or FOREVER)
    ended_by = "" if until == FOREVER else "expiry" if until == expires else "cancellation"
    return ((name, added.plate, added.reason, added.source, added.at, max(until, added.at), ended_by),)


WATCHLIST = Projection(
    name="watchlist",
    version=1,
    table=TABLE,
    things=(
        Thing(
            "entry",
            types(WatchlistEntryAdded, WatchlistEntryCancelled),
            lambda _: WatchlistEntry(),
            evolve,
        ),
    ),
    rooted=frozenset({"entry"}),
    rows=rows,
)
