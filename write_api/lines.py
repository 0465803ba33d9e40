"""Lines out of a request's body as it arrives, each numbered and bounded."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from operations.problems import Problem
from write_api.bodies import Receive


class TooLong(Problem):
    """A line goes on beyond the limit."""

    def __init__(self, limit: int) -> None:
        """Name the limit."""
        detail = f"The line is longer than {limit} bytes."
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Line too long", detail)


async def lines(receive: Receive, limit: int) -> AsyncIterator[tuple[int, bytes | TooLong]]:
    """Yield `(number, line)` from 1 on; empty lines are counted and left out.

    A line beyond the limit is thrown away as it arrives, and `TooLong` stands for it. The last line need not
    end in a line break, provided that the body itself came to its end: where the connection was cut, what is
    left of a line is no line, and the iteration ends without it.
    """
    kept, number, skipping = bytearray(), 1, False
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message.get("more_body", False)
        *whole, rest = message.get("body", b"").split(b"\n")
        for part in whole:
            line = bytes(kept) + part if kept else part
            if skipping or len(line) > limit:
                yield number, TooLong(limit)
            elif line.strip():
                yield number, line
            kept, skipping = bytearray(), False
            number += 1
        if skipping or len(kept) + len(rest) > limit:
            kept, skipping = bytearray(), True
        else:
            kept += rest
    if skipping:
        yield number, TooLong(limit)
    elif kept.strip():
        yield number, bytes(kept)
