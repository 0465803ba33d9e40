"""The same key and body gives the first answer again; another body under the key is refused.

What a command led to is remembered by the log, under the command id that follows from the key. What led to
nothing (a refusal, or nothing left to do) is remembered beside it; see `write_api.remembered`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from commands.decider import Refusal
from events.envelope import Append, CommandIdReused
from operations.problems import MEDIA_TYPE, refused
from write_api.bodies import Document
from write_api.door import Means
from write_api.execute import Outcome
from write_api.identities import derived_id, fingerprint, fresh_id
from write_api.remembered import Remembered
from write_api.replies import JSON, Reply, problem_reply


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request is known by: its command id, a digest of what it asks, and whether it had a key."""

    command_id: UUID
    fingerprint: bytes
    keyed: bool


def asking(subject: str, route: str, key: str | None, where: str, said: Document) -> Asking:
    """Return what a subject's request is known by, with a key or without; `where` are its path's fields."""
    if key is None:
        return Asking(fresh_id(), b"", keyed=False)
    return Asking(derived_id(subject, route, key), fingerprint(where, said), keyed=True)


async def remembered(means: Means, asked: Asking) -> Reply | None:
    """Return what was answered to the key before, if that is remembered beside the log.

    Raises:
        CommandIdReused: if it was answered to another request.

    """
    if not asked.keyed:
        return None
    held = await means.recalling.find(asked.command_id)
    return None if held is None else _again(held, asked)


async def found_before(means: Means, asked: Asking) -> Outcome | None:
    """Return what the log has under a key, if anything.

    Raises:
        CommandIdReused: if the key was answered to another request.

    """
    gathering = means.deciding.gathering
    done = await gathering.ask(lambda: gathering.log.find(asked.command_id)) if asked.keyed else None
    if done is None:
        return None
    outcome = await means.deciding.first_outcome(done)
    await gathering.log.append_async(  # adds nothing; refuses the key where it stands for another request
        Append(outcome.events, asked.command_id, fingerprint=asked.fingerprint)
    )
    return outcome


async def refusal(means: Means, asked: Asking, wrong: Refusal, again: Callable[[Outcome], Reply]) -> Reply:
    """Return the answer to a command that is refused now: the first answer to its key, else the refusal.

    Raises:
        CommandIdReused: if the key was answered to another request.

    """
    means.metrics.refused(wrong.rule)
    reply = problem_reply(refused(wrong))
    return await first(means, asked, reply, again) if asked.keyed else reply


async def first(means: Means, asked: Asking, reply: Reply, again: Callable[[Outcome], Reply]) -> Reply:
    """Return the first answer to a key whose command leads to nothing now: the log's, else as it was given.

    Args:
        means: what answers are remembered with.
        asked: what the request is known by.
        reply: what is answered if this is the first time.
        again: makes the answer of what the log has under the command id.

    Raises:
        CommandIdReused: if the key was answered to another request.

    """
    outcome = await found_before(means, asked)
    if outcome is not None:
        return again(outcome)
    held = Remembered(asked.fingerprint, reply.status, reply.position, reply.body)
    return _again(await means.recalling.keep(asked.command_id, held), asked)


def _again(held: Remembered, asked: Asking) -> Reply:
    if held.fingerprint != asked.fingerprint:
        raise CommandIdReused
    media_type = JSON if held.position is not None else MEDIA_TYPE.encode()
    return Reply(held.status, held.body, media_type, position=held.position)
