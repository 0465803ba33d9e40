"""The way in for plate reads: one as JSON, or as many as there are as a stream of lines.

A stream's lines are taken and answered one by one, in order, while it still arrives: many are under way at
once, so that their look-ups and appends travel together, but never more than `UNDER_WAY`. A line that cannot
be taken is answered with a problem that names its number, and does not stop the others.

A line is known by its device and read id, with or without an Idempotency-Key. Under a key, a line without an
id is known by the key, its number and what it says: a stream that is sent again adds nothing.
"""

import asyncio
from dataclasses import dataclass, replace
from http import HTTPStatus
from uuid import UUID

from commands.decider import Refusal
from events.envelope import Origin
from operations.identity import Principal
from operations.problems import refused
from write_api.bodies import Document, document, whole_body
from write_api.door import Means, Request, problem_of
from write_api.identities import derived_id, fingerprint, fresh_id
from write_api.keyed import asking, first, refusal, remembered
from write_api.lines import TooLong, lines
from write_api.outbox import Outbox
from write_api.reading import ROUTE, Reading, natural_id
from write_api.replies import NDJSON, Reply, encode, problem_reply

UNDER_WAY = 128
"""Lines of a stream that are worked on at once."""

type UnderWay = asyncio.Queue[asyncio.Task[bytes] | None]
"""The answers that are being worked on, in the order of their lines; nothing at the end."""

JSON_TYPE = "application/json"
STREAM_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Stream:
    """Who sends a stream, under which key if any, and where its reads come from."""

    principal: Principal
    key: str | None
    origin: Origin

    def fallback(self, number: int, said: Document) -> UUID:
        """Return what the identity of a line that names none follows from."""
        if self.key is None:
            return fresh_id()
        return derived_id(
            self.principal.subject, ROUTE.path, self.key, str(number), fingerprint("", said).hex()
        )


class PlateReads:
    """Serves `/v1/plate-reads`."""

    path = ROUTE.path

    def __init__(self, reading: Reading) -> None:
        """Take reads by way of `reading`."""
        self._reading = reading

    async def answer(self, means: Means, request: Request) -> Reply | None:
        """Take one read and answer it, or a stream of them and answer each."""
        principal = means.admit(self.path, request.headers).principal
        media_type = request.headers.demand_media_type(JSON_TYPE, STREAM_TYPE)
        if media_type == JSON_TYPE:
            return await self._one(means, request, principal)
        await self._many(means, request, principal)
        return None

    async def _one(self, means: Means, request: Request, principal: Principal) -> Reply:
        raw = await whole_body(request.receive, request.headers.length, means.settings.body_limit)
        said = document(raw)
        asked = asking(principal.subject, self.path, request.headers.key, "", said)
        again = await remembered(means, asked)
        if again is not None:
            return again
        command = await self._reading.command(said, principal, asked.command_id)
        origin = Origin(principal.subject, "http", request.headers.correlation)
        try:
            answer, outcome = await self._reading.take(command, asked.command_id, origin, asked.fingerprint)
        except Refusal as wrong:
            said_no = problem_reply(refused(wrong))
            return await refusal(means, asked, wrong, lambda _: said_no)
        body = encode(answer)
        if outcome.events:
            return Reply(HTTPStatus.CREATED, body, position=answer["position"])
        reply = Reply(HTTPStatus.OK, body, position=answer["position"])
        if not asked.keyed:
            return reply
        created = replace(reply, status=HTTPStatus.CREATED)
        return await first(means, asked, reply, lambda _: created)

    async def _many(self, means: Means, request: Request, principal: Principal) -> None:
        """Take the lines as they come, answer them in order, and let the sender listen when it wants."""
        origin = Origin(principal.subject, "stream", request.headers.correlation)
        stream = Stream(principal, request.headers.key, origin)
        headers = [(b"content-type", NDJSON)]
        await request.send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        outbox = Outbox()
        under_way: UnderWay = asyncio.Queue(UNDER_WAY)
        try:
            async with asyncio.TaskGroup() as together:
                together.create_task(_deliver(request, outbox))
                together.create_task(_answer_in_order(under_way, outbox))
                async for number, line in lines(request.receive, means.settings.body_limit):
                    answer = self._line(means, stream, number, line)
                    await under_way.put(asyncio.create_task(answer))
                await under_way.put(None)
        finally:
            outbox.close()

    async def _line(self, means: Means, stream: Stream, number: int, line: bytes | TooLong) -> bytes:
        """Return the answer to one line: what the screen should show, or what is wrong with it."""
        means.metrics.lines.inc()
        try:
            said = _document(line)
            command = await self._reading.command(said, stream.principal, stream.fallback(number, said))
            answer, _ = await self._reading.take(command, natural_id(command), stream.origin)
        except Exception as wrong:  # noqa: BLE001 - every failure becomes a problem of its line alone
            if isinstance(wrong, Refusal):
                means.metrics.refused(wrong.rule)
            answer = {"line": number, **problem_of(wrong, self.path).body()}
        return encode(answer) + b"\n"


async def _answer_in_order(under_way: UnderWay, outbox: Outbox) -> None:
    while (answer := await under_way.get()) is not None:
        await outbox.put(await answer)
    outbox.end()


async def _deliver(request: Request, outbox: Outbox) -> None:
    while part := await outbox.take():
        await request.send({"type": "http.response.body", "body": part, "more_body": True})
    await request.send({"type": "http.response.body", "body": b"", "more_body": False})


def _document(line: bytes | TooLong) -> Document:
    if isinstance(line, TooLong):
        raise line
    return document(line, "line")
