"""The dispute desk's queue: each appeal as a row, with what the desk sorts and filters by.

`due` is what the queue is ordered by: the hearing where one is set, else the end of the period in which the
appeal could be filed. `in_time` is whether it was filed within that period.
"""

from collections.abc import Iterable
from datetime import datetime

from commands.ledger import Appeal, CitationLedger, deadlines, in_time
from projections.dockets import THINGS, docket
from projections.projection import Neighbours, Projection
from projections.table import FOREVER, Row, Table

TABLE = Table(
    {
        "appeal": "text",
        "citation": "text",
        "plate": "text",
        "zone": "text",
        "level": "int2",
        "state": "text",
        "open": "bool",
        "filed_at": "timestamptz",
        "in_time": "bool",
        "hearing_at": "timestamptz",
        "due": "timestamptz",
        "outcome": "text",
        "decided_at": "timestamptz",
    },
    indexes=("open, due", "appeal"),
)


def rows(_: str, state: CitationLedger, neighbours: Neighbours) -> Iterable[Row]:
    """Return a row for each appeal against the citation, also where the citation itself is not known yet."""
    if not state.appeals:
        return
    whole = docket(state, neighbours)
    ends = deadlines(whole)
    for appeal in whole.appeals.values():
        end = ends.first_appeal if appeal.level == 1 else ends.second_level
        yield _row(whole, appeal, end or FOREVER)


def _row(whole: CitationLedger, appeal: Appeal, end: datetime) -> Row:
    hearings = [step for step in appeal.steps if step.hearing_at is not None and step.word != "held"]
    hearing_at = hearings[-1].hearing_at if hearings else None
    decision = appeal.decision
    return (
        appeal.appeal,
        whole.citation,
        whole.plate or None,
        whole.zone or None,
        appeal.level,
        appeal.state,
        appeal.is_open,
        appeal.filed_at,
        in_time(whole, appeal),
        hearing_at,
        hearing_at if hearing_at is not None and appeal.state in {"scheduled", "adjourned"} else end,
        decision.outcome if decision else None,
        decision.at if decision else None,
    )


APPEALS = Projection(
    name="appeals",
    version=1,
    table=TABLE,
    things=THINGS,
    rooted=frozenset({"citation"}),
    rows=rows,
)
