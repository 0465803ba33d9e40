"""Answers of reports as JSON, CSV and Parquet, each with what the figure means and what it rests on."""

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from event_store.archive import parquet
from projections.reports.catalogue import Report
from projections.reports.reporting import Answer

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def said_of(answer: Answer) -> Mapping[str, str]:
    """Return what goes with every figure, in words."""
    report, question = answer.report, answer.question
    begin, end = (one.isoformat() if one else "always" for one in (question.begin, question.end))
    said = {
        "report": report.title,
        "formula": report.formula,
        "denominator": report.denominator,
        "cohort": report.cohort,
        "unit": report.unit,
        "period": f"[{begin}, {end})",
        "position": str(answer.position),
    }
    if question.narrowed():
        said["only"] = ", ".join(f"{name} {value}" for name, value in question.narrowed().items())
    return said


def as_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON values."""
    report, question = answer.report, answer.question
    return {
        "report": report.name,
        "title": report.title,
        "formula": report.formula,
        "denominator": report.denominator,
        "cohort": report.cohort,
        "unit": report.unit,
        "from": question.begin,
        "to": question.end,
        "timezone": question.timezone,
        "only": question.narrowed(),
        "by": question.by,
        "empty": answer.empty,
        "rows": [_plain(row) for row in answer.rows],
        "as_of": {"position": answer.position, "recorded": answer.recorded, "age_ms": 0.0},
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()}


def answer_json(answer: Answer) -> str:
    """Return an answer as one line of JSON."""
    return msgspec.json.encode(as_dict(answer)).decode()


def answer_table(answer: Answer) -> pa.Table:
    """Return the rows of an answer as columns, what the figure means as metadata of the table."""
    columns = list(answer.rows[0]) if answer.rows else ["part", "numerator", "denominator", "value"]
    kinds = {
        "part": pa.string(),
        "value": pa.float64(),
        "numerator": pa.float64(),
        "denominator": pa.float64(),
    }
    arrays = [
        pa.array([_number(row[name]) for row in answer.rows], kinds.get(name, pa.float64()))
        for name in columns
    ]
    return pa.table(arrays, names=columns).replace_schema_metadata(dict(said_of(answer)))


def _number(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else float(value)


def answer_parquet(answer: Answer) -> bytes:
    """Return an answer as a Parquet file."""
    return parquet(answer_table(answer))


def answer_csv(answer: Answer) -> str:
    """Return an answer as comma-separated values: a heading, then a line for each part.

    Every line repeats formula and position, so that a line that was copied elsewhere still says what it is.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ["part", "numerator", "denominator", "value"]
    further = [name for name in (answer.rows[0] if answer.rows else ()) if name not in names]
    writer.writerow([*names, *further, "unit", "formula", "position"])
    report = answer.report
    for row in answer.rows:
        cells = [row[name] for name in (*names, *further)]
        writer.writerow([*map(_cell, cells), report.unit, _cell(report.formula), answer.position])
    return out.getvalue()


def table_csv(rows: list[dict[str, Any]]) -> str:
    """Return rows as comma-separated values under their own names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def figure_text(report: Report, value: float | None) -> str:
    """Return a figure as people read it, in its unit."""
    if value is None:
        return "nothing"
    if report.unit == "cents":
        return f"{value / 100:,.2f}"
    if report.unit == "ratio":
        return f"{value:.2%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f} {report.unit}"
