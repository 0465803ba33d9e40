"""Answers on their way to a client that may not be listening yet.

Many clients send all of a stream before they read any answer. If the server then waited for them to read, and
they for the server to take more, neither would go on. So answers wait here: in memory while they are few,
beyond that in a temporary file, and only beyond a bound does the server take no more until they are read.
"""

import asyncio
import tempfile

IN_MEMORY = 1 << 20
"""Bytes that wait in memory."""

MOST = 256 << 20
"""Bytes that wait at all."""

PART = 64 << 10
"""Bytes that are sent at once."""


class Outbox:
    """A queue of bytes between one writer and one sender."""

    def __init__(self) -> None:
        """Start empty."""
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed with the outbox
        self._written = 0
        self._sent = 0
        self._ended = False
        self._moved = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many bytes were put and not yet taken."""
        return self._written - self._sent

    async def put(self, part: bytes) -> None:
        """Add bytes; wait where too many are waiting already."""
        while self.waiting > MOST:
            self._moved.clear()
            await self._moved.wait()
        self._file.seek(self._written)
        self._file.write(part)
        self._written += len(part)
        self._moved.set()

    def end(self) -> None:
        """Say that nothing more comes."""
        self._ended = True
        self._moved.set()

    async def take(self) -> bytes:
        """Return what waits, up to a part; wait where nothing does. Nothing at all means the end."""
        while not self.waiting:
            if self._ended:
                return b""
            self._moved.clear()
            await self._moved.wait()
        self._file.seek(self._sent)
        part = self._file.read(PART)
        self._sent += len(part)
        if not self.waiting:
            self._file.seek(0)
            self._file.truncate()
            self._written = self._sent = 0
        self._moved.set()
        return part

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
