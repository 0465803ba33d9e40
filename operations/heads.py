"""What HEAD asks for: the head of what GET would answer (RFC 9110, 9.3.2); the server leaves out the body."""

from starlette.types import Scope

ENDLESS = frozenset({"/v1/stream"})
"""Paths whose answer to GET never ends."""


def as_get(scope: Scope) -> Scope:
    """Return a request for a head as the GET that it stands for, and every other request as it is.

    The server keeps its own note of the method, by which it sends no body.
    """
    if scope["method"] != "HEAD" or scope["path"] in ENDLESS:
        return scope
    return {**scope, "method": "GET"}
