"""Clients that send commands over HTTP as fast as they are taken, in a process of their own.

Each client keeps one connection and sends its next request when the last was answered. Everything but two
numbers of a request is made beforehand, so that the clients cost little of a machine that they share with
what they measure.

    python -m benchmarks.telling PORT CLIENTS SECONDS REQUEST_FILE

The file holds a JSON object `{path, headers, body}` whose body has `%(client)s` and `%(number)s` where a
request has to differ from the others. Prints `{"rate", "p50_ms", "p99_ms", "answers", "refused"}`.
"""

import asyncio
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import cast

import uvloop

from benchmarks.harness import percentile

WARM_UP = 0.2
"""Share of the time whose answers do not count."""
_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Teller(asyncio.Protocol):
    """One client; `times` holds when each answer came and the seconds it took."""

    def __init__(self, head: str, body: str, client: str) -> None:
        """Send `body` under `head`, numbered."""
        self.times: list[tuple[float, float]] = []
        self.refused = 0
        self._head = head
        self._body = body
        self._client = client
        self._number = 0
        self._buffer = b""
        self._sent = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request when the answer is complete."""
        buffer = self._buffer + data
        head = buffer.find(_END)
        at = buffer.lower().find(_LENGTH, 0, head + 2)
        if head < 0 or len(buffer) < head + 4 + int(buffer[at + len(_LENGTH) : buffer.find(b"\r", at)]):
            self._buffer = buffer
            return
        self._buffer = b""
        now = perf_counter()
        self.times.append((now, now - self._sent))
        if not buffer.startswith(b"HTTP/1.1 201"):
            self.refused += 1
            if self.refused == 1:
                print(buffer.decode(), file=sys.stderr)
        self._send()

    def _send(self) -> None:
        self._sent = perf_counter()
        self._number += 1
        if self._transport is not None:
            body = self._body % {"client": self._client, "number": self._number}
            self._transport.write(f"{self._head}content-length: {len(body)}\r\n\r\n{body}".encode())

    def close(self) -> None:
        """Send no more."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


async def tell(port: int, clients: int, seconds: float, head: str, body: str) -> dict[str, float]:
    """Return the rate, the median and the 99th percentile of what the clients saw."""
    loop = asyncio.get_running_loop()
    tellers = [Teller(head, body, f"{perf_counter():.4f}.{number}") for number in range(clients)]
    for teller in tellers:
        await loop.create_connection(lambda teller=teller: teller, "127.0.0.1", port)  # type: ignore[misc]
    began = perf_counter()
    await asyncio.sleep(seconds)
    ended = perf_counter()
    for teller in tellers:
        teller.close()
    counted_from = began + seconds * WARM_UP
    times = [took for teller in tellers for at, took in teller.times if counted_from <= at <= ended]
    return {
        "rate": len(times) / (ended - counted_from),
        "p50_ms": percentile(times, 0.5) * 1000,
        "p99_ms": percentile(times, 0.99) * 1000,
        "answers": float(len(times)),
        "refused": float(sum(teller.refused for teller in tellers)),
    }


def main() -> None:
    """Send as the command line says, and print what was measured."""
    port, clients, seconds, file = sys.argv[1:5]
    request = json.loads(Path(file).read_text(encoding="utf-8"))
    headers = "".join(f"{name}: {value}\r\n" for name, value in request["headers"].items())
    head = f"POST {request['path']} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}"
    body = json.dumps(request["body"])
    print(json.dumps(uvloop.run(tell(int(port), int(clients), float(seconds), head, body))))


if __name__ == "__main__":
    main()
