"""Files as they come: gzip or plain, with or without a byte-order mark, one line at a time in flat memory."""

import gzip
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

MAX_LINE = 1 << 20
"""No line of a file that an office brings has more bytes than this; a longer one is rejected."""

_GZIP = b"\x1f\x8b"
_WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_BOM = b"\xef\xbb\xbf"


class UnusableFile(Exception):
    """The file cannot be imported at all; the sentence says why and what to do."""


class Source:
    """The lines of one file, numbered from 1, each with its line end; `done` and `size` are bytes on disk."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            UnusableFile: if it cannot be read, or is not UTF-8 or gzip.

        """
        self.path = path
        self.line = 0
        self._waiting: deque[bytes] = deque()
        try:
            self.size = path.stat().st_size
            self._raw: IO[bytes] = path.open("rb")
            head = self._raw.peek(4)[:4]
        except OSError as error:
            raise UnusableFile(f"{path} cannot be read: {error.strerror}") from None
        for mark, name in _WIDE.items():
            if head.startswith(mark):
                self._raw.close()
                raise UnusableFile(f"{path} is {name} text; save it as UTF-8 and import it again")
        packed = head.startswith(_GZIP)
        self._lines = cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw)) if packed else self._raw

    @property
    def done(self) -> int:
        """How many bytes of the file on disk have been read."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines that are left."""
        return self

    def __next__(self) -> bytes:
        """Return the next line; one that is too long is cut, and so cannot be taken."""
        line = self._waiting.popleft() if self._waiting else self._read()
        if not line:
            raise StopIteration
        self.line += 1
        return line

    def put_back(self, lines: list[bytes]) -> None:
        """Hand the lines out again: they turned out to belong to later rows."""
        self._waiting.extendleft(reversed(lines))
        self.line -= len(lines)

    def _read(self) -> bytes:
        try:
            line = self._lines.readline(MAX_LINE)
            if len(line) == MAX_LINE and not line.endswith(b"\n"):
                self._skip_rest()
        except (OSError, EOFError) as error:
            raise UnusableFile(f"{self.path} is damaged after line {self.line}: {error}") from None
        return line.removeprefix(_BOM) if self.line == 0 else line

    def _skip_rest(self) -> None:
        while (rest := self._lines.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()
        self._raw.close()
