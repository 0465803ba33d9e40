"""The reports that there are: each one SQL file, whose header says what its figure means.

A header line is `-- name: text`. `title`, `formula`, `denominator`, `cohort` and `unit` go with every answer;
`by` names what the figure can be parted by, `only` what it can be narrowed down to where that is not all.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from commands.kpis import Ratio

FINDINGS = "findings_by_cause"
"""The one report that is no SQL: a finding follows from the whole evidence of a citation."""

FILTERS = {"zone": "zone", "lot": "lot", "officer": "officer", "device": "device", "type": "kind"}
"""What a figure can be narrowed down to, by the name that people use for it."""

_HEADER = ("title", "formula", "denominator", "cohort", "unit", "by")


class NoSuchReport(LookupError):
    """There is no report of that name."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report: what its figure means, and the SQL that finds it."""

    name: str
    title: str
    formula: str
    denominator: str
    cohort: str
    unit: str
    parts: Sequence[str]
    sql: str
    narrowed: Sequence[str] = tuple(FILTERS)

    @property
    def is_ratio(self) -> bool:
        """Whether the figure is one number over another."""
        return not self.denominator.startswith("none")

    def value(self, numerator: float | None, denominator: float | None) -> float | int | None:
        """Return the figure as it is stated: four decimals, nothing over nothing."""
        if numerator is None:
            return None
        if not self.is_ratio:
            return int(numerator)
        return Ratio(float(numerator), float(denominator or 0)).value


@cache
def reports() -> Mapping[str, Report]:
    """Return every report by its name, in alphabetical order."""
    folder = files("projections.reports.kpis")
    names = sorted(one.name.removesuffix(".sql") for one in folder.iterdir() if one.name.endswith(".sql"))
    found = {name: _read(name, folder.joinpath(f"{name}.sql").read_text(encoding="utf-8")) for name in names}
    found[FINDINGS] = _FINDINGS
    return dict(sorted(found.items()))


def report_named(name: str) -> Report:
    """Return the report of that name.

    Raises:
        NoSuchReport: naming the nearest that there is.

    """
    found = reports().get(name)
    if found is None:
        near = difflib.get_close_matches(name, reports(), n=1)
        hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(reports())}."
        raise NoSuchReport(f"There is no report {name[:60]!r}.{hint}")
    return found


def _read(name: str, text: str) -> Report:
    said = dict(
        line.removeprefix("-- ").split(": ", 1) for line in text.splitlines() if line.startswith("-- ")
    )
    missing = [part for part in _HEADER if part not in said]
    if missing:
        raise ValueError(f"the header of {name}.sql lacks {missing[0]}")
    parts = () if said["by"].startswith("always") else tuple(said["by"].split())
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
    narrowed = tuple(said["only"].split()) if "only" in said else tuple(FILTERS)
    title, formula, denominator, cohort, unit = (said[part] for part in _HEADER[:-1])
    return Report(name, title, formula, denominator, cohort, unit, parts, sql, narrowed)


_FINDINGS = Report(
    FINDINGS,
    "Findings by cause",
    "citations that the evidence finds wrong, by the cause of it",
    "none, it is a count",
    "issue date; voided citations apart",
    "citations",
    (),
    "",
)
