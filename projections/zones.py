"""The zones: how each is set up, with its rules as they were last told, for lists and forms.

Which rules hold at an instant is evaluated by `commands.zones`.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from events.envelope import Recorded
from events.zones import ZoneClosed, ZoneOpened, ZoneRulesSet
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import Row, Table

TABLE = Table(
    {
        "zone": "text",
        "name": "text",
        "timezone": "text",
        "capacity": "int4",
        "spaces": "int4",
        "lot": "text",
        "opened_at": "timestamptz",
        "closed_at": "timestamptz",
        "rules": "text",
    }
)


class KnownZone(NamedTuple):
    """The zone's events as they were told."""

    opened: ZoneOpened | None = None
    closed: ZoneClosed | None = None
    rules: tuple[ZoneRulesSet, ...] = ()


def evolve(state: KnownZone, entry: Recorded[Any]) -> KnownZone:
    """Fold an event of the zone; the versions of its rules stand in the order of their effect."""
    match entry.event:
        case ZoneOpened():
            return state._replace(opened=entry.event)
        case ZoneClosed():
            return state._replace(closed=entry.event)
        case ZoneRulesSet():
            versions = sorted((*state.rules, entry.event), key=lambda version: version.effective_from)
            return state._replace(rules=tuple(versions))
        case _:
            return state


def rows(zone: str, state: KnownZone, _: Neighbours) -> Iterable[Row]:
    """Return the one row of a zone, none while nobody opened it."""
    opened, closed = state.opened, state.closed
    if opened is None:
        return ()
    versions = [{"effective_from": v.effective_from, "rules": v.rules} for v in state.rules]
    return (
        (
            zone,
            opened.name,
            opened.timezone,
            opened.capacity,
            opened.spaces,
            opened.lot,
            opened.at,
            closed.at if closed is not None and closed.at > opened.at else None,
            msgspec.json.encode(versions).decode(),
        ),
    )


ZONES = Projection(
    name="zones",
    version=1,
    table=TABLE,
    things=(Thing("zone", types(ZoneOpened, ZoneClosed, ZoneRulesSet), lambda _: KnownZone(), evolve),),
    rooted=frozenset({"zone"}),
    rows=rows,
)
