"""What stands behind a figure: the citations or the permits that it was made of, one by one."""

from collections.abc import Sequence
from typing import Any

from projections.reports.asking import Question
from projections.reports.catalogue import report_named
from projections.reports.reporting import Reports, literal

PERMITS = frozenset({"revenue", "revenue_recognised", "plan_variance"})
"""Reports that are made of permits; all others are followed to their citations."""

_COUNTED = {
    "violations": "standing <> 'voided'",
    "collection_by_count": "standing <> 'voided'",
    "compliance": "standing not in ('voided', 'dismissed')",
    "overturn_rate": "outcome is not null",
    "appeals_by_reason": "outcome is not null",
    "time_to_resolution": "outcome is not null",
}
"""Which citations of the cohort a figure counts, where not all: who follows it finds as many."""

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
        ArchiveBehind: if the archive is too far behind the log.

    """
    of_permits = report_named(name).name in PERMITS
    if of_permits:
        conditions = ["in_period(paid_at)" if name != "revenue_recognised" else "true"]
    else:
        conditions = [_COUNTED.get(name, "true") if standing is None else "true"]
    if part is not None:
        conditions.append(f"part is not distinct from {literal(part or None)}")
    if standing is not None and not of_permits:
        conditions.append(f"standing = {literal(standing)}")
    if outcome is not None and not of_permits:
        conditions.append(f"outcome = {literal(outcome)}")
    condition = " and ".join(conditions)
    statement = (_PERMITS if of_permits else _CITATIONS).format(condition=condition, limit=limit, skip=skip)
    count = f"select count(*) from {'revenue_lines' if of_permits else 'cohort'} where {condition}"
    with reports.session(question) as (session, moment):
        found = session.execute(statement)
        columns = [column[0] for column in found.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        total = session.execute(count).fetchone()
    return rows, int(total[0]) if total else 0, moment.position
