"""A device comes back from work without signal: it hands over what it did, and takes the newest list along.

Each read and citation is a command of its own, known by the device and the id that the device gave it, so a
sync that was cut off is simply made again. One that is refused is answered with its problem, and does not
stop the others. Then the list is read, and its version recorded with the offset of the device's clock, so
that everybody can tell later what the device knew. Under an Idempotency-Key, a sync that is made again is no
second one: it gets the position and the version of the first, and the list as it was then.
"""

import asyncio
from http import HTTPStatus
from itertools import batched
from typing import Annotated, Any, cast
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from commands.devices import SYNC_DEVICE, Offset, SyncDevice
from events.envelope import Origin
from events.reads import DeviceSynced
from events.vocabulary import DeviceId, ZoneId
from operations.identity import Principal
from operations.problems import bad_fields
from projections.device_list import DeviceList
from projections.lookups import Lookups
from write_api import citations
from write_api.bodies import Document, document, whole_body
from write_api.commanding import reply_to
from write_api.door import Means, Request, problem_of
from write_api.execute import Outcome
from write_api.identities import derived_id, fingerprint, fresh_id
from write_api.keyed import Asking, asking, found_before
from write_api.reading import Answer, Reading, natural_id
from write_api.replies import Reply, encode
from write_api.wording import Wording, unusable

PATH = "/v1/devices/{device}/sync"
UNDER_WAY = 128
"""Reads that are worked on at once."""

MOST = 5_000
"""Reads, and citations, of one sync; more reads travel as a stream."""

EXAMPLE = {
    "clock_offset_seconds": 12.5,
    "zones": ["F"],
    "reads": [{"read": "r-1041", "plate": "ON CKTR482", "zone": "F", "at": "2026-03-05T09:05:40-05:00"}],
    "citations": [],
}
_CITING = next(route for route in citations.ROUTES if route.path == "/v1/citations")


class Sync(BaseModel):
    """What a device hands over.

    `clock_offset_seconds` is device minus true: 200 is fast. `zones` are those that the list is wanted for.
    """

    model_config = ConfigDict(extra="forbid")

    device: DeviceId
    clock_offset_seconds: Offset | None = None
    zones: Annotated[tuple[ZoneId, ...], Field(max_length=1000)] | None = None
    reads: Annotated[list[dict[str, Any]], Field(max_length=MOST)] = []
    citations: Annotated[list[dict[str, Any]], Field(max_length=MOST)] = []


class OfflineWork:
    """What all of one sync's commands share."""

    def __init__(self, means: Means, principal: Principal, device: str, origin: Origin) -> None:
        """Take what the request said of itself."""
        self.means = means
        self.principal = principal
        self.device = device
        self.origin = origin

    def complete(self, said: Document) -> None:
        """Fill in the device, and that it was offline.

        Raises:
            Problem: 422 if another device is named.

        """
        if said.setdefault("device", self.device) != self.device:
            raise unusable("device", "differs from the device in the path")
        said.setdefault("online", False)

    def id_of(self, said: Document) -> UUID:
        """Return the command id of a citation: the device's own id of it, else what it says."""
        named = said.get("citation")
        content = named if isinstance(named, str) else fingerprint("", said).hex()
        return derived_id("sync citation", self.device, content)

    def problem(self, what: str, number: int, wrong: Exception) -> Answer:
        """Return the answer to a piece of work that was not taken."""
        return {what.removesuffix("s"): number, **problem_of(wrong, PATH).body()}


class DeviceSync:
    """Serves the sync of devices."""

    path = PATH

    def __init__(self, reading: Reading, lookups: Lookups) -> None:
        """Take reads by way of `reading`, and the list from the read models."""
        self._reading = reading
        self._lookups = lookups
        self._citing = Wording(_CITING)

    async def answer(self, means: Means, request: Request) -> Reply:
        """Take what the device did, and give it the list."""
        principal = means.admit(self.path, request.headers).principal
        request.headers.demand_media_type("application/json")
        raw = await whole_body(request.receive, request.headers.length, means.settings.body_limit)
        said, device = document(raw), request.path["device"]
        asked = asking(principal.subject, self.path, request.headers.key, device, said)
        before = await found_before(means, asked)
        sync = _sync(said, device)
        origin = Origin(principal.subject, "sync", request.headers.correlation)
        work = OfflineWork(means, principal, sync.device, origin)
        reads: list[Answer] = []
        for batch in batched(enumerate(sync.reads), UNDER_WAY):
            reads += await asyncio.gather(*(self._read(work, *each) for each in batch))
        cited = [await self._cite(work, number, said) for number, said in enumerate(sync.citations)]
        outcome, listed = await self._noted(work, sync, asked, before)
        body = {
            "position": outcome.position,
            "device": sync.device,
            "list_version": listed.as_of.position,
            "list": listed,
            "reads": reads,
            "citations": cited,
        }
        return Reply(HTTPStatus.CREATED, encode(body), position=outcome.position)

    async def _noted(
        self, work: OfflineWork, sync: Sync, asked: Asking, before: Outcome | None
    ) -> tuple[Outcome, DeviceList]:
        """Return what noting the sync came to, and its list; those of the first time if there was one."""
        if before is None:
            now = work.means.clock()
            listed = await self._lookups.device_list(now, sync.zones)
            noted = SyncDevice(
                at=now,
                device=sync.device,
                list_version=listed.as_of.position,
                clock_offset_seconds=sync.clock_offset_seconds,
            )
            before = await work.means.deciding.execute(
                SYNC_DEVICE, noted, asked.command_id, work.origin, asked.fingerprint
            )
            if not before.known_already:
                return before, listed
        first = cast("DeviceSynced", before.events[0])
        return before, await self._lookups.device_list(first.at, sync.zones, first.list_version)

    async def _read(self, work: OfflineWork, number: int, said: Document) -> Answer:
        try:
            work.complete(said)
            command = await self._reading.command(said, work.principal, fresh_id())
            answer, _ = await self._reading.take(command, natural_id(command), work.origin)
        except Exception as wrong:  # noqa: BLE001 - every failure becomes a problem of this read alone
            return work.problem("reads", number, wrong)
        return answer

    async def _cite(self, work: OfflineWork, number: int, said: Document) -> Answer:
        try:
            work.complete(said)
            means, command_id = work.means, work.id_of(said)
            decider, command = self._citing.command(
                said, means.clock(), command_id, tolerance=means.tolerance
            )
            outcome = await means.deciding.execute(decider, command, command_id, work.origin)
        except Exception as wrong:  # noqa: BLE001 - every failure becomes a problem of this citation alone
            return work.problem("citations", number, wrong)
        answer: Answer = msgspec.json.decode(reply_to(command, outcome).body)
        return answer


def _sync(said: Document, device: str) -> Sync:
    """Return what a device hands over.

    Raises:
        Problem: 422 naming each field that is unusable.

    """
    if said.setdefault("device", device) != device:
        raise unusable("device", "differs from the device in the path")
    try:
        return Sync.model_validate(said)
    except ValidationError as wrong:
        raise bad_fields(wrong.errors(include_url=False, include_input=False)) from None
