"""What a body must be before anyone reads its meaning: small, whole, UTF-8, one JSON object, no card number.

Every way in (commands, streams of plate reads, webhooks) screens what it is sent here, so that a document
which passed holds each name once, no NUL, and nothing that looks like the number of a payment card.
"""

import codecs
import json
import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from http import HTTPStatus
from typing import Any

from commands.payments import CardNumberRefused
from events.vocabulary import looks_like_card_number
from operations.problems import Problem

type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Document = dict[str, Any]

MAX_BODY = 1 << 20
"""Bytes of a body that is not a stream."""

MAX_DRAINED = 256 << 20
"""Bytes of a body that is too large which are still read, so that its sender sees the answer."""

MAX_DEPTH = 32
_MANY_DIGITS = re.compile(rb"[0-9](?:[ -]?[0-9]){12}")
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)


class ConnectionCut(ConnectionError):
    """The sender went away before the body was whole."""


async def whole_body(receive: Receive, announced: int | None, limit: int = MAX_BODY) -> bytes:
    """Return the body, at most `limit` bytes of it.

    Raises:
        Problem: 413 if it is larger; what still comes is thrown away as it arrives, to a bound.
        ConnectionCut: if the sender went away before its end.

    """
    if announced is not None and announced > limit:
        await _drain(receive, min(announced, MAX_DRAINED))
        raise too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionCut
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= limit:
        return body
    parts = bytearray(body)
    while message.get("more_body", False):
        if len(parts) > limit:
            await _drain(receive, MAX_DRAINED)
            raise too_large(limit)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionCut
        parts += message.get("body", b"")
    if len(parts) > limit:
        raise too_large(limit)
    return bytes(parts)


async def _drain(receive: Receive, bound: int) -> None:
    seen = 0
    while seen <= bound:
        message = await receive()
        seen += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


def too_large(limit: int) -> Problem:
    """Return the problem of a body beyond `limit` bytes."""
    detail = f"The body is larger than {limit} bytes. Send less at once, or many reads as a stream of lines."
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Body too large", detail, headers={"Connection": "close"}
    )


def document(raw: bytes, name: str = "body") -> Document:
    """Return the JSON object that the bytes hold; `name` is what problems call the bytes.

    Raises:
        Problem: 400 if they are not one JSON object in UTF-8, or name a field twice; 422 if a text holds NUL.
        CardNumberRefused: if any name or value looks like the number of a payment card.

    """
    found = _parsed(raw, f"The {name}")
    if not isinstance(found, dict):
        raise unreadable(f"The {name} must be a JSON object, not {_kind(found)}.")
    if b"\\" in raw or _MANY_DIGITS.search(raw):
        _screen(found)
    return found


def unreadable(detail: str) -> Problem:
    """Return the problem of bytes that are not what the route takes."""
    return Problem(HTTPStatus.BAD_REQUEST, "Unreadable body", detail)


def _parsed(raw: bytes, what: str) -> Any:
    try:
        text = raw.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as wrong:
        raise unreadable(f"{what} is not UTF-8: byte {wrong.start + 1} is wrong.") from None
    if not text.strip():
        raise unreadable(f"{what} is empty; it must be a JSON object.")
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise unreadable(f"{what} is nested more than {MAX_DEPTH} deep.")
    try:
        return _DECODE(text)
    except json.JSONDecodeError as wrong:
        where = f"line {wrong.lineno}, column {wrong.colno}" if "\n" in text else f"column {wrong.colno}"
        raise unreadable(f"{what} is not valid JSON: {wrong.msg} at {where}.") from None
    except ValueError as wrong:
        raise unreadable(f"{what} is not valid JSON: {wrong}.") from None


def _depth(raw: bytes) -> int:
    deepest = depth = 0
    for token in _NESTING.finditer(raw):
        if token[1]:
            depth += 1
            deepest = max(deepest, depth)
        elif token[2]:
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice[:100]!r} is given twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _integer(digits: str) -> int:
    if len(digits) > 20:  # noqa: PLR2004 - beyond 64 bits, which no field holds
        raise ValueError("a number has more than 20 digits")
    return int(digits)


_DECODE = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer).decode


def _kind(found: object) -> str:
    names = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(found), "a number")


def _screen(found: Document) -> None:
    for field, text in _texts(found, ""):
        if looks_like_card_number(text):
            refuse_card(field)
        if "\x00" in text:
            raise _unusable(field, "may not hold the character NUL")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise _unusable(field, "holds half a character (an unpaired surrogate)")


def _unusable(field: str, problem: str) -> Problem:
    errors = [{"field": field, "problem": problem}]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Unusable input", f"{field} {problem}", errors=errors)


def refuse_card(field: str) -> None:
    """Refuse what stands in the field, without repeating it.

    Raises:
        CardNumberRefused: always.

    """
    raise CardNumberRefused(
        f"The field {field!r} holds what looks like a card number. Send a token or the last four.",
        field=field,
    )


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text, name and whole number of a document with the path of its field."""
    if isinstance(value, dict):
        for name, inner in value.items():
            inside = f"{path}.{name[:40]}" if path else name[:40]
            yield (path or "a field's name", name)
            yield from _texts(inner, inside)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}")
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        yield path, str(int(value))
