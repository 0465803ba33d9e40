"""The citation ledger: each citation as a row, superseded by whatever happens to it or to its payments.

`docket` is the fold itself as JSON, without the policies, which are the same for all: with them,
`commands.ledger` says what stands against the citation at any instant. The other columns are what staff
search and sort by.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from commands.ledger import CitationLedger, deadlines
from projections.dockets import THINGS, docket
from projections.projection import Neighbours, Projection
from projections.table import Row, Table

TABLE = Table(
    {
        "citation": "text",
        "plate": "text",
        "zone": "text",
        "code": "text",
        "kind": "text",
        "issued_at": "timestamptz",
        "issued_position": "int8",
        "served_at": "timestamptz",
        "voided_at": "timestamptz",
        "under_review": "bool",
        "discount_until": "timestamptz",
        "appeal_until": "timestamptz",
        "second_level_until": "timestamptz",
        "late_fee_at": "timestamptz",
        "docket": "text",
    },
    indexes=("plate, issued_at", "zone, issued_at", "issued_at"),
)


def rows(_: str, state: CitationLedger, neighbours: Neighbours) -> Iterable[Row]:
    """Return the one row of a citation, none before the log holds it."""
    if state.issued_at is None:
        return ()
    whole = docket(state, neighbours)
    due = deadlines(whole)
    return (
        (
            state.citation,
            state.plate,
            state.zone,
            state.code,
            state.kind,
            state.issued_at,
            state.issued_position,
            state.services[0][0] if state.services else None,
            state.void.at if state.void else None,
            bool(state.reviews),
            due.discount,
            due.first_appeal,
            due.second_level,
            due.late_fee,
            msgspec.json.encode(replace(whole, adopted=()), order="sorted").decode(),
        ),
    )


CITATIONS = Projection(
    name="citations",
    version=1,
    table=TABLE,
    things=THINGS,
    rooted=frozenset({"citation"}),
    rows=rows,
)
