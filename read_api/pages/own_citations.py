"""A citation as who has to answer for it sees it: where it stands, and what can be done about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from commands.holds import Appeal
from commands.ledger import CitationLedger, deadlines, payable, stage
from read_api.pages.desk import address_of
from read_api.pages.figures import instant_text, money_text


def citation_of(docket: CitationLedger, now: datetime) -> dict[str, Any]:
    """Return a citation as the page shows it: where it stands, and what can be done."""
    info = ZoneInfo(docket.timezone or "UTC")
    due = payable(docket, now)
    word = stage(docket, now)
    appeals = list(docket.appeals.values())
    limits = deadlines(docket)
    level = 2 if any(one.level == 1 and one.decision is not None for one in appeals) else 1
    limit = limits.second_level if level == 2 else limits.first_appeal  # noqa: PLR2004 - the second level
    open_now = any(one.is_open for one in appeals)
    over = word in {"voided", "dismissed"} or docket.kind == "warning"
    free = not over and not open_now and not _exhausted(appeals)
    may = free and (limit is None or now < limit)
    return {
        "citation": docket.citation,
        "href": address_of(docket.citation),
        "plate": docket.plate,
        "zone": docket.zone,
        "code": docket.code,
        "issued": docket.issued_at,
        "info": info,
        "stage": word,
        "class": "word-good" if word in {"paid", "voided", "dismissed"} else "word-bad",
        "line": _line(docket, due, now, info),
        "payable": due,
        "appeals": [_appeal(one) for one in appeals],
        "appeal_open": open_now,
        "may_appeal": may,
        "appeal_by": limit if may else None,
        "may_ask_late": free and not may and not appeals,
        "level": level,
    }


def _exhausted(appeals: Sequence[Appeal]) -> bool:
    return any(one.level == 2 and one.decision is not None for one in appeals)  # noqa: PLR2004 - the last level


def _line(docket: CitationLedger, due: int, now: datetime, info: ZoneInfo) -> str:
    if due <= 0:
        return "Nothing is to be paid."
    limits = deadlines(docket)
    if limits.discount is not None and now < limits.discount:
        return f"{money_text(due)} settles it until {instant_text(limits.discount, info)}."
    if limits.late_fee is not None and now < limits.late_fee:
        return f"{money_text(due)} is due; a late fee is added on {instant_text(limits.late_fee, info)}."
    return f"{money_text(due)} is due."


def _appeal(appeal: Appeal) -> dict[str, Any]:
    decision = appeal.decision
    words = f"decided, {decision.outcome}" if decision else appeal.state.replace("_", " ")
    return {"appeal": appeal.appeal, "level": appeal.level, "words": words, "open": appeal.is_open}
