"""Devices: synced with the list as of a position of the log, their clock's offset measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from commands.decider import Command, Decider, fact_of
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.reads import DeviceSynced
from events.vocabulary import DeviceId

MOST_SECONDS = 10 * 365 * 86_400

Offset = Annotated[float, Field(strict=True, ge=-MOST_SECONDS, le=MOST_SECONDS)]
"""How far a device's clock is ahead, in seconds."""


class SyncDevice(Command):
    """Note that the device fetched the list as of log position `list_version`.

    `clock_offset_seconds` is device minus true: 200 is fast.
    """

    device: DeviceId
    list_version: Annotated[int, Field(strict=True, ge=0)]
    clock_offset_seconds: Offset | None = None


@dataclass(frozen=True, slots=True)
class Syncs:
    """The syncs of a device, the last recorded one first: what came before it is shared, never copied."""

    last: DeviceSynced | None = None
    before: "Syncs | None" = None

    def holds(self, synced: DeviceSynced) -> bool:
        """Tell whether that sync is among them."""
        node: Syncs | None = self
        while node is not None:
            if node.last == synced:
                return True
            node = node.before
        return False


def _boundary(command: SyncDevice, _: Syncs) -> Boundary[DeviceSynced]:
    return on(DeviceSynced, device=command.device)


def _evolve(syncs: Syncs, entry: Recorded[DeviceSynced]) -> Syncs:
    return Syncs(entry.event, syncs)


def _sync(command: SyncDevice, syncs: Syncs) -> Sequence[Event]:
    synced = fact_of(command, DeviceSynced)
    return () if syncs.holds(synced) else (synced,)


SYNC_DEVICE = Decider(SyncDevice, _boundary, Syncs, _evolve, _sync)
DECIDERS = (SYNC_DEVICE,)
