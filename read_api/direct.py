"""Questions that are answered before FastAPI sees them: its layers would cost more than they do."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

from starlette.types import Scope, Send

from operations.doors import Visitor, enter
from read_api.answers import problem_of
from read_api.door import Door

type Headers = Mapping[bytes, bytes]
type Ask = Callable[[Visitor, str | None], Awaitable[bytes]]
"""Answers a visitor, who states a purpose or none, with JSON."""

_JSON = (b"content-type", b"application/json")


async def answer(door: Door, route: str, scope: Scope, send: Send, ask: Ask) -> int:
    """Answer a GET of a route, whatever happens, and return the status."""
    headers: Headers = dict(scope["headers"])
    try:
        token, cookie = _text(headers.get(b"authorization")), _text(headers.get(b"cookie"))
        visitor = enter(door.authenticator, "GET", route, token, cookie)
        body = await ask(visitor, _text(headers.get(b"purpose")))
    except Exception as error:  # noqa: BLE001 - each becomes a problem, unforeseen ones are logged
        response = problem_of(error, "GET", route).response()
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        await send({"type": "http.response.body", "body": response.body})
        return response.status_code
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [_JSON, length]})
    await send({"type": "http.response.body", "body": body})
    return 200


def query_of(scope: Scope) -> dict[str, str]:
    """Return the parameters of a request, the last one of each name."""
    return dict(parse_qsl(scope["query_string"].decode("ascii", "replace"), keep_blank_values=True))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
