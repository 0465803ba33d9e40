"""Looking up a person's or a plate's data is a fact: it goes to the log before the answer is given."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import Header
from pydantic import ValidationError

from commands.privacy import PurposeRequired, RecordAccess, record_access
from event_store.log import Log
from events.envelope import Append, BoundaryMoved, Origin
from events.policies import PolicyAdopted
from events.vocabulary import Word
from operations.identity import Principal, Role
from operations.problems import Problem, bad_fields

CHANNEL = "read-api"
OWN = "own data"
"""The purpose of who parks: they only ever see what is their own, and need not say why."""
ATTEMPTS = 20
_VERSION_8 = 8
_POLICIES = record_access.boundary(
    RecordAccess(at=datetime.min.replace(tzinfo=UTC), who="nobody", query=""), ()
)

Purpose = Annotated[
    Word | None,
    Header(
        description="What the look-up is for. The office's policy may demand it; it is recorded.",
        examples=["dispute PV-50001"],
    ),
]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data is looked up: a plate, an account or a citation."""

    plate: str | None = None
    account: str | None = None
    citation: str | None = None


class StillMoving(RuntimeError):
    """Policies were adopted faster than a look-up could be noted."""


class Register:
    """Notes each look-up by the policies that are remembered; the log refuses it where there are newer."""

    def __init__(self, log: Log) -> None:
        """Know nothing yet."""
        self._log = log
        self._policies: tuple[PolicyAdopted, ...] = ()
        self._head = 0

    async def note(
        self, who: Principal, query: str, purpose: str | None, subject: Subject, *, once_in: int = 0
    ) -> None:
        """Append the look-up and wait until it is durable.

        A page that keeps itself up to date asks the same again and again; with `once_in` seconds, all of
        that within one such span is one look-up.

        Raises:
            Problem: 428, if the policy demands a purpose and none is stated; 422, if the purpose is no text
                that the log takes.
            LogUnavailable: if the log cannot be reached; then there is no answer, either.

        """
        now = datetime.now(UTC)
        if who.role is Role.PARKER:
            purpose = purpose or OWN
        command = _command(now, who, query, purpose, subject)
        command_id, origin = _command_id(command, once_in), Origin(actor=who.subject, channel=CHANNEL)
        for _ in range(ATTEMPTS):
            policies, head = self._policies, self._head
            try:
                events = record_access.decide(command, policies)
            except PurposeRequired as refusal:
                await asyncio.to_thread(self._refresh)
                if self._policies != policies:
                    continue  # a policy that demands less was adopted since
                detail = f"{refusal.detail} State it in the header Purpose."
                raise Problem(428, "Purpose required", detail, rule=refusal.rule) from refusal
            append = Append(events, command_id, _POLICIES, head, origin)
            try:
                done = await self._log.append_async(append)
            except BoundaryMoved:
                await asyncio.to_thread(self._refresh)
                continue
            if not done.known_already and self._policies is policies:
                self._head = max(self._head, done.position)  # nothing was adopted up to there
            return
        raise StillMoving

    def _refresh(self) -> None:
        part = self._log.read(_POLICIES)
        facts = record_access.initial()
        for entry in part.entries:
            facts = record_access.evolve(facts, entry)
        if part.head >= self._head:
            self._policies, self._head = facts, part.head


def _command(
    now: datetime, who: Principal, query: str, purpose: str | None, subject: Subject
) -> RecordAccess:
    try:
        return RecordAccess.model_validate(
            {
                "at": now,
                "who": who.subject,
                "query": query[:4000],
                "purpose": purpose,
                "plate": subject.plate,
                "account": subject.account,
                "citation": subject.citation,
            }
        )
    except ValidationError as error:
        raise bad_fields(error.errors()) from error


def _command_id(command: RecordAccess, once_in: int) -> UUID:
    """Return an id that begins with the time, as UUIDv7 does; of one span it is the same."""
    millis = int(command.at.timestamp() * 1000)
    if once_in:
        millis -= millis % (once_in * 1000)
    content = command.model_dump_json(exclude={"at"} if once_in else None)
    digest = sha256(f"{millis} {content}".encode()).digest()
    number = (millis & (2**48 - 1)) << 80 | int.from_bytes(digest[:10])
    number = number & ~(0xF << 76) | _VERSION_8 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)
