"""What the officer's screen could know when the read was made.

Online, that is what the log held at the read (or up to the position that the answer came from); offline, it
is the list that the device fetched at its last sync. A device that never synced knew of no right at all.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.evidence import Case, Entry, Evidence, Observation, World
from events.citations import CitationIssued
from events.permits import PermitTypeOffered
from events.policies import PolicyAdopted
from events.reads import DeviceSynced, PlateRead
from events.zones import ZoneClosed, ZoneOpened, ZoneRulesSet

SETTINGS = (ZoneOpened, ZoneRulesSet, ZoneClosed, PolicyAdopted, PermitTypeOffered)
"""What a device is set up with, whatever its list holds."""

CLEAR = ("valid", "in_grace", "exempt")
"""The answers that tell an officer not to cite."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the screen rested on: the entries, whether it was a device's list, and that list's age."""

    entries: tuple[Entry, ...]
    offline: bool
    list_age: timedelta | None


def screen_of(evidence: Evidence, now: World, case: Case, observation: Observation | None) -> Screen:
    """Return what the screen rested on when the supporting read (else the citation) was made."""
    at = observation.at if observation is not None else case.issued.at
    if not is_offline(case, observation):
        shown = observation.read.shown if observation is not None else None
        newest = max((e.position for e in evidence.entries), default=0)
        cut = shown.position if shown is not None and 0 < shown.position <= newest else None
        kept = tuple(
            e
            for e in evidence.entries
            if _own(e, case) or (e.recorded <= at if cut is None else _upto(e, cut, at))
        )
        return Screen(kept, offline=False, list_age=None)
    sync = last_sync(now, case, observation, at)
    kept = tuple(e for e in evidence.entries if _own(e, case) or _on_list(e, sync, at))
    return Screen(kept, offline=True, list_age=at - sync if sync is not None else None)


def log_at(evidence: Evidence, case: Case, at: datetime) -> tuple[Entry, ...]:
    """Return what the log held at an instant, with the citation and its own reads."""
    return tuple(e for e in evidence.entries if _own(e, case) or e.recorded <= at)


def is_offline(case: Case, observation: Observation | None) -> bool:
    """Tell whether the screen answered from the device's list: offline, or as the read names a list alone."""
    if case.issued.online is False:
        return True
    read = observation.read if observation is not None else None
    return read is not None and (not read.online or (read.list_version is not None and read.shown is None))


def last_sync(now: World, case: Case, observation: Observation | None, at: datetime) -> datetime | None:
    """Return when the device fetched the list that it used at an instant: the list named, else the last."""
    devices = {case.issued.device, observation.read.device if observation is not None else None}
    version = observation.read.list_version if observation is not None else None
    synced = [s.event for s in now.syncs if s.event.device in devices and s.event.at <= at]
    named = [s for s in synced if version is not None and s.list_version == version]
    return max((s.at for s in named or synced), default=None)


def clock_offset(now: World, case: Case, observation: Observation | None) -> timedelta:
    """Return how fast the device's clock was: its claim of the read, else of the citation, less the truth."""
    made = observation.read if observation is not None else case.issued
    for told in (made, case.issued):
        if told.device_time is not None:
            return told.device_time - told.at
    measured = [
        s.event
        for s in now.syncs
        if s.event.device == made.device
        and s.event.clock_offset_seconds is not None
        and s.event.at <= made.at
    ]
    last: DeviceSynced | None = max(measured, key=lambda s: s.at, default=None)
    return timedelta(seconds=last.clock_offset_seconds or 0) if last is not None else timedelta()


def _own(entry: Entry, case: Case) -> bool:
    """Tell whether the entry is the citation itself or one of the reads that it names."""
    event = entry.event
    if isinstance(event, CitationIssued):
        return event.citation == case.issued.citation
    return isinstance(event, PlateRead) and event.read in case.issued.basis


def _upto(entry: Entry, position: int, at: datetime) -> bool:
    return entry.position <= position or (isinstance(entry.event, SETTINGS) and entry.recorded <= at)


def _on_list(entry: Entry, synced: datetime | None, at: datetime) -> bool:
    if isinstance(entry.event, SETTINGS):
        return entry.recorded <= at
    return synced is not None and entry.recorded <= synced
