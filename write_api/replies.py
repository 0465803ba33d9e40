"""What goes back over the wire: status, headers and bytes, sent with as little ceremony as ASGI allows."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from operations.problems import MEDIA_TYPE, Problem

type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type RawHeaders = list[tuple[bytes, bytes]]

JSON = b"application/json"
NDJSON = b"application/x-ndjson"
encode = msgspec.json.Encoder(enc_hook=str).encode


@dataclass(slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    media_type: bytes = JSON
    position: int | None = None
    headers: RawHeaders | None = None

    async def send(self, send: Send, correlation: bytes | None = None) -> None:
        """Send it; `correlation` is echoed to whoever stated one."""
        headers: RawHeaders = [
            (b"content-type", self.media_type),
            (b"content-length", str(len(self.body)).encode()),
        ]
        if self.position is not None:
            headers.append((b"log-position", str(self.position).encode()))
        if correlation is not None:
            headers.append((b"x-correlation-id", correlation))
        if self.headers:
            headers += self.headers
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def problem_reply(problem: Problem) -> Reply:
    """Return the answer that states a problem."""
    headers = [(name.lower().encode(), value.encode()) for name, value in (problem.headers or {}).items()]
    return Reply(problem.status, encode(problem.body()), MEDIA_TYPE.encode(), headers=headers)
