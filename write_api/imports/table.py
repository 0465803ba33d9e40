"""CSV as offices export it (RFC 4180 and its dirt): rows by their first line, or why there is none."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from write_api.imports.source import MAX_LINE, Source, UnusableFile

DELIMITERS = ",;\t|"
MAX_ROW_LINES = 200
"""A quoted field may hold line ends; a row of more lines than this has a quote that was never closed."""

_UNDECODED = re.compile("[\udc80-\udcff]")
_UNCLOSED = "a quote is opened and never closed"


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row by column, stripped; a column that is empty is not there."""

    line: int
    values: dict[str, str]
    raw: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be taken, and why."""

    line: int
    reason: str
    raw: str


class Table:
    """A CSV file: its header, and its rows one after the other in flat memory."""

    def __init__(self, source: Source) -> None:
        """Read the header.

        Raises:
            UnusableFile: if there is none, it is no UTF-8 text, or a column's name stands twice.

        """
        self._source = source
        header = next((line for line in source if line.strip()), None)
        if header is None:
            raise UnusableFile(f"{source.path} is empty")
        try:
            text = header.decode()
        except UnicodeDecodeError:
            raise UnusableFile(f"{source.path}: the header is not UTF-8 text; save it as UTF-8") from None
        if "\x00" in text:
            raise UnusableFile(f"{source.path} is UTF-16 text; save it as UTF-8 and import it again")
        if "\r" in text.rstrip("\r\n"):
            raise UnusableFile(f"{source.path}: its lines end in CR alone; save it with LF or CR LF")
        self.delimiter = max(DELIMITERS, key=text.count)
        self.columns = [name.strip() for name in next(csv.reader([text], delimiter=self.delimiter))]
        twice = {name for name in self.columns if name and self.columns.count(name) > 1}
        if twice:
            raise UnusableFile(f"{source.path}: the column {min(twice)!r} stands twice in the header")
        self._taken: list[bytes] = []

    def __iter__(self) -> Iterator[Row | Reject]:
        """Yield each row that is not blank, or why it cannot be taken."""
        reader = self._reader()
        while True:
            self._taken = []
            first = self._source.line + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._broken(first, str(error))
                reader = self._reader()
                continue
            if any(cell.strip() for cell in cells):
                yield self._row(first, cells)

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self.delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        for line in self._source:
            self._taken.append(line)
            if len(line) >= MAX_LINE:
                raise csv.Error(f"the line has more than {MAX_LINE:,} bytes")
            if len(self._taken) > MAX_ROW_LINES:
                raise csv.Error(_UNCLOSED)
            yield line.decode("utf-8", "surrogateescape")

    def _broken(self, first: int, reason: str) -> Reject:
        """Reject the row's first line alone, and read what followed it again."""
        taken = self._taken
        if len(taken) > 1:
            reason = _UNCLOSED
            self._source.put_back(taken[1:])
        elif reason.startswith("unexpected end"):
            reason = _UNCLOSED
        return Reject(first, reason, _shown(taken[0] if taken else b""))

    def _row(self, first: int, cells: list[str]) -> Row | Reject:
        raw = _shown(b"".join(self._taken))
        if len(cells) != len(self.columns):
            return Reject(first, f"the row has {len(cells)} columns, the header {len(self.columns)}", raw)
        values: dict[str, str] = {}
        for name, cell in zip(self.columns, cells, strict=True):
            value = cell.strip()
            if "\x00" in value:
                return Reject(first, f"{name} holds the character NUL", raw)
            if value:
                values[name] = value
        if any(not cell.isascii() and _UNDECODED.search(cell) for cell in cells):
            return Reject(first, "the row is not UTF-8 text", raw)
        return Row(first, values, raw)


def _shown(raw: bytes) -> str:
    """Return a row as the rejects file shows it."""
    return raw.decode("utf-8", "backslashreplace").rstrip("\r\n").replace("\x00", "\\x00")
