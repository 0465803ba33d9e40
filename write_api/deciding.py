"""The execute loop for many requests at once: the five steps of `write_api.execute`, as a coroutine.

Who meets a rival on the same boundary queues for it: first come, first decided. So a hot zone is decided at
the pace of commits, nobody starves, and a client never sees a conflict that it could not cause.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from uuid import UUID

from commands.decider import AnyDecider, Command, Refusal
from event_store.log import Log, Slice
from event_store.reading import EVERYTHING
from event_store.tracing import span
from events.base import Event
from events.boundary import Boundary
from events.envelope import Append, Appended, BoundaryMoved, Origin
from write_api.execute import ATTEMPTS, Outcome, StillMoving
from write_api.gathering import Gathering
from write_api.settling import HEAVIEST, Settled, Settling

LONGEST_PAUSE = 0.05
"""Seconds that a decision waits at most between attempts, when rivals in other processes keep moving it."""


class _Asked:
    """A command on its way: what decides it, what its boundary begins with, and what it is known by."""

    __slots__ = ("command", "command_id", "decider", "fingerprint", "first", "origin")

    def __init__(
        self, decider: AnyDecider, command: Command, command_id: UUID, origin: Origin, fingerprint: bytes
    ) -> None:
        """Ask for the beginning of the boundary."""
        self.decider = decider
        self.command = command
        self.command_id = command_id
        self.origin = origin
        self.fingerprint = fingerprint
        self.first = decider.boundary(command, decider.initial()).criteria


class Queue:
    """Who waits for one boundary, in the order they came."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self.turn = asyncio.Lock()
        self.waiting = 0


class Deciding:
    """Decides commands against one log, many at once. Bound to the event loop that uses it."""

    def __init__(self, log: Log, remembered: int = HEAVIEST) -> None:
        """Stand in front of the log, remembering so many entries folded; closing it stays with its owner."""
        self.gathering = Gathering(log)
        self._settling = Settling(self.gathering, heaviest=remembered)
        self._queues: dict[Hashable, Queue] = {}

    async def execute(
        self,
        decider: AnyDecider,
        command: Command,
        command_id: UUID,
        origin: Origin | None = None,
        fingerprint: bytes = b"",
    ) -> Outcome:
        """Read, fold, decide, append; and decide again when the boundary moved meanwhile.

        Raises:
            Refusal: if a rule of the domain forbids the command.
            CommandIdReused: if the command id stands for another request.
            LogUnavailable: if the log cannot be reached; nothing is acknowledged.
            StillMoving: if the boundary moved at every attempt.

        """
        with span(f"execute {decider.command.__name__}"):
            return await self._execute(_Asked(decider, command, command_id, origin or Origin(), fingerprint))

    async def _execute(self, asked: _Asked) -> Outcome:
        decider, command = asked.decider, asked.command
        key = self._settling.key(decider, asked.first)
        queue = key if key.shared else asked.first
        if queue not in self._queues:
            for settled in (self._settling.trusted(decider, command, key), None):
                outcome = await self._attempt(asked, settled)
                if outcome is not None:
                    return outcome
        async with self._turn(queue):
            for attempt in range(ATTEMPTS):
                if attempt:
                    await asyncio.sleep(random.uniform(0, min(0.001 * 2**attempt, LONGEST_PAUSE)))  # noqa: S311
                outcome = await self._attempt(asked)
                if outcome is not None:
                    return outcome
        raise StillMoving

    @asynccontextmanager
    async def _turn(self, boundary: Hashable) -> AsyncIterator[None]:
        queue = self._queues.setdefault(boundary, Queue())
        queue.waiting += 1
        try:
            async with queue.turn:
                yield
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._queues.pop(boundary, None)

    async def _attempt(self, asked: _Asked, settled: Settled | None = None) -> Outcome | None:
        """Return what the command comes to on these facts, or on fresh ones; nothing if they are outdated."""
        if settled is None:
            settled = await self._settling.settled(
                asked.decider, asked.command, asked.first
            )  # 1. read and fold
        try:
            events = asked.decider.decide(asked.command, settled.facts)  # 2. decide: the rules are pure
        except Refusal:
            if settled.fresh:
                raise
            return None
        if not events:
            return Outcome((), settled.head) if settled.fresh else None  # 3. nothing new: fulfilled already
        append = Append(
            events,
            asked.command_id,
            Boundary(settled.shared),
            settled.head,
            asked.origin,
            asked.fingerprint,
            Boundary(settled.absent),
        )
        try:
            with span("append", events=len(events)):
                done = await self.gathering.log.append_async(append)  # 4. append, provided that nothing moved
        except BoundaryMoved:
            return None  # 5. it moved: decide on what is true now
        if done.known_already:
            return await self.first_outcome(done)
        self._settling.absorb(asked.decider, settled, append, done)
        return Outcome(events, done.position)

    async def first_outcome(self, done: Appended) -> Outcome:
        """Return the outcome of the append that was known already, its events as they stand in the log."""
        after = done.position - done.count
        found: Slice[Event] = await self.gathering.read(EVERYTHING, after, done.position)
        return Outcome(tuple(entry.event for entry in found.entries), done.position, known_already=True)

    def close(self) -> None:
        """Let go of the threads."""
        self.gathering.close()
