"""The evidence pack for people: a PDF that begins with the finding, and carries what proves it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from events.catalogue import CATALOGUE
from read_api.pages.figures import instant_text, money_text
from read_api.pages.words import wording

_GREY = FontFace(color=(90, 96, 104))
_HEAD = FontFace(emphasis="BOLD", fill_color=(236, 239, 243))
_WIDTHS = (8, 34, 34, 84)
_HOW = (
    "Attached to this file are pack.json, which holds every entry below exactly as the log keeps it with its "
    "proof, and verify.py, which checks them with Python alone, offline: python verify.py pack.json "
    "--key KEY. "
    "Compare the key with the one that the office published."
)


def pdf_of(pack: Mapping[str, Any], attached: Mapping[str, bytes]) -> bytes:
    """Return the PDF of a pack with these files attached."""
    about = pack["about"]
    zone = ZoneInfo(about["timezone"])
    pdf = _Sheet(f"Citation {about['citation']}")
    pdf.add_page()
    if about["first_line"]:
        pdf.line_of(about["first_line"], 14, "B")
    pdf.facts(_facts(about, zone))
    pdf.heading("Every entry, in the order in which it happened")
    pdf.entries(about["entries"], zone)
    pdf.heading("How to check this without trusting anybody")
    pdf.line_of(_HOW, 9)
    pdf.code(pack["checkpoint"].strip())
    pdf.code(f"key: {pack['key']}")
    for name, content in attached.items():
        pdf.embed_file(bytes=content, basename=name, desc=name)
    return bytes(pdf.output())


class _Sheet(FPDF):
    """A4 in the fonts that every reader has; characters outside Latin-1 are shown as `?`."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.set_title(title)
        self.set_creator("ParkLedger")
        self.set_margin(16)
        self.set_auto_page_break(auto=True, margin=18)

    def header(self) -> None:
        self.set_font("Helvetica", "B", 16)
        self.cell(0, 10, _latin(self._title), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font("Helvetica", "", 8)
        self.cell(0, 8, f"{_latin(self._title)}, page {self.page_no()}", align="C")

    def heading(self, text: str) -> None:
        self.ln(3)
        self.line_of(text, 12, "B")

    def line_of(self, text: str, size: int, style: str = "") -> None:
        self.set_font("Helvetica", style, size)
        self.multi_cell(0, size * 0.5, _latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def code(self, text: str) -> None:
        self.set_font("Courier", "", 7.5)
        self.multi_cell(0, 4, _latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=WrapMode.CHAR)
        self.ln(1)

    def facts(self, facts: Mapping[str, str]) -> None:
        self.set_font("Helvetica", "", 10)
        with self.table(col_widths=(40, 120), borders_layout="NONE", first_row_as_headings=False) as table:
            for name, value in facts.items():
                row = table.row()
                row.cell(_latin(name), style=_GREY)
                row.cell(_latin(value))

    def entries(self, entries: list[dict[str, Any]], zone: ZoneInfo) -> None:
        self.set_font("Helvetica", "", 8)
        with self.table(
            col_widths=_WIDTHS, borders_layout="HORIZONTAL_LINES", headings_style=_HEAD, line_height=4
        ) as table:
            heads = table.row()
            for name in ("No.", "Occurred", "Recorded", "What"):
                heads.cell(name)
            for entry in entries:
                row = table.row()
                at, recorded = (datetime.fromisoformat(entry[name]) for name in ("at", "recorded"))
                event = CATALOGUE[entry["type"]].model_validate({**entry["fields"], "at": at})
                words = wording(event, zone)
                what = f"{words.title}. {words.detail}" if words.detail else words.title
                for text in (
                    str(entry["position"]),
                    instant_text(at, zone),
                    instant_text(recorded, zone),
                    what,
                ):
                    row.cell(_latin(text))


def _facts(about: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    state, found = about["state"], about["finding"]
    facts = {
        "Plate, zone, violation": f"{state['plate']}, {state['zone']}, {state['code']}",
        "Issued": instant_text(datetime.fromisoformat(state["issued"]), zone),
        "Stage": state["stage"],
        "Balance, payable": f"{money_text(state['balance'])}, {money_text(state['payable'])}",
        "As known at": f"position {about['known']} of the log",
    }
    if found:
        facts["Finding"] = f"{found['disposition']}, {found['reason']}"
        if found["cause"]:
            facts["Cause"] = " ".join(str(v) for v in found["cause"].values() if v is not None)
        facts["The officer"] = "erred, given the screen" if found["officer_erred"] else "did not err"
        facts["Rests on entries"] = ", ".join(map(str, found["positions"]))
    return facts


def _latin(text: str) -> str:
    """Return what the fonts of every reader can show."""
    plain = text.translate({0x201C: '"', 0x201D: '"', 0x2019: "'", 0x2212: "-", 0x2014: "--", 0xB7: "-"})
    return plain.encode("latin-1", "replace").decode("latin-1")
