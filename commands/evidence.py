"""The evidence around a citation: the entries themselves, and the world that a set of them describes.

A finding asks the same question of several worlds (what is known now, what the log knew then, what the
device's list knew), so the evidence keeps its entries, and a world is folded from whichever of them count.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from commands.policy import Policy, policy_of_citation
from commands.right_collection import KnownRights
from commands.rights import PAYMENT_EVENTS, RIGHT_EVENTS, Interval, Standing, standing
from commands.stays import Sighting
from commands.zones import Zone, evolve_zone
from events.appeals import AppealDecided, AppealReinstated
from events.base import Event
from events.citations import CitationIssued, CitationVoided, ReviewRequired
from events.envelope import Recorded
from events.permits import PermitTypeOffered
from events.policies import PolicyAdopted
from events.reads import (
    DeviceSynced,
    PlateRead,
    PlateReadCorrected,
    PossibleMatchConfirmed,
    PossibleMatchDenied,
)
from events.vocabulary import Plate
from events.zones import ZoneClosed, ZoneOpened, ZoneRulesSet

type Entry = Recorded[Event]

AUTOMATION = "automation"
"""The actor of what the office does by itself."""

RIGHTS: tuple[type[Event], ...] = (*RIGHT_EVENTS, *PAYMENT_EVENTS, PermitTypeOffered, PolicyAdopted)
"""The events that the vehicle's rights are folded from."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One plate read with what people said of it later: whose plate it was, and candidates they denied."""

    entry: Recorded[PlateRead]
    vehicle: Plate
    corrected: bool = False
    denied: frozenset[str] = frozenset()
    said: tuple[Plate, ...] = ()
    """Every plate that a correction or confirmation named, in order of time."""

    @property
    def read(self) -> PlateRead:
        """The raw read, as it was reported."""
        return self.entry.event

    @property
    def at(self) -> datetime:
        """When it occurred, corrected by the device's clock offset."""
        return self.entry.event.at


@dataclass(frozen=True, slots=True)
class Case:
    """One citation of the vehicle, and what became of it."""

    entry: Recorded[CitationIssued]
    voided: Recorded[CitationVoided] | None = None
    decided: Recorded[AppealDecided] | None = None
    reviews: tuple[int, ...] = ()

    @property
    def issued(self) -> CitationIssued:
        """The citation as it was reported."""
        return self.entry.event

    @property
    def found_duplicate(self) -> bool:
        """Whether automation voided it as a duplicate: that follows from the evidence, and is none itself."""
        void = self.voided
        return void is not None and void.actor == AUTOMATION and void.event.duplicate_of is not None

    @property
    def stands(self) -> bool:
        """Whether no person voided it."""
        return self.voided is None or self.found_duplicate


@dataclass(slots=True)
class World:
    """What a set of entries says, folded: reads, citations, rights, zones, policies, device lists."""

    observations: dict[str, Observation] = field(default_factory=dict)
    """Each read by its client's id; where devices have the same ids, the later ones by id and device."""
    cases: dict[str, Case] = field(default_factory=dict)
    rights: KnownRights = field(default_factory=KnownRights)
    zones: dict[str, Zone] = field(default_factory=dict)
    syncs: list[Recorded[DeviceSynced]] = field(default_factory=list)
    policies: list[Recorded[PolicyAdopted]] = field(default_factory=list)
    _keys: dict[str, list[str]] = field(default_factory=dict)
    _told: dict[str, set[str]] = field(default_factory=dict)
    _intervals: dict[str, tuple[Interval, ...]] = field(default_factory=dict)

    def policy_for(self, citation: CitationIssued) -> Policy:
        """Return the policy version that the citation pins, else the one in force when it was issued."""
        case = self.cases.get(citation.citation)
        return policy_of_citation(
            [(entry.position, entry.event) for entry in self.policies],
            pinned=citation.policy,
            issued_at=citation.at,
            position=case.entry.position if case is not None else None,
        )

    def standing(self, plate: str, zone: str, at: datetime, grace_minutes: int) -> Standing:
        """Return how the plate stands in the zone at an instant, by what this world knows."""
        found = self._intervals.get(plate)
        if found is None:
            found = tuple(i for right in self.rights.of_plate(plate) for i in self.rights.intervals(right))
            self._intervals[plate] = found
        return standing(found, plate, zone, at, grace_minutes)

    def told_of(self, plate: str) -> list[str]:
        """Return the reads of which someone said that they were of this plate."""
        return sorted(self._told.get(plate, ()))

    def see(self, seen: Observation) -> None:
        """Keep a read, once for each device that has one of its id; only while the world is folded."""
        name, device = seen.read.read, seen.read.device
        keys = self._keys.setdefault(name, [])
        if any(self.observations[key].read.device == device for key in keys):
            return
        keys.append(f"{name} of {device}" if keys else name)
        self.observations[keys[-1]] = seen

    def named(self, read: str, device: str | None = None, plate: str | None = None) -> Observation | None:
        """Return the read of that id: of several devices' the one of this device, else of this plate."""
        key = self._key(read, device, plate)
        return self.observations[key] if key is not None else None

    def tell(self, read: str, plate: Plate, was: str | None = None) -> None:
        """Keep what a person said of a read; only while the world is folded."""
        self._told.setdefault(plate, set()).add(read)
        key = self._key(read, None, was)
        if key is not None:
            seen = self.observations[key]
            self.observations[key] = replace(
                seen, vehicle=plate, corrected=plate != seen.read.plate, said=(*seen.said, plate)
            )

    def deny(self, read: str, candidate: str) -> None:
        """Keep that a person saw that a read is not of a candidate; only while the world is folded."""
        key = self._key(read, None, None)
        if key is not None:
            seen = self.observations[key]
            self.observations[key] = replace(seen, denied=seen.denied | {candidate})

    def _key(self, read: str, device: str | None, plate: str | None) -> str | None:
        def fits(key: str) -> tuple[bool, bool]:
            seen = self.observations[key]
            return seen.read.device == device, plate in {seen.read.plate, seen.vehicle}

        return max(self._keys.get(read, ()), key=fits, default=None)

    def sightings(self, plate: str) -> list[Sighting]:
        """Return the observations of a vehicle, misreads counted for the vehicle that they were of."""
        return [
            Sighting(
                read=seen.read.read,
                zone=seen.read.zone,
                at=seen.at,
                position=seen.entry.position,
                direction=seen.read.direction,
                place=seen.read.place.text if seen.read.place is not None else None,
            )
            for seen in self.observations.values()
            if seen.vehicle == plate
        ]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The entries that a citation rests on; one more entry makes another evidence."""

    before: "Evidence | None" = None
    entry: Entry | None = None

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Evidence":
        """Return the evidence of these entries."""
        grown = cls()
        for entry in entries:
            grown = cls(grown, entry)
        return grown

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries by position, each once."""
        found: dict[int, Entry] = {}
        node: Evidence | None = self
        while node is not None and node.entry is not None:
            found[node.entry.position] = node.entry
            node = node.before
        return tuple(found[position] for position in sorted(found))

    def upto(self, position: int) -> "Evidence":
        """Return what was known at a position of the log."""
        return Evidence.of(e for e in self.entries if e.position <= position)


def evolve_evidence(evidence: Evidence, entry: Entry) -> Evidence:
    """Return the evidence with one more entry."""
    return Evidence(evidence, entry)


def world(entries: Iterable[Entry]) -> World:
    """Return the world that the entries describe; their order does not matter to it."""
    ordered = sorted(entries, key=lambda e: e.position)
    told = (e for e in ordered if isinstance(e.event, RIGHTS))
    folded = World(rights=KnownRights().grown(told))  # type: ignore[arg-type]
    later: list[Entry] = []
    for entry in ordered:
        event = entry.event
        if isinstance(event, PlateRead):
            folded.see(Observation(_typed(entry, event), event.plate))
        elif isinstance(event, CitationIssued):
            folded.cases.setdefault(event.citation, Case(_typed(entry, event)))
        else:
            later.append(entry)
    for entry in later:
        _fold(folded, entry)
    for entry in sorted(later, key=lambda e: (e.event.at, e.position)):
        _remark(folded, entry)
    return folded


def _typed[E: Event](entry: Entry, event: E) -> Recorded[E]:
    return Recorded(entry.position, entry.recorded, event, entry.actor, entry.channel, entry.command_id)


def _fold(folded: World, entry: Entry) -> None:
    """Fold what zones, devices and policies tell."""
    event = entry.event
    if isinstance(event, ZoneOpened | ZoneRulesSet | ZoneClosed):
        known = folded.zones.get(event.zone, Zone(event.zone))
        folded.zones[event.zone] = evolve_zone(known, _typed(entry, event))
    elif isinstance(event, DeviceSynced):
        folded.syncs.append(_typed(entry, event))
    elif isinstance(event, PolicyAdopted):
        folded.policies.append(_typed(entry, event))


def _remark(folded: World, entry: Entry) -> None:
    """Fold, in order of time, what was said of reads and citations afterwards."""
    event = entry.event
    match event:
        case PlateReadCorrected():
            folded.tell(event.read, event.plate, event.was)
        case PossibleMatchConfirmed():
            folded.tell(event.read, event.candidate)
        case PossibleMatchDenied():
            folded.deny(event.read, event.candidate)
        case CitationVoided() | AppealDecided() | AppealReinstated() | ReviewRequired():
            _decided(folded.cases, entry, event)
        case _:
            pass


def _decided(
    cases: dict[str, Case],
    entry: Entry,
    event: CitationVoided | AppealDecided | AppealReinstated | ReviewRequired,
) -> None:
    case = cases.get(event.citation)
    if case is None:
        return
    match event:
        case CitationVoided():
            by_staff = case.voided if case.voided is not None and not case.found_duplicate else None
            cases[event.citation] = replace(case, voided=by_staff or _typed(entry, event))
        case AppealDecided():
            cases[event.citation] = replace(case, decided=_typed(entry, event))
        case AppealReinstated():
            cases[event.citation] = replace(case, decided=None)
        case ReviewRequired():
            cases[event.citation] = replace(case, reviews=(*case.reviews, entry.position))


def basis_of(known: World, citation: CitationIssued) -> list[Observation]:
    """Return the reads that the citation names, as far as the world knows them, in order of time."""
    named = (known.named(read, citation.device, citation.plate) for read in citation.basis)
    found = [seen for seen in named if seen is not None]
    return sorted(found, key=lambda seen: (seen.at, seen.entry.position))
