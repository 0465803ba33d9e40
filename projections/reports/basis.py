"""What stands behind a figure: the citations or the permits that it was made of, one by one."""

from collections.abc import Sequence
from typing import Any

from projections.reports.asking import Question
from projections.reports.catalogue import FINDINGS, report_named
from projections.reports.questions import BadQuestion
from projections.reports.reporting import Reports, literal

PERMITS = frozenset({"revenue", "revenue_recognised", "plan_variance"})
"""Reports that are made of permits."""

SEEN = frozenset({"coverage", "occupancy", "occupancy_by_hour", "turnover"})
"""Reports that are made of reads and sessions alone; all others are followed to their citations."""

_COUNTED = {
    "violations": "standing <> 'voided'",
    "collection_by_count": "standing <> 'voided'",
    "compliance": "standing not in ('voided', 'dismissed')",
    "overturn_rate": "outcome is not null",
    "appeals_by_reason": "outcome is not null",
    "time_to_resolution": "resolved > 0",
    FINDINGS: "standing <> 'voided'",
}
"""Which citations of the cohort a figure counts, where not all: who follows it finds as many."""

_REASONED = """
    outcome || ': ' || coalesce((
        select arg_max_null(e.reason, e."position") from few_known_events e
        where e.type = 'AppealDecided' and e.citation = cohort.citation and e.occurred = cohort.decided_at
    ), 'no reason given')"""
"""The part of `appeals_by_reason` that a citation is counted in."""

_CITATIONS = """
    select citation, issued_at, zone, lot, code, officer, device, standing, fine, paid, balance, appealed,
        outcome
    from cohort where {condition} order by issued_at desc, citation limit {limit} offset {skip}
"""
_PERMITS = """
    select permit, permit_type, payment, paid_at, start, until, kept
    from revenue_lines where {condition} order by paid_at desc, permit limit {limit} offset {skip}
"""


def basis(
    reports: Reports,
    name: str,
    question: Question,
    *,
    part: str | None = None,
    standing: str | None = None,
    outcome: str | None = None,
    limit: int = 100,
    skip: int = 0,
) -> tuple[Sequence[dict[str, Any]], int, int]:
    """Return the citations or permits behind a report's figure, how many there are, and the position.

    `part` is one of the parts that the report was parted into, `outcome` how their appeals were decided.
    `standing` asks where the citations of the cohort stand, also of those that the figure leaves out.

    Raises:
        NoSuchReport: if there is none of that name.
        BadQuestion: if it is made of reads and sessions, of which there is nothing to list.
        ArchiveBehind: if the archive is too far behind the log.

    """
    of_permits = report_named(name).name in PERMITS
    if name in SEEN:
        raise BadQuestion("name", f"{name} is made of reads and sessions, and of no citations or permits")
    conditions = [_counted(name, standing)]
    if part is not None and name != FINDINGS:
        parts = _REASONED if name == "appeals_by_reason" else "part"
        conditions.append(f"{parts} is not distinct from {literal(part or None)}")
    if standing is not None and not of_permits:
        conditions.append(f"standing = {literal(standing)}")
    if outcome is not None and not of_permits:
        conditions.append(f"outcome = {literal(outcome)}")
    with reports.session(question) as (session, moment):
        if name == FINDINGS and standing is None:
            wrong = reports.wrong(session, moment)
            named = [citation for citation, cause in wrong.items() if part in {None, cause}]
            conditions.append(f"list_contains({literal(named)}::varchar[], citation)")
        condition = " and ".join(conditions)
        statement = (_PERMITS if of_permits else _CITATIONS).format(
            condition=condition, limit=limit, skip=skip
        )
        count = f"select count(*) from {'revenue_lines' if of_permits else 'cohort'} where {condition}"
        found = session.execute(statement)
        columns = [column[0] for column in found.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        total = session.execute(count).fetchone()
    return rows, int(total[0]) if total else 0, moment.position


def _counted(name: str, standing: str | None) -> str:
    """Return the condition of what the figure counts; of any citation where it is asked how they stand."""
    if name == "revenue_recognised":
        return (
            "until > coalesce(getvariable('period_from')::timestamptz, start)"
            " and start < coalesce(getvariable('period_to')::timestamptz, until)"
        )
    if name in PERMITS:
        return "in_period(paid_at)"
    return _COUNTED.get(name, "true") if standing is None else "true"
