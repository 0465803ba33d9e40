"""What becomes of a read that came by Kafka: the same command, decided as if it had come over HTTP.

A message that can never be taken is told from one that cannot be taken now: the first is rejected with the
problem that HTTP would have answered, the second is tried again, for as long as it takes.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from events.envelope import Origin
from operations.identity import Principal, Role
from operations.problems import Problem
from write_api.bodies import Document, document, too_large
from write_api.door import Means, problem_of
from write_api.headers import Headers
from write_api.identities import fresh_id
from write_api.reading import ROUTE, Reading, natural_id

CHANNEL = "kafka"
_AGAIN = (0.05, 0.1, 0.2, 0.5, 1.0)
_INGEST = Principal("ingest", Role.ADMIN)
"""Brokers know who may publish; what the message says of its device is believed, as it is of an import."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as it came; `key` is the device where the document names none."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class ReadsFromKafka:
    """Takes messages, many at once, into the log. Bound to the event loop that uses it."""

    def __init__(self, means: Means, reading: Reading) -> None:
        """Take reads by way of `reading`."""
        self._means = means
        self._reading = reading

    async def take(self, messages: Sequence[Arrived]) -> list[Problem | None]:
        """Return for each message why it is rejected, or nothing once it is durable in the log."""
        return list(await asyncio.gather(*map(self._one, messages)))

    async def _one(self, arrived: Arrived) -> Problem | None:
        for attempt in range(10**9):
            try:
                await self._record(arrived)
            except Exception as wrong:  # noqa: BLE001 - every failure becomes a problem of its message alone
                problem = problem_of(wrong, ROUTE.path)
                if problem.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    return problem
                await asyncio.sleep(_AGAIN[min(attempt, len(_AGAIN) - 1)])
            else:
                return None
        raise AssertionError("a billion attempts")

    async def _record(self, arrived: Arrived) -> None:
        said = self._document(arrived)
        command = await self._reading.command(said, _INGEST, fresh_id())
        headers = Headers((name.encode(), value) for name, value in arrived.headers)
        origin = Origin(command.device, CHANNEL, headers.correlation)
        await self._reading.take(command, natural_id(command), origin)

    def _document(self, arrived: Arrived) -> Document:
        raw: Any = arrived.value or b""
        limit = self._means.settings.body_limit
        if len(raw) > limit:
            raise too_large(limit)
        said = document(bytes(raw), "message")
        if arrived.key and "device" not in said:
            said["device"] = arrived.key.decode(errors="replace")
        return said
