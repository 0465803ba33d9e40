"""The director's figures as a PDF: one sheet to hand round, each figure with its formula and position."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from projections.reports.exporting import figure_text
from projections.reports.reporting import Answer

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
        _line(pdf, f"{answer.report.title}: {figure_text(answer.report, value)}", 12, bold=True)
        _line(pdf, f"{answer.report.formula}; cohort: {answer.report.cohort}", 8)
    for answer in panels:
        if not answer.rows:
            continue
        pdf.ln(3)
        _line(pdf, answer.report.title, 12, bold=True)
        _line(pdf, answer.report.formula, 8)
        for row in answer.rows[:_MOST]:
            over = (
                ""
                if row["denominator"] is None
                else f"   ({row['numerator']:,.0f} / {row['denominator']:,.0f})"
            )
            _line(pdf, f"{row['part'] or '(none)'}   {figure_text(answer.report, row['value'])}{over}", 9)
        if len(answer.rows) > _MOST:
            _line(pdf, f"and {len(answer.rows) - _MOST} more", 9)
    return bytes(pdf.output())


def _line(pdf: FPDF, text: str, size: int, *, bold: bool = False) -> None:
    pdf.set_font("Helvetica", "B" if bold else "", size)
    plain = text.encode("latin-1", "replace").decode("latin-1")  # the built-in fonts know no more
    pdf.multi_cell(0, size * 0.5, plain, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
