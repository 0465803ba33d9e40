"""The rejects file: which rows were not taken, and why; made when the first one turns up."""

import csv
from pathlib import Path
from typing import IO, Any

from write_api.imports.table import Reject

MOST_SHOWN = 10_000
"""Characters of a row that are shown; whoever mends a longer one has the file."""

HEADER = ("file", "line", "reason", "row")


class Rejects:
    """A CSV file of rejected rows, counted."""

    def __init__(self, path: Path) -> None:
        """Write nothing until there is something to write; an earlier run's file is then replaced."""
        self.path, self.count = path, 0
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, file: Path, reject: Reject) -> None:
        """Write one row."""
        if self._file is None:
            self._file = self.path.open("w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._writer.writerow(HEADER)
        self._writer.writerow([file.name, reject.line, reject.reason, reject.raw[:MOST_SHOWN]])
        self.count += 1

    def close(self) -> None:
        """Finish the file."""
        if self._file is not None:
            self._file.close()
