"""Permits as accounts and offices list them: whose, of which type, for which plates, how they last stood.

When a permit lets a plate stand is the model `validity`; this one only tells what was said of it.
"""

from collections.abc import Iterable
from typing import Any

from commands.rights import PERMIT_EVENTS, Right, evolve_right, nominal_until
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import FOREVER, Row, Table

TABLE = Table(
    {
        "permit": "text",
        "account": "text",
        "permit_type": "text",
        "zones": "text[]",
        "plates": "text[]",
        "valid_from": "timestamptz",
        "valid_until": "timestamptz",
        "price": "int8",
        "state": "text",
    },
    indexes=("account, valid_until", "permit_type, valid_until"),
)

_STATES = {
    "suspended": "suspended",
    "revoked": "revoked",
    "cancelled": "cancelled",
    "reinstated": "issued",
    "lost": "lost",
}


def rows(_: str, right: Right, __: Neighbours) -> Iterable[Row]:
    """Return the one row of a permit, none before its purchase is known."""
    if not right.known:
        return ()
    state, since, holder = "issued", None, None
    for fact in right.facts:
        state = _STATES.get(fact.what, state)
        if fact.what == "bought" and since is None:
            since = fact.since
        if fact.what in {"bought", "transferred"}:
            holder = fact.account or holder
    plates = tuple(sorted({plate for fact in right.facts for plate in fact.plates}))
    until = nominal_until(right) or FOREVER
    return (
        (
            right.right,
            holder,
            right.permit_type,
            right.zones,
            plates,
            since,
            until,
            right.price,
            state,
        ),
    )


def _permit(name: str) -> Right:
    return Right("permit", name)


THINGS: tuple[Thing[Any], ...] = (Thing("permit", types(*PERMIT_EVENTS), _permit, evolve_right),)

PERMITS = Projection(
    name="permits",
    version=1,
    table=TABLE,
    things=THINGS,
    rooted=frozenset({"permit"}),
    rows=rows,
)
