"""The office's plan: what it means to take and to patrol, month by month, in a CSV file of its own.

    measure,month,permit_type,zone,target
    revenue,2026-09,commuter,,1250000
    zone_passes,2026-09,,F,60

`revenue` is in cents by permit type (empty: all), `zone_passes` a number of passes by zone. The file is read
again whenever it changes.
"""

import csv
import io
import re
from pathlib import Path

import duckdb

MEASURES = ("revenue", "zone_passes")
COLUMNS = ("measure", "month", "permit_type", "zone", "target")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")

type Line = tuple[str, str, str | None, str | None, int]


class BadPlan(ValueError):
    """The file of planned figures cannot be read; the message names the line."""


def lines_of(file: Path) -> list[Line]:
    """Return the lines of a plan.

    Raises:
        BadPlan: naming the line, and what is wrong with it.

    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPlan(f"{file.name} is not UTF-8 text; save it as CSV in UTF-8.") from error
    except OSError as error:
        raise BadPlan(f"{file.name} cannot be read: {error.strerror}.") from error
    try:
        rows = csv.DictReader(io.StringIO(text, newline=""))
        missing = [name for name in ("measure", "month", "target") if name not in (rows.fieldnames or ())]
        if missing:
            raise BadPlan(f"{file.name}: the heading lacks the column {missing[0]}.")
        return [_line(file.name, rows.line_num, row) for row in rows]
    except csv.Error as error:
        raise BadPlan(f"{file.name} cannot be read as CSV: {error}.") from error


def _line(name: str, number: int, row: dict[str, str | None]) -> Line:
    if None in row:  # such as a target that is written 1,250,000
        raise BadPlan(f"{name}, line {number}: there are more values than columns.")
    measure, month, target = ((row.get(one) or "").strip() for one in ("measure", "month", "target"))
    if measure not in MEASURES:
        raise BadPlan(f"{name}, line {number}: measure is {' or '.join(MEASURES)}, not {measure[:40]!r}.")
    if not _MONTH.fullmatch(month):
        raise BadPlan(f"{name}, line {number}: month is written 2026-09, not {month[:40]!r}.")
    if not target.isascii() or not target.isdigit() or len(target) > 15:  # noqa: PLR2004 - a bigint holds it
        raise BadPlan(f"{name}, line {number}: target is a whole number, not {target[:40]!r}.")
    permit_type, zone = ((row.get(one) or "").strip() or None for one in ("permit_type", "zone"))
    return measure, month, permit_type, zone, int(target)


class Plan:
    """A plan as the table `plan`, empty where the office has none."""

    def __init__(self, file: Path | None) -> None:
        """Read `file` when first asked."""
        self._file = file
        self.read: tuple[int, int] | None = None
        """What tells the file that was read from a later one."""

    def ensure(self, database: duckdb.DuckDBPyConnection) -> None:
        """Make the table."""
        database.execute(
            "create table plan ("
            "measure varchar, month varchar, permit_type varchar, zone varchar, target bigint)"
        )
        database.execute("comment on table plan is 'What was planned, by month: cents, passes'")

    def refresh(self, database: duckdb.DuckDBPyConnection) -> None:
        """Read the file again if it changed.

        Raises:
            BadPlan: if it cannot be read.

        """
        if self._file is None:
            return
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            raise BadPlan(f"The plan {self._file.name} is missing (PARKLEDGER_PLAN).") from None
        now = (stat.st_mtime_ns, stat.st_size)
        if now == self.read:
            return
        lines = lines_of(self._file)
        database.execute("delete from plan")
        if lines:
            database.executemany("insert into plan values (?, ?, ?, ?, ?)", lines)
        self.read = now
