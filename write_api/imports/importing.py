"""An import: rows in, appends out, in batches; what cannot be taken goes to the rejects file.

Memory stays flat: nothing is kept of a row once its batch is in the log. Stopping at any moment leaves whole
batches behind; running again takes up what is missing, because a row is known again by its command id.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from events.envelope import Append, Appended
from write_api.imports.entering import ORIGIN, Answer, Entering
from write_api.imports.formats import Taken
from write_api.imports.numbering import command_id, fingerprint
from write_api.imports.rejects import Rejects
from write_api.imports.rows import EVENTS, Options, rows_of
from write_api.imports.source import Source
from write_api.imports.table import Reject, Row

BATCH = 10_000
AHEAD = 2
"""Batches that are on their way into the log while the next one is read."""


@dataclass(slots=True)
class Result:
    """How an import ended: counted rows, and how long it took."""

    taken: int = 0
    rejected: int = 0
    known_already: int = 0
    seconds: float = 0.0


type Progress = Callable[[Path, int, int], None]
"""Called with the file, the bytes of it that are read, and its size."""

type Batch = list[tuple[Row, Taken]]


def bring(
    kind: str,
    files: Sequence[Path],
    entering: Entering,
    rejects: Rejects,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Result:
    """Import files of one format and return what became of their rows.

    Raises:
        UnusableFile: if a file cannot be imported at all; what came before it is in the log.
        LogUnavailable: if the log cannot be reached; run the import again.

    """
    began, result = monotonic(), Result()
    try:
        for path in files:
            _File(kind, path, entering, rejects, result).bring(options or Options(), progress)
    finally:
        rejects.close()
        result.rejected = rejects.count
        result.seconds = round(monotonic() - began, 3)
    return result


class _File:
    """One file on its way into the log."""

    def __init__(self, kind: str, path: Path, entering: Entering, rejects: Rejects, result: Result) -> None:
        self._kind, self._path = kind, path
        self._entering, self._rejects, self._result = entering, rejects, result
        self._under_way: deque[tuple[Batch, Future[list[Answer]]]] = deque()

    def bring(self, options: Options, progress: Progress | None) -> None:
        source = Source(self._path)
        try:
            rows, timezone = rows_of(self._kind, source, options)
            batch: Batch = []
            for row in rows:
                if isinstance(row, Reject):
                    self._rejects.add(self._path, row)
                else:
                    batch.append(row)
                if len(batch) == BATCH:
                    self._send(batch, timezone)
                    batch = []
                    if progress:
                        progress(self._path, source.done, source.size)
            self._send(batch, timezone)
            if progress:
                progress(self._path, source.size, source.size)
        finally:
            source.close()
            self._settle(leaving=0)

    def _send(self, batch: Batch, timezone: str | None) -> None:
        if not batch:
            return
        rows = [taken for _, taken in batch]
        self._entering.open_zones(rows, timezone, needed=self._kind != EVENTS)
        appends = [self._append(taken) for taken in rows]
        self._under_way.append((batch, self._entering.submit(appends, [taken.named for taken in rows])))
        self._settle(leaving=AHEAD)

    def _append(self, taken: Taken) -> Append:
        """Return the append of a row; what the file names is one thing whenever it says that it happened."""
        at = None if taken.named else taken.events[-1].at
        known_by = command_id(self._kind, taken.identity, at)
        return Append(taken.events, known_by, origin=ORIGIN, fingerprint=fingerprint(taken.events))

    def _settle(self, leaving: int) -> None:
        """Wait for the oldest batches, and count what became of their rows."""
        while len(self._under_way) > leaving:
            batch, future = self._under_way.popleft()
            for (row, _), answer in zip(batch, future.result(), strict=True):
                if not isinstance(answer, Appended):
                    self._rejects.add(self._path, Reject(row.line, answer, row.raw))
                elif answer.known_already:
                    self._result.known_already += 1
                else:
                    self._result.taken += 1
