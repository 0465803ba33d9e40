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
from events.envelope import Append, Origin
from events.policies import PolicyAdopted
from events.vocabulary import Word
from operations.identity import Principal, Role
from operations.problems import Problem, bad_fields

CHANNEL = "read-api"
OWN = "own data"
"""The purpose of who parks: they only ever see what is their own, and need not say why."""
_VERSION_8 = 8

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


class Register:
    """Notes each look-up. Policies are remembered, and only newer ones are read from the log."""

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
        await asyncio.to_thread(self._refresh)
        try:
            events = record_access.decide(command, self._policies)
        except PurposeRequired as refusal:
            detail = f"{refusal.detail} State it in the header Purpose."
            raise Problem(428, "Purpose required", detail, rule=refusal.rule) from refusal
        origin = Origin(actor=who.subject, channel=CHANNEL)
        append = Append(events, _command_id(command, once_in), origin=origin)
        await asyncio.wrap_future(self._log.submit(append))

    def _refresh(self) -> None:
        part = self._log.read(record_access.boundary(_ANYTHING, ()), after=self._head)
        facts = self._policies
        for entry in part.entries:
            facts = record_access.evolve(facts, entry)
        self._policies, self._head = facts, part.head


_ANYTHING = RecordAccess(at=datetime.min.replace(tzinfo=UTC), who="nobody", query="")


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
