"""Appends that wait for their batch: encoded where they were submitted, answered where they came from."""

import contextlib
from asyncio import AbstractEventLoop
from asyncio import Future as LoopFuture
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future
from functools import lru_cache
from typing import Self

from event_store.codec import JOINED, Codec, Encoded, Unstorable
from event_store.packing import NULL, blob, instant, int2, int8, jsonb, text
from events.boundary import Criterion
from events.envelope import Append, Appended, CommandIdReused

MAX_EVENTS = 32_767
"""Events of one append: its steps are counted in two bytes."""
MAX_INDEXED = 2_600
"""Bytes of a tag or type: an entry of PostgreSQL's index takes at most a third of a page."""

type Answer = Appended | Exception
type AnyFuture = Future[Appended] | LoopFuture[Appended]
type Answers = Iterable[tuple["Waiting", Answer]]


class Waiting:
    """An append on its way into the log, and whoever waits for what becomes of it."""

    __slots__ = ("afters", "append", "attempts", "criteria", "events", "future", "loop", "rows", "size")

    def __init__(
        self,
        append: Append,
        events: Sequence[Encoded],
        criteria: Sequence[Criterion],
        future: AnyFuture,
        loop: AbstractEventLoop | None = None,
        absent: Sequence[Criterion] = (),
    ) -> None:
        """Pack an append, for a future of that event loop (or of a thread, where there is none).

        Raises:
            ValueError: if the append holds no event, or too many.
            Unstorable: if the database could not keep it.

        """
        self.append = append
        self.attempts = 0
        self.future = future
        self.loop = loop
        self.size = len(events)
        if not 0 < self.size <= MAX_EVENTS:
            raise ValueError(f"an append holds 1 to {MAX_EVENTS} events, not {self.size}")
        self.events = events
        self.criteria = (*criteria, *absent)
        self.rows = _rows(append, events)
        self.afters = (append.after,) * len(criteria) + (0,) * len(absent)

    @classmethod
    def of(
        cls, append: Append, codec: Codec, future: AnyFuture, loop: AbstractEventLoop | None = None
    ) -> Self:
        """Encode an append; raises what the constructor raises."""
        events = [codec.encode(event) for event in append.events]
        criteria = codec.criteria(append.boundary) if append.boundary else ()
        absent = codec.criteria(append.absent) if append.absent else ()
        return cls(append, events, criteria, future, loop, absent)


def repeated(append: Append, first: Appended, fingerprint: bytes) -> Answer:
    """Return the answer to an append whose id is in the log already, by a request of that fingerprint."""
    if fingerprint != append.fingerprint:
        return CommandIdReused()
    return Appended(first.position, first.count, first.recorded, known_already=True)


def settle(answers: Answers) -> None:
    """Answer whoever waits; an event loop is woken once for all of its answers."""
    by_loop: dict[AbstractEventLoop, list[tuple[LoopFuture[Appended], Answer]]] = {}
    for waiting, answer in answers:
        if isinstance(waiting.future, Future):
            _put(waiting.future, answer)
        elif waiting.loop:
            by_loop.setdefault(waiting.loop, []).append((waiting.future, answer))
    for loop, its_answers in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(_put_all, its_answers)


def _put_all(answers: Iterable[tuple[LoopFuture[Appended], Answer]]) -> None:
    for future, answer in answers:
        if not future.done():  # cancelled: the caller went away
            _put(future, answer)


def _put(future: AnyFuture, answer: Answer) -> None:
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _rows(append: Append, events: Sequence[Encoded]) -> tuple[bytes, ...]:
    """Return the events' columns as packed elements, in the order of `batch.EVENT_COLUMNS`."""
    if len(events) == 1:
        return _row(append, events[0], 1)
    return tuple(map(b"".join, zip(*(_row(append, e, n) for n, e in enumerate(events, 1)), strict=True)))


def _row(append: Append, event: Encoded, step: int) -> tuple[bytes, ...]:
    origin = append.origin
    correlation, causation = origin.correlation, origin.causation
    return (
        int2(step),
        word(event.type),
        int2(event.version),
        instant(event.at),
        joined(event.tags),
        jsonb(event.payload),
        blob(event.digest),
        word(origin.actor),
        word(origin.channel),
        NULL if correlation is None else blob(correlation.bytes),
        NULL if causation is None else int8(causation),
        blob(append.fingerprint) if step == 1 else NULL,
    )


def any_of(parts: frozenset[str]) -> bytes:
    """Return tags or types of a criterion as one packed text; null stands for any."""
    return joined(parts) if parts else NULL


@lru_cache(maxsize=4096)
def word(text_: str) -> bytes:
    """Return a text that comes again and again, packed.

    Raises:
        Unstorable: if it holds a character that cannot be kept.

    """
    return joined((text_,)) if text_ else text("")


def joined(parts: Collection[str]) -> bytes:
    """Return tags or types joined to one packed text.

    Raises:
        Unstorable: if one of them is empty, too long, or holds a character that cannot be kept.

    """
    whole = JOINED.join(parts)
    if whole.count(JOINED) != max(len(parts) - 1, 0) or "\x00" in whole or "" in parts:
        raise Unstorable(f"a tag or type may not be empty or hold control characters: {whole!r}")
    if len(whole) > MAX_INDEXED // 4 and any(len(part.encode()) > MAX_INDEXED for part in parts):
        raise Unstorable(f"a tag or type is at most {MAX_INDEXED} bytes long")
    try:
        return text(whole)
    except UnicodeEncodeError:
        raise Unstorable(f"a text holds half of a surrogate pair: {whole!r}") from None
