"""Clients that ask over HTTP as fast as they are answered, in a process of their own.

Each client keeps one connection and sends its next request when the last was answered. Requests are made
beforehand and answers are only looked at for their status and length, so that the clients cost little of a
machine that they share with what they measure.

    python -m benchmarks.asking PORT CLIENTS SECONDS REQUESTS_FILE

The file holds one JSON text per line: the path and query of a request, or `Name: value` of a header that all
requests carry. Prints `{"rate", "p50_ms", "p99_ms", "answers", "refused"}`.
"""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

from benchmarks.harness import percentile

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
WARM_UP = 0.2
"""Share of the time whose answers do not count."""


class Client(asyncio.Protocol):
    """One client; `times` collects the seconds that each answer took."""

    def __init__(self, requests: Sequence[bytes], start: int) -> None:
        """Ask these requests, from the `start`th on, over and over."""
        self.times: list[tuple[float, float]] = []
        self.refused = 0
        self._requests = cycle(islice(cycle(requests), start, start + len(requests)))
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request when the answer is complete."""
        buffer = self._buffer + data if self._buffer else data
        head = buffer.find(_END)
        if head < 0:
            self._buffer = buffer
            return
        at = buffer.lower().find(_LENGTH, 0, head + 2)
        length = int(buffer[at + len(_LENGTH) : buffer.find(b"\r", at)])
        if len(buffer) < head + 4 + length:
            self._buffer = buffer
            return
        self._buffer = b""
        now = perf_counter()
        self.times.append((now, now - self._sent))
        if not buffer.startswith(b"HTTP/1.1 200"):
            self.refused += 1
        self._send()

    def _send(self) -> None:
        self._sent = perf_counter()
        if self._transport is not None:
            self._transport.write(next(self._requests))

    def close(self) -> None:
        """Ask no more."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


async def ask(port: int, clients: int, seconds: float, requests: Sequence[bytes]) -> dict[str, float]:
    """Return the rate, the median and the 99th percentile of what the clients saw."""
    loop = asyncio.get_running_loop()
    asking: list[Client] = []
    for number in range(clients):
        start = number * len(requests) // clients
        _, client = await loop.create_connection(
            lambda start=start: Client(requests, start),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        asking.append(client)
    began = perf_counter()
    await asyncio.sleep(seconds)
    ended = perf_counter()
    for client in asking:
        client.close()
    counted_from = began + seconds * WARM_UP
    times = [took for client in asking for at, took in client.times if counted_from <= at <= ended]
    return {
        "rate": len(times) / (ended - counted_from),
        "p50_ms": percentile(times, 0.5) * 1000,
        "p99_ms": percentile(times, 0.99) * 1000,
        "answers": float(len(times)),
        "refused": float(sum(client.refused for client in asking)),
    }


def requests_of(lines: Sequence[str]) -> list[bytes]:
    """Return the requests that the lines of a file describe, in an order that is always the same."""
    texts = [json.loads(line) for line in lines if line.strip()]
    headers = "".join(f"{text}\r\n" for text in texts if not text.startswith("/"))
    paths = [text for text in texts if text.startswith("/")]
    random.Random(7).shuffle(paths)  # noqa: S311 - an order, not a secret
    return [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode() for path in paths]


def main() -> None:
    """Ask as the command line says, and print what was measured."""
    port, clients, seconds, file = sys.argv[1:5]
    requests = requests_of(Path(file).read_text(encoding="utf-8").splitlines())
    print(json.dumps(uvloop.run(ask(int(port), int(clients), float(seconds), requests))))


if __name__ == "__main__":
    main()
