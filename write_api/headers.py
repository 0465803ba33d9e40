"""The few headers that matter to a command, and the correlation that joins it to a conversation."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from uuid import UUID

from events.vocabulary import looks_like_card_number
from operations.problems import Problem
from write_api.bodies import refuse_card
from write_api.identities import derived_id

LONGEST_KEY = 255
_KEY = re.compile(r"[\x21-\x7e]+")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")


class Headers:
    """A request's headers by lower-case name; of several with one name, the last."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep ASGI's pairs."""
        self._values = dict(raw)
        self.trace: UUID | None = None
        """The trace that this request is told in, where traces are on."""

    def get(self, name: bytes) -> str | None:
        """Return a header's text."""
        value = self._values.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def length(self) -> int | None:
        """The body's announced length in bytes."""
        value = self._values.get(b"content-length")
        return int(value) if value is not None and value.isdigit() else None

    @property
    def media_type(self) -> str:
        """The body's media type without its parameters, in lower case; empty where none is stated."""
        value = self._values.get(b"content-type", b"")
        return value.partition(b";")[0].strip().lower().decode("latin-1")

    def demand_media_type(self, *accepted: str) -> str:
        """Return the body's media type, if it is an accepted one and the body is not compressed.

        Raises:
            Problem: 415 otherwise.

        """
        if self._values.get(b"content-encoding", b"identity") != b"identity":
            detail = "Send the body as it is, without a Content-Encoding."
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", detail)
        stated = self.media_type
        if stated in accepted:
            return stated
        detail = f"The Content-Type must be {' or '.join(accepted)}, not {stated[:100] or 'left out'}."
        headers = {"Accept-Post": ", ".join(accepted)}
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", detail, headers=headers)

    @property
    def key(self) -> str | None:
        """The Idempotency-Key.

        Raises:
            Problem: 400 if it is empty, too long, or holds anything but visible ASCII characters.
            CardNumberRefused: if it looks like the number of a payment card.

        """
        key = self.get(b"idempotency-key")
        if key is None:
            return None
        if len(key) > LONGEST_KEY or not _KEY.fullmatch(key):
            detail = f"Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters."
            raise Problem(HTTPStatus.BAD_REQUEST, "Unusable header", detail)
        if looks_like_card_number(key):
            refuse_card("Idempotency-Key")
        return key

    @property
    def correlation_echo(self) -> bytes | None:
        """What to send back of a stated X-Correlation-Id."""
        stated = self._values.get(b"x-correlation-id")
        return stated if stated and len(stated) <= LONGEST_KEY and stated.isascii() else None

    @property
    def correlation(self) -> UUID | None:
        """The conversation that the request belongs to: X-Correlation-Id, else the trace of `traceparent`.

        An X-Correlation-Id that is no UUID is turned into one that follows from it.
        """
        stated = self.get(b"x-correlation-id")
        if stated is not None:
            try:
                return UUID(stated)
            except ValueError:
                return derived_id("correlation", stated)
        trace = _TRACE.fullmatch(self.get(b"traceparent") or "")
        return UUID(trace[1]) if trace else self.trace
