"""Server-sent events of what changed, told once the read models show it.

One task of the process follows how far the read models are, reads what is new from the log once, and hands
it to everybody who listens. Who comes back with `Last-Event-ID` first gets what was missed. Look-ups
(`RecordAccessed`) are not told: looking changes nothing, and a page that looks would wake itself for ever.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from event_store.log import Log, LogUnavailable
from events.base import Event
from events.boundary import Boundary, Criterion
from events.envelope import Recorded
from events.privacy import RecordAccessed
from operations.problems import Problem
from projections.progress import NotYet, Progress
from read_api.answers import problems
from read_api.asking import MAX_POSITION, BadParameter, position, tag_of, unusable
from read_api.door import Visit

PULSE_SECONDS = 1.0
HELD_BACK = 1000
"""Changes that a slow listener may be behind; then it is sent away and comes back by `Last-Event-ID`."""
PAGE = 1000
"""Entries that are read at once."""
MOST_LISTENERS = 1000
SILENCE = frozenset({":"})
"""A tag that no event has."""

router = APIRouter(tags=["stream"])


class Horizon:
    """How far all of the read models are."""

    def __init__(self, progress: Progress, models: Sequence[str]) -> None:
        """Look at these models."""
        self._progress = progress
        self._models = models

    def reached(self) -> int:
        """Return the position that all of them have come to."""
        return min(map(self._progress.position, self._models), default=0)

    async def moved(self, beyond: int, seconds: float) -> int:
        """Return that position once it is beyond another, or what it is after about so many seconds."""
        until = time.monotonic() + seconds
        for model in self._models:
            try:
                await self._progress.wait(model, beyond + 1, max(0.0, until - time.monotonic()))
            except NotYet:
                break
        return self.reached()


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed, and the tags that it is known by."""

    position: int
    text: bytes
    tags: frozenset[str]


@dataclass(slots=True, eq=False)
class Listener:
    """Somebody who listens for changes of any of these tags, of everything where there are none."""

    tags: frozenset[str]
    since: int = 0
    """The position that had been told when the listener joined."""
    waiting: asyncio.Queue[Change | None] = field(default_factory=lambda: asyncio.Queue(HELD_BACK))

    def hears(self, change: Change) -> bool:
        """Tell whether the change is among what is listened for."""
        return not self.tags or not self.tags.isdisjoint(change.tags)


def change_of(entry: Recorded[Event]) -> Change:
    """Return an entry as the stream tells it."""
    content = {
        "position": entry.position,
        "type": type(entry.event).__name__,
        "at": entry.event.at,
        "recorded": entry.recorded,
    }
    data = msgspec.json.encode(content)
    text = b"id: %d\nevent: changed\ndata: %b\n\n" % (entry.position, data)
    return Change(entry.position, text, frozenset(entry.event.tags()))


class Hub:
    """Hands what changed to all listeners of this process."""

    def __init__(self, log: Log, horizon: Horizon) -> None:
        """Nobody listens yet."""
        self._log = log
        self._horizon = horizon
        self._listeners: set[Listener] = set()
        self._told = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """Begin to follow, from now on."""
        self._told = self._horizon.reached()
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Follow no longer, send every listener away, and take none any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._closed = True
        for listener in tuple(self._listeners):
            self._dismiss(listener)

    async def _follow(self) -> None:
        while True:
            reached = await self._horizon.moved(self._told, PULSE_SECONDS)
            try:
                while self._listeners and self._told < reached:
                    await self._tell(reached)
            except LogUnavailable:  # nothing is lost: it is told when the log is there again
                await asyncio.sleep(PULSE_SECONDS)
            else:
                self._told = max(self._told, reached)

    async def _tell(self, reached: int) -> None:
        upto = min(reached, self._told + PAGE)
        for change in await self._between(self._told, upto):
            for listener in tuple(self._listeners):
                if listener.hears(change):
                    self._hand(listener, change)
        self._told = upto  # no await since the last listener was handed to: nobody who joins misses any

    async def _between(self, after: int, upto: int, tags: frozenset[str] = frozenset()) -> list[Change]:
        boundary = Boundary[Event](frozenset(Criterion(frozenset(), frozenset({tag})) for tag in tags))
        part = await asyncio.to_thread(self._log.read, boundary if tags else None, after=after, upto=upto)
        return [change_of(entry) for entry in part.entries if not isinstance(entry.event, RecordAccessed)]

    def _hand(self, listener: Listener, change: Change) -> None:
        try:
            listener.waiting.put_nowait(change)
        except asyncio.QueueFull:
            self._dismiss(listener)

    def _dismiss(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        while listener.waiting.full():
            listener.waiting.get_nowait()
        listener.waiting.put_nowait(None)

    def join(self, listener: Listener) -> None:
        """Hand to the listener what changes from now on.

        Raises:
            Problem: 503, if too many listen already, or the server is about to stop.

        """
        if self._closed or len(self._listeners) >= MOST_LISTENERS:
            raise Problem(503, "Too many listeners", "Too many pages are open on this server.")
        listener.since = self._told
        self._listeners.add(listener)

    async def tell(self, listener: Listener, after: int | None, until: float) -> AsyncIterator[bytes]:
        """Yield the stream of a listener who joined: what was missed, what comes, and a pulse a second.

        It ends when the listener's token expires, at `until` seconds since 1970.
        """
        try:
            told = listener.since
            yield b"retry: 1000\n\n" + self._pulse()
            while after is not None and after < told:
                upto = min(told, after + PAGE) if not listener.tags else told
                for change in await self._between(after, upto, listener.tags):
                    yield change.text
                after = upto
            async for text in self._live(listener, until):
                yield text
        finally:
            self._listeners.discard(listener)

    async def _live(self, listener: Listener, until: float) -> AsyncIterator[bytes]:
        pulse_at = time.monotonic() + PULSE_SECONDS
        while time.time() < until:
            try:
                left = max(0.0, pulse_at - time.monotonic())
                change = await asyncio.wait_for(listener.waiting.get(), left)
            except TimeoutError:
                pulse_at = time.monotonic() + PULSE_SECONDS
                yield self._pulse()
                continue
            if change is None:
                return
            yield change.text

    def _pulse(self) -> bytes:
        now = msgspec.json.encode({"position": self._told, "now": datetime.now(UTC)})
        return b"event: pulse\ndata: %b\n\n" % now


@router.get(
    "/v1/stream",
    summary="What changes, as server-sent events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `changed` with the position as their id, once the read models show them, "
            "and `pulse` every second. Come back with `Last-Event-ID` and nothing is missed.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(401, 403, 422, 503),
    },
)
async def stream(
    request: Request,
    visit: Visit,
    tag: Annotated[
        list[str] | None, Query(description="Tags `name:value`, any of which is of interest.")
    ] = None,
    after: Annotated[int | None, Query(ge=0, le=MAX_POSITION, description="As `Last-Event-ID`.")] = None,
    last_event_id: Annotated[str | None, Header(description="The position to go on after.")] = None,
    *,
    changes: Annotated[bool, Query(description="Without changes there are pulses alone.")] = True,
) -> StreamingResponse:
    """Tell what changes for as long as the client listens."""
    hub: Hub = request.app.state.hub
    if last_event_id:
        try:
            after = position(last_event_id)
        except BadParameter as error:
            raise unusable("Last-Event-ID", str(error)) from None
    listener = Listener(frozenset(map(tag_of, tag or ())) if changes else SILENCE)
    hub.join(listener)
    told = hub.tell(listener, after if changes else None, visit.principal.expires)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(told, media_type="text/event-stream", headers=headers)
