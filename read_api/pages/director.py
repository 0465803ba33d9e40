"""The director's page: the figures of a period at a glance, each with its formula and what it is made of."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from commands.calendar import local_date
from operations.problems import Problem
from projections.reports.basis import PERMITS, basis
from projections.reports.catalogue import Report, report_named
from projections.reports.exporting import figure_text
from projections.reports.questions import narrowed_as, position_known, question_of
from projections.reports.reporting import Answer, Reports
from read_api.door import Here
from read_api.pages.figures import over_text
from read_api.pages.menu import arrive, may_ask, seen_by
from read_api.pages.rendering import HEADERS, POLICY, page, wants_part
from read_api.pages.speaking import spoken
from read_api.reports import Asked, Words, answered

router = APIRouter(include_in_schema=False)

QUESTION = "/v1/reports"
ROWS = 200
_UNITS = {"cents": "amount", "ratio": "rate"}
_CITATION = "/v1/citations/{citation}"
_HEADLINES = (
    "violations",
    "collection_by_value",
    "collection_by_count",
    "revenue",
    "appeal_rate",
    "overturn_rate",
    "compliance",
    "time_to_resolution",
)


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart of the page: a report, what it is parted by, and how it is drawn."""

    name: str
    by: str | None
    heading: str
    drawn: str
    column: str


PANELS = (
    Panel("violations", "lot", "Violations by lot", "bars", "Lot"),
    Panel("revenue", "month", "Permit revenue against plan", "plan", "Month"),
    Panel("collection_by_value", "month", "Collection rate", "line", "Month"),
    Panel("occupancy_by_hour", None, "Occupancy by hour of the day", "share", "Hour"),
    Panel("appeals_by_reason", None, "Appeals, and why they succeed", "bars", "Outcome and reason"),
)


def period_of(said: Mapping[str, str | None], timezone: str) -> dict[str, str | None]:
    """Return the words with a period: the last 31 days, today included, where none is given."""
    today = local_date(datetime.now(UTC), timezone)
    kept = {name: value or None for name, value in said.items() if name != "by"}
    if not kept.get("from") and not kept.get("to"):
        kept["from"], kept["to"] = _days(today, 31)
    return kept


def _days(today: date, days: int) -> tuple[str, str]:
    return (today - timedelta(days=days - 1)).isoformat(), (today + timedelta(days=1)).isoformat()


def figures(
    asked: Reports, said: Mapping[str, str | None], timezone: str
) -> tuple[list[Answer], list[Answer]]:
    """Return the answers of the headlines and of the panels, and last that of the plan, at one position."""
    known = position_known(asked, said.get("known"), timezone)
    pinned = {**said, "known": None if known is None else str(known)}
    shown = [*((name, None) for name in _HEADLINES), *((panel.name, panel.by) for panel in PANELS)]
    questions = [
        (name, question_of(asked, name, {**narrowed_as(name, pinned), "by": by}, timezone))
        for name, by in (*shown, ("plan_variance", "month"))
    ]
    answers = asked.ask_all(questions)
    return answers[: len(_HEADLINES)], answers[len(_HEADLINES) :]


def view_of(
    heads: Sequence[Answer], panels: Sequence[Answer], said: Mapping[str, str | None]
) -> dict[str, Any]:
    """Return what the page shows."""
    *drawn, plan = panels
    given = {name: value for name, value in said.items() if value}
    return {
        "headlines": [_headline(answer, narrowed_as(answer.report.name, given)) for answer in heads],
        "panels": [
            _panel(panel, answer, plan, narrowed_as(panel.name, given))
            for panel, answer in zip(PANELS, drawn, strict=True)
        ],
        "said": said,
        "as_of": heads[0] if heads else None,
        "query": urlencode(given),
    }


def _headline(answer: Answer, given: Mapping[str, str | None]) -> dict[str, Any]:
    row = answer.rows[0] if answer.rows else None
    value = row["value"] if row else None
    return {
        "title": answer.report.title,
        "value": None if value is None else figure_text(answer.report, value),
        "formula": answer.report.formula,
        "over": _over(row, answer.report) if row and answer.report.is_ratio else "",
        "href": f"/director/{answer.report.name}?{urlencode(given)}",
    }


def _over(row: Mapping[str, Any], report: Report) -> str:
    """Return numerator and denominator; where these are cents, as amounts."""
    return over_text(row["numerator"], row["denominator"], of_money=report.denominator.startswith("cents"))


def _panel(panel: Panel, answer: Answer, plan: Answer, given: Mapping[str, str | None]) -> dict[str, Any]:
    report = answer.report
    rows = [row for row in answer.rows if row["value"] is not None]
    planned = {row["part"]: row["planned"] for row in plan.rows} if panel.drawn == "plan" else {}
    by = {"by": panel.by} if panel.by else {}
    return {
        "id": panel.name,
        "heading": panel.heading,
        "formula": report.formula,
        "cohort": report.cohort,
        "column": panel.column,
        "unit": _UNITS.get(report.unit, report.unit),
        "chart": _chart(panel, answer, rows, planned) if rows or planned else None,
        "planned": bool(planned),
        "over": report.is_ratio and panel.drawn != "bars",
        "rows": [
            {
                "part": row["part"] or "(none)",
                "value": str(row["numerator"])
                if panel.drawn == "bars"
                else figure_text(report, row["value"]),
                "over": _over(row, report) if report.is_ratio and panel.drawn != "bars" else "",
                "planned": figure_text(report, planned.get(row["part"])) if planned else "",
                "href": _behind(panel, row["part"] or "", {**given, **by}),
            }
            for row in rows
        ],
        "csv": f"/v1/reports/{panel.name}?{urlencode({**given, **by, 'format': 'csv'})}",
        "parquet": f"/v1/reports/{panel.name}?{urlencode({**given, **by, 'format': 'parquet'})}",
    }


def _behind(panel: Panel, part: str, given: Mapping[str, str | None]) -> str | None:
    """Return where the citations or permits of a figure are listed; of stays there is nothing to list."""
    if panel.name == "occupancy_by_hour":
        return None
    if panel.name == "appeals_by_reason":
        return f"/director/overturn_rate?{urlencode({**given, 'outcome': part.partition(':')[0]})}"
    return f"/director/{panel.name}?{urlencode({**given, 'part': part})}"


def _chart(
    panel: Panel, answer: Answer, rows: Sequence[Mapping[str, Any]], planned: Mapping[str, int]
) -> str:
    from read_api.pages import charts  # noqa: PLC0415 - Bokeh takes a second, which is the first page's to wait

    unit = answer.report.title
    cents = 100 if answer.report.unit == "cents" else 1
    if panel.drawn == "bars":
        return charts.bars([(row["part"] or "(none)", row["numerator"]) for row in rows[:12]], unit)
    points = [(row["part"] or "(none)", row["value"] / cents) for row in rows]
    if panel.drawn == "line":
        return charts.line(points, unit)
    if panel.drawn == "share":
        return charts.columns(points, unit, share=True)
    return charts.columns(points, unit, plan=[(part, value / 100) for part, value in planned.items()])


async def _today(door: Here) -> Sequence[tuple[str, str, str]]:
    """Return the periods that are one press away: `(name, from, to)`."""
    today = local_date(datetime.now(UTC), door.settings.timezone)
    month = today.replace(day=1)
    last = (month - timedelta(days=1)).replace(day=1)
    following = (month + timedelta(days=32)).replace(day=1)
    return (
        ("Today", *_days(today, 1)),
        ("7 days", *_days(today, 7)),
        ("31 days", *_days(today, 31)),
        ("This month", month.isoformat(), following.isoformat()),
        ("Last month", last.isoformat(), month.isoformat()),
        ("12 months", *_days(today, 365)),
    )


Periods = Annotated[Sequence[tuple[str, str, str]], Depends(_today)]


@router.get("/director")
async def director(request: Request, door: Here, asked: Asked, said: Words, periods: Periods) -> Response:
    """Show the figures of a period; the part that lives is asked again when something changes."""
    visitor = arrive(request, QUESTION)
    words = period_of(said, door.settings.timezone)
    charting = asyncio.create_task(asyncio.to_thread(_charting))
    try:
        heads, panels = await answered(asked, lambda: figures(asked, words, door.settings.timezone))
    except Problem as problem:
        if wants_part(request) or problem.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            raise
        wrong = {"wrong": spoken(problem.detail), "said": words, "periods": periods, "query": "", "nonce": ""}
        return page(request, "director.html", {**wrong, **seen_by(visitor)}, problem.status)
    await charting
    drawn = await asyncio.to_thread(view_of, heads, panels, words)  # drawing is too long for the event loop
    view = {**drawn, "position": heads[0].position}
    if wants_part(request):
        return page(request, "glance.html", view)
    nonce = secrets.token_urlsafe(16)
    stream = f"/v1/stream?after={heads[0].position}"
    shown = {
        **view,
        "wrong": "",
        "as_of": None,
        "periods": periods,
        "nonce": nonce,
        "stream": stream,
        **seen_by(visitor),
    }
    answer = page(request, "director.html", shown)
    # Bokeh adds style elements; the nonce lets those of our own script pass, and no others.
    styles = f"style-src 'self' 'nonce-{nonce}'"
    answer.headers["Content-Security-Policy"] = POLICY.replace("style-src 'self'", styles)
    return answer


def _charting() -> None:
    """Import what draws, which takes the first page a second: meanwhile its figures are asked."""
    from read_api.pages import charts  # noqa: F401, PLC0415 - only who looks at figures needs it


def _paper(heads: Sequence[Answer], panels: Sequence[Answer], reader: str) -> bytes:
    from read_api.pages.paper import paper  # noqa: PLC0415 - a second at start that few ever need

    return paper(heads, panels, reader)


@router.get("/director.pdf")
async def director_pdf(request: Request, door: Here, asked: Asked, said: Words) -> Response:
    """Give the same figures as paper."""
    visitor = arrive(request, QUESTION)
    words = period_of(said, door.settings.timezone)
    heads, panels = await answered(asked, lambda: figures(asked, words, door.settings.timezone))
    content = await asyncio.to_thread(_paper, heads, panels, visitor.principal.subject)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="figures.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/director/{name}")
async def behind_figure(
    request: Request,
    door: Here,
    asked: Asked,
    name: str,
    said: Words,
    part: str | None = None,
    outcome: str | None = None,
    skip: int = 0,
) -> Response:
    """Show the citations or permits that a figure is made of."""
    visitor = arrive(request, QUESTION)
    timezone = door.settings.timezone
    words = period_of(said, timezone) | {"by": said.get("by")}
    start = max(0, min(skip, 1_000_000))
    rows, total, position = await answered(
        asked,
        lambda: basis(
            asked,
            name,
            question_of(asked, name, words, timezone),
            part=part,
            outcome=outcome,
            limit=ROWS,
            skip=start,
        ),
    )
    report = report_named(name)
    given = {
        key: value for key, value in {**words, "part": part, "outcome": outcome}.items() if value is not None
    }
    view = {
        "report": report,
        "part": part or outcome,
        "rows": rows,
        "total": total,
        "first": start + 1,
        "last": start + len(rows),
        "of_permits": name in PERMITS,
        "may_open": may_ask(visitor, _CITATION),
        "back": f"/director?{urlencode({k: v for k, v in given.items() if k in {'from', 'to', 'known'}})}",
        "more": f"/director/{name}?{urlencode({**given, 'skip': start + ROWS})}"
        if total > start + len(rows)
        else None,
        "less": f"/director/{name}?{urlencode({**given, 'skip': max(0, start - ROWS)})}" if start else None,
        "position": position,
        **seen_by(visitor),
    }
    return page(request, "behind.html", view)
