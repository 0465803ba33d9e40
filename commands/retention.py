"""Retention: legal holds, and the end of the keys that personal data of plate reads is sealed under.

A key belongs to a local date. Destroying it makes every read of that date unreadable for good, wherever a
copy of it lies; what a legal hold covers is kept, whatever retention says (DOMAIN §3, privacy).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import AfterValidator, Field

from commands.calendar import local_date
from commands.decider import Command, Decider, Refusal, fact_of
from events.base import Event
from events.boundary import Boundary, on
from events.citations import CitationIssued
from events.envelope import Recorded
from events.privacy import LegalHoldLifted, LegalHoldPlaced, RetentionKeyDestroyed
from events.reads import PlateRead, PlateReadCorrected, PossibleMatchConfirmed
from events.vocabulary import Identity, Word, parse_plate
from events.zones import ZoneOpened

_KINDS = (
    *("plate:", "read:", "citation:", "zone:", "device:", "bucket:"),
    *("account:", "permit:", "appeal:", "incident:"),
)


def _local_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"a bucket is a local date, such as 2026-03-05, not {text[:40]!r}") from None


class PlaceLegalHold(Command):
    """Keep what the hold covers: plates, reads, citations, zones, devices, dates; accounts, their cases."""

    case: Identity
    covers: Annotated[tuple[Word, ...], Field(min_length=1, max_length=1000)]


class LiftLegalHold(Command):
    """End the hold of a case."""

    case: Identity


class DestroyRetentionKey(Command):
    """Destroy the key of a local date, and with it what it sealed."""

    bucket: Annotated[Word, AfterValidator(_local_date)]


class UnderLegalHold(Refusal):
    """A legal hold covers what would be made unreadable; what it covers is kept."""


class NoSuchLegalHold(Refusal):
    """No legal hold of that case stands."""


class LegalHoldExists(Refusal):
    """The case has a legal hold that covers something else."""


type HoldFact = LegalHoldPlaced | LegalHoldLifted | RetentionKeyDestroyed
type Covered = PlateRead | PlateReadCorrected | PossibleMatchConfirmed | CitationIssued | ZoneOpened
type RetentionFact = HoldFact | Covered


@dataclass(frozen=True, slots=True)
class Retained:
    """The holds that stand, what was destroyed, and the reads that holds may cover."""

    holds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()
    destroyed: frozenset[str] = frozenset()
    reads: tuple[PlateRead, ...] = ()
    said: frozenset[str] = frozenset()
    """Reads that a person, or a citation, named beside their plate."""
    timezones: Mapping[str, str] = field(default_factory=dict)

    @property
    def covered(self) -> frozenset[str]:
        """Every word that a standing hold covers, without the kind that may stand before it."""
        words = (word for covers in self.holds.values() for word in covers)
        return frozenset(_bare(word) for word in words)


def _bare(word: str) -> str:
    kind = next((kind for kind in _KINDS if word.startswith(kind)), "")
    bare = word.removeprefix(kind).strip()
    try:
        return str(parse_plate(bare))
    except ValueError:
        return bare


def _holding(command: PlaceLegalHold | LiftLegalHold, _: Retained) -> Boundary[RetentionFact]:
    return on(LegalHoldPlaced, LegalHoldLifted, case=command.case)


def _destroying(command: DestroyRetentionKey, facts: Retained) -> Boundary[RetentionFact]:
    boundary: Boundary[RetentionFact] = on(LegalHoldPlaced, LegalHoldLifted) | on(
        RetentionKeyDestroyed, bucket=command.bucket
    )
    for word in facts.covered:
        boundary |= on(PlateRead, PlateReadCorrected, PossibleMatchConfirmed, plate=word)
        boundary |= on(CitationIssued, citation=word) | on(PlateRead, zone=word) | on(PlateRead, device=word)
    for read in {*facts.said, *facts.covered}:
        boundary |= on(PlateRead, read=read)
    for zone in {read.zone for read in facts.reads}:
        boundary |= on(ZoneOpened, zone=zone)
    return boundary


def evolve_retained(  # noqa: PLR0911 - a fact each
    facts: Retained, entry: Recorded[RetentionFact]
) -> Retained:
    """Return the facts after one more entry."""
    event = entry.event
    match event:
        case LegalHoldPlaced():
            return replace(facts, holds={**facts.holds, event.case: event.covers})
        case LegalHoldLifted():
            kept = {case: covers for case, covers in facts.holds.items() if case != event.case}
            return replace(facts, holds=kept, lifted=facts.lifted | {event.case})
        case RetentionKeyDestroyed():
            return replace(facts, destroyed=facts.destroyed | {event.bucket})
        case PlateRead():
            known = event in facts.reads
            return facts if known else replace(facts, reads=(*facts.reads, event))
        case PlateReadCorrected() | PossibleMatchConfirmed():
            return replace(facts, said=facts.said | {event.read})
        case CitationIssued():
            return replace(facts, said=facts.said | set(event.basis))
        case ZoneOpened():
            return replace(facts, timezones={**facts.timezones, event.zone: event.timezone})
        case _ as never:
            assert_never(never)


def _place(command: PlaceLegalHold, facts: Retained) -> Sequence[Event]:
    standing = facts.holds.get(command.case)
    if standing == command.covers:
        return ()
    if standing is not None:
        raise LegalHoldExists(f"The case {command.case!r} has a legal hold; lift it first.")
    return (fact_of(command, LegalHoldPlaced),)


def _lift(command: LiftLegalHold, facts: Retained) -> Sequence[Event]:
    standing = facts.holds.get(command.case)
    if standing is None and command.case in facts.lifted:
        return ()
    if standing is None:
        raise NoSuchLegalHold(f"No legal hold of the case {command.case!r} stands.", case=command.case)
    return (fact_of(command, LegalHoldLifted, covers=standing),)


def _destroy(command: DestroyRetentionKey, facts: Retained) -> Sequence[Event]:
    if command.bucket in facts.destroyed:
        return ()
    covered = facts.covered
    if command.bucket in covered:
        raise UnderLegalHold(bucket=command.bucket)
    for read in _of_bucket(command.bucket, facts):
        if read.read in facts.said or not covered.isdisjoint({read.read, read.plate, read.zone, read.device}):
            raise UnderLegalHold(
                f"A legal hold covers the read {read.read!r} of {command.bucket}.", read=read.read
            )
    return (fact_of(command, RetentionKeyDestroyed),)


def _of_bucket(bucket: str, facts: Retained) -> Iterator[PlateRead]:
    for read in facts.reads:
        if local_date(read.at, facts.timezones.get(read.zone, "UTC")).isoformat() == bucket:
            yield read


PLACE_LEGAL_HOLD = Decider(PlaceLegalHold, _holding, Retained, evolve_retained, _place)
LIFT_LEGAL_HOLD = Decider(LiftLegalHold, _holding, Retained, evolve_retained, _lift)
DESTROY_RETENTION_KEY = Decider(DestroyRetentionKey, _destroying, Retained, evolve_retained, _destroy)
DECIDERS = (PLACE_LEGAL_HOLD, LIFT_LEGAL_HOLD, DESTROY_RETENTION_KEY)
