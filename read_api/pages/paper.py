"""The director's figures as a PDF: one sheet to hand round, each figure with its formula and position."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from projections.reports.catalogue import Report
from projections.reports.exporting import figure_text
from projections.reports.reporting import Answer
from read_api.pages.figures import over_text

_MOST = 24


def paper(heads: Sequence[Answer], panels: Sequence[Answer], reader: str) -> bytes:
    """Return the sheet; `reader` is who asked for it."""
    pdf = FPDF(format="A4")
    pdf.set_title("ParkLedger: figures")
    pdf.set_auto_page_break(auto=True, margin=15)
    pdf.add_page()
    first = heads[0]
    _line(pdf, "Figures of the office", 18, bold=True)
    begin, end = first.question.begin, first.question.end
    period = f"{begin:%d %b %Y}" if begin else "always", f"{end:%d %b %Y}" if end else "now"
    _line(pdf, f"Period from {period[0]} to before {period[1]} ({first.question.timezone}).", 10)
    printed = f"{datetime.now(UTC):%d %b %Y %H:%M} UTC"
    _line(pdf, f"As of position {first.position} of the log. Printed for {reader}, {printed}.", 10)
    pdf.ln(3)
    for answer in heads:
        value = answer.rows[0]["value"] if answer.rows else None
        told = "none" if value is None else _row(answer.report, answer.rows[0])
        _line(pdf, f"{answer.report.title}: {told}", 12, bold=True)
        _line(pdf, f"{answer.report.formula}; cohort: {answer.report.cohort}", 8)
    for answer in panels:
        if not answer.rows:
            continue
        pdf.ln(3)
        _line(pdf, answer.report.title, 12, bold=True)
        _line(pdf, answer.report.formula, 8)
        for row in answer.rows[:_MOST]:
            _line(pdf, f"{row['part'] or '(none)'}   {_row(answer.report, row)}", 9)
        if len(answer.rows) > _MOST:
            _line(pdf, f"and {len(answer.rows) - _MOST} more", 9)
    return bytes(pdf.output())


def _row(report: Report, row: Mapping[str, Any]) -> str:
    if report.unit == "citations":  # of a count, not the share that it is of all
        return f"{row['numerator']:,.0f}"
    of_money = report.denominator.startswith("cents")
    over = over_text(row["numerator"], row["denominator"], of_money=of_money) if report.is_ratio else ""
    return f"{figure_text(report, row['value'])}{f'   ({over})' if over else ''}"


def _line(pdf: FPDF, text: str, size: int, *, bold: bool = False) -> None:
    pdf.set_font("Helvetica", "B" if bold else "", size)
    plain = text.encode("latin-1", "replace").decode("latin-1")  # the built-in fonts know no more
    pdf.multi_cell(0, size * 0.5, plain, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
