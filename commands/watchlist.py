"""The watchlist: entries by plate, and the hits that a read of such a plate raises.

An entry alerts from when it was added until it expires or is cancelled. A device that was offline may alert
on an entry that had been cancelled by then: such a hit is stale, explained by when its list was fetched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from commands.decider import Command, Decider, Refusal, fact_of
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.reads import DeviceSynced
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled
from events.vocabulary import EntryId, Instant, Plate, PlateTag, Text, Word, is_readable


class AddWatchlistEntry(Command):
    """Alert whoever reads this plate, until `expires` where it is given."""

    entry: EntryId
    plate: PlateTag
    reason: Text
    source: Word | None = None
    expires: Instant | None = None


class CancelWatchlistEntry(Command):
    """Let the entry alert no longer."""

    entry: EntryId
    reason: Text | None = None


class NoSuchWatchlistEntry(Refusal):
    """No watchlist entry of that name was ever added."""


class WatchlistEntryExists(Refusal):
    """A watchlist entry of that name was added before, with other particulars."""


class WatchlistPlateUnreadable(Refusal):
    """A watchlist entry needs a plate that was read."""


type WatchlistEvent = WatchlistEntryAdded | WatchlistEntryCancelled


@dataclass(frozen=True, slots=True)
class Watched:
    """One entry; `cancelled` are the facts that ended it, each with both of its clocks."""

    added: WatchlistEntryAdded | None = None
    cancelled: tuple[tuple[datetime, datetime, int], ...] = ()
    """`(occurred, recorded, position)`, sorted."""

    def is_active(self, at: datetime) -> bool:
        """Tell whether the entry alerts at the instant."""
        return self._had_begun(at) and not self.is_cancelled(at)

    def is_cancelled(self, at: datetime) -> bool:
        """Tell whether the entry was cancelled by the instant."""
        return bool(self.cancelled) and self.cancelled[0][0] <= at

    def is_stale(self, at: datetime, seen: "DeviceList") -> bool:
        """Tell whether a device with that list alerts though the entry was cancelled by the instant."""
        unknown = all(not seen.holds(recorded, position) for _, recorded, position in self.cancelled)
        return self._had_begun(at) and self.is_cancelled(at) and unknown

    def _had_begun(self, at: datetime) -> bool:
        added = self.added
        return added is not None and added.at <= at and (added.expires is None or at < added.expires)


@dataclass(frozen=True, slots=True)
class DeviceList:
    """What a device went by: the log as of when it last synced, or as of a position; else the log itself."""

    synced_at: datetime | None = None
    version: int | None = None

    def holds(self, recorded: datetime, position: int) -> bool:
        """Tell whether an entry of the log was in the device's list."""
        if self.synced_at is not None:
            return recorded <= self.synced_at
        return self.version is None or position <= self.version


LIVE = DeviceList()
"""A device that is online goes by the log itself."""


@dataclass(frozen=True, slots=True)
class Watchlist:
    """The entries by their id."""

    entries: Mapping[str, Watched] = field(default_factory=dict)

    def of_plate(self, plate: str) -> Iterable[tuple[str, Watched]]:
        """Return the entries that were ever added for the plate."""
        return (
            (name, watched)
            for name, watched in sorted(self.entries.items())
            if watched.added is not None and watched.added.plate == plate
        )

    def hits(self, plate: str, at: datetime, seen: DeviceList = LIVE) -> tuple[tuple[str, bool], ...]:
        """Return the entries that a read of the plate at the instant alerts on, each with "it is stale".

        `seen` is the list that the device went by. A plate that nobody could read alerts on nothing.
        """
        if not is_readable(Plate(plate)):
            return ()
        return tuple(
            (name, not watched.is_active(at))
            for name, watched in self.of_plate(plate)
            if watched.is_active(at) or watched.is_stale(at, seen)
        )


def evolve_watchlist(watchlist: Watchlist, entry: Recorded[WatchlistEvent]) -> Watchlist:
    """Return the watchlist after one more of its events, in whatever order they arrive."""
    event = entry.event
    before = watchlist.entries.get(event.entry, Watched())
    match event:
        case WatchlistEntryAdded():
            return _put(watchlist, event.entry, replace(before, added=before.added or event))
        case WatchlistEntryCancelled():
            ended = (event.at, entry.recorded, entry.position)
            cancelled = tuple(sorted((*before.cancelled, ended)))
            return _put(watchlist, event.entry, replace(before, cancelled=cancelled))
        case _ as never:
            assert_never(never)


def _put(watchlist: Watchlist, entry: str, watched: Watched) -> Watchlist:
    return Watchlist({**watchlist.entries, entry: watched})


def list_of_device(syncs: Iterable[DeviceSynced], at: datetime, version: int | None = None) -> DeviceList:
    """Return the list that a device that is offline goes by at the instant: that of its last sync by then.

    `version` is what the read itself claims, for a device of which no sync is known.
    """
    last = max((sync.at for sync in syncs if sync.at <= at), default=None)
    return DeviceList(last, version)


def alert_boundary(plate: str, watchlist: Watchlist) -> Boundary[WatchlistEvent]:
    """Return what decides on which entries a read of the plate alerts."""
    boundary: Boundary[WatchlistEvent] = on(WatchlistEntryAdded, plate=plate)
    for name, _ in watchlist.of_plate(plate):
        boundary |= on(WatchlistEntryCancelled, entry=name)
    return boundary


def _boundary(command: AddWatchlistEntry | CancelWatchlistEntry, _: Watchlist) -> Boundary[WatchlistEvent]:
    return on(WatchlistEntryAdded, WatchlistEntryCancelled, entry=command.entry)


def _add(command: AddWatchlistEntry, watchlist: Watchlist) -> Sequence[Event]:
    added = fact_of(command, WatchlistEntryAdded)
    if not is_readable(command.plate):
        raise WatchlistPlateUnreadable(f"{command.plate!r} is not a plate that was read.")
    known = watchlist.entries.get(command.entry, Watched()).added
    if known is None:
        return (added,)
    if known.model_copy(update={"at": command.at}) != added:
        raise WatchlistEntryExists(f"A watchlist entry {command.entry!r} was added before.")
    return ()


def _cancel(command: CancelWatchlistEntry, watchlist: Watchlist) -> Sequence[Event]:
    watched = watchlist.entries.get(command.entry, Watched())
    if watched.added is None:
        raise NoSuchWatchlistEntry(f"No watchlist entry {command.entry!r} was ever added.")
    if watched.is_cancelled(command.at):
        return ()
    return (fact_of(command, WatchlistEntryCancelled, plate=watched.added.plate),)


ADD_ENTRY = Decider(AddWatchlistEntry, _boundary, Watchlist, evolve_watchlist, _add)
CANCEL_ENTRY = Decider(CancelWatchlistEntry, _boundary, Watchlist, evolve_watchlist, _cancel)
DECIDERS = (ADD_ENTRY, CANCEL_ENTRY)
