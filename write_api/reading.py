"""One plate read: looked up, recorded with what the screen shows, answered with it.

The answer to a read stands in the read itself, with the position of the log that it rests on, so that anybody
can recompute it later. A read that comes again, from the same device under the same id, gets the first answer
again. What an offline device showed is what it says; only then may a read state `shown`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec

from commands.reads import RECORD_PLATE_READ, RecordPlateRead
from event_store.log import Slice
from event_store.reading import EVERYTHING
from events.base import Event
from events.boundary import on
from events.envelope import Origin
from events.reads import DeviceSynced, PlateRead, Shown
from events.security import WatchlistEntryAdded, WatchlistHit
from operations.identity import Principal, Role
from projections.lookups import Lookups
from projections.validity_answers import ValidityAnswer
from write_api.bodies import Document
from write_api.door import Means
from write_api.execute import Outcome
from write_api.identities import derived_id
from write_api.routes import CommandRoute
from write_api.wording import Wording, unusable

EXAMPLE = {
    "read": "r-1041",
    "plate": "ON CKTR482",
    "zone": "F",
    "device": "H3",
    "raw": "CKTR 482",
    "confidence": 0.97,
    "at": "2026-03-05T09:05:40-05:00",
}
ROUTE = CommandRoute(
    "/v1/plate-reads",
    RECORD_PLATE_READ,
    "Record a plate read, or a stream of them, and say what the screen should show.",
    EXAMPLE,
    mints="read",
    prefix="r-",
    signed=True,
)

MOST_RECORDINGS = 10_000
"""Positions whose instants are remembered."""

type Answer = dict[str, Any]


class Reading:
    """Takes plate reads, whichever way they came in."""

    def __init__(self, means: Means, lookups: Lookups) -> None:
        """Look up in the read models, decide on the log."""
        self._means = means
        self._lookups = lookups
        self._log = means.deciding.gathering
        self._wording = Wording(ROUTE)
        self._recordings: dict[int, datetime | None] = {}

    async def command(self, said: Document, principal: Principal, fallback: UUID) -> RecordPlateRead:
        """Return the command that a read's fields mean.

        Raises:
            Problem: 422 naming each field that is missing, unknown or unusable.

        """
        if principal.role in {Role.OFFICER, Role.DEVICE}:
            said.setdefault(principal.role.value, principal.subject)
        if said.get("shown") is not None and said.get("online", True) is not False:
            raise unusable("shown", "is for what an offline device showed; online, it is answered")
        corrects = "at" not in said and said.get("device_time") is not None
        if corrects:
            said["at"] = said["device_time"]
        tolerance = timedelta(days=3660) if corrects else self._means.tolerance
        _, command = self._wording.command(said, self._means.clock(), fallback, tolerance=tolerance)
        read = cast("RecordPlateRead", command)
        return await self._corrected(read) if corrects else read

    async def _corrected(self, read: RecordPlateRead) -> RecordPlateRead:
        """Return the read at its true instant: the device's time less its measured offset."""
        found = await self._log.read(on(DeviceSynced, device=read.device))
        measured = [
            entry.event
            for entry in found.entries
            if entry.event.clock_offset_seconds is not None and entry.event.at <= read.at
        ]
        last = max(measured, key=lambda sync: sync.at, default=None)
        offset = timedelta(seconds=last.clock_offset_seconds) if last is not None else timedelta()
        at = read.at - offset
        if at > self._means.clock() + self._means.tolerance:
            raise unusable("device_time", "lies in the future, by the device's measured offset too")
        return read.model_copy(update={"at": at})

    async def take(
        self, command: RecordPlateRead, command_id: UUID, origin: Origin, fingerprint: bytes = b""
    ) -> tuple[Answer, Outcome]:
        """Record the read and return what the screen should show, and what recording it came to.

        Raises:
            Refusal: if a rule refuses the read, such as one of an unknown zone.
            NotYet, Unavailable: if the read models cannot answer; nothing was recorded.

        """
        seen = await self._lookups.validity(command.plate, command.zone, command.at)
        if command.online:
            shown = Shown(seen.answer, seen.rests_on, seen.right)
            command = command.model_copy(update={"shown": shown})
        outcome = await self._means.deciding.execute(
            RECORD_PLATE_READ, command, command_id, origin, fingerprint
        )
        if not outcome.events or outcome.known_already:
            return await self._first_answer(command, seen, outcome), outcome
        hits = [event for event in outcome.events if isinstance(event, WatchlistHit)]
        answer = _answer(command, seen, outcome.position)
        return {**answer, "alerts": await self._alerts(hits, seen), "as_of": seen.as_of}, outcome

    async def _first_answer(self, command: RecordPlateRead, seen: ValidityAnswer, outcome: Outcome) -> Answer:
        """Return the answer that the read got when it first came, from what stands in the log.

        What an offline device was answered at its return is in no log: it gets what is `seen` now.
        """
        position, told = await self._told(command, outcome)
        first = next(event for event in told if isinstance(event, PlateRead))
        as_of: Answer = msgspec.to_builtins(seen.as_of, builtin_types=(datetime,))
        shown = first.shown if first.online else None
        if shown is not None:
            seen = await self._lookups.validity(first.plate, first.zone, first.at, known=shown.position)
            recorded = await self._recorded(shown.position)
            as_of = {"position": shown.position, "recorded": recorded, "age_ms": None}
        answer = _answer(first, seen, position)
        if shown is not None:
            answer["answer"] = shown.answer
        hits = [event for event in told if isinstance(event, WatchlistHit)]
        alerts = await self._alerts([hit for hit in hits if hit.plate == first.plate], seen)
        return {**answer, "alerts": alerts, "as_of": as_of}

    async def _told(self, command: RecordPlateRead, outcome: Outcome) -> tuple[int, Sequence[Event]]:
        """Return the position of a read that was taken before, and the events of it and of its hits."""
        if outcome.known_already:  # the append that it was, whose events were just read
            place = next(n for n, event in enumerate(outcome.events) if isinstance(event, PlateRead))
            return outcome.position - len(outcome.events) + place + 1, outcome.events
        found = await self._log.read(
            on(PlateRead, read=command.read, device=command.device) | on(WatchlistHit, read=command.read)
        )
        read = next(entry for entry in found.entries if isinstance(entry.event, PlateRead))
        return read.position, [entry.event for entry in found.entries]

    async def _recorded(self, position: int) -> datetime | None:
        """Return when an entry was recorded; the reads of one stream rest on few positions."""
        if position <= 0:
            return None
        if position not in self._recordings:
            if len(self._recordings) >= MOST_RECORDINGS:
                self._recordings.clear()
            found: Slice[Event] = await self._log.read(EVERYTHING, position - 1, position)
            self._recordings[position] = found.entries[0].recorded if found.entries else None
        return self._recordings[position]

    async def _alerts(self, hits: Iterable[WatchlistHit], seen: ValidityAnswer) -> Sequence[Answer]:
        """Return what to alert on: the hits that were decided, with the reasons of their entries."""
        reasons = {alert.entry: (alert.reason, alert.source) for alert in seen.alerts}
        alerts: list[Answer] = []
        for hit in hits:
            if hit.entry not in reasons:
                found = await self._log.read(on(WatchlistEntryAdded, entry=hit.entry))
                reasons |= {e.event.entry: (e.event.reason, e.event.source) for e in found.entries}
            reason, source = reasons.get(hit.entry, (None, None))
            sourced = {"source": source} if source is not None else {}
            alerts.append({"entry": hit.entry, "stale": hit.stale, "reason": reason, **sourced})
        return alerts


def natural_id(command: RecordPlateRead) -> UUID:
    """Return the command id of a read: the same device and id is the same read, whoever sends it."""
    return derived_id("plate-read", command.device, command.read)


def _answer(read: RecordPlateRead | PlateRead, seen: ValidityAnswer, position: int) -> Answer:
    until = seen.grace_until if seen.answer == "in_grace" else seen.end
    answer: Answer = {
        "read": read.read,
        "device": read.device,
        "plate": read.plate,
        "zone": read.zone,
        "answer": seen.answer,
        "position": position,
    }
    if seen.right is not None:
        answer["right"] = seen.right
    if until is not None:
        answer["until"] = until
    if seen.possible_matches:
        answer["possible_matches"] = seen.possible_matches
    return answer
