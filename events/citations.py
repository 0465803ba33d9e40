"""Citations: issued on the basis of reads, served, charged, escalated, voided, reviewed."""

from typing import Annotated, Literal

from pydantic import BeforeValidator

from events.base import Event
from events.reads import PlaceSaid
from events.vocabulary import (
    Amount,
    CitationId,
    DeviceId,
    Identity,
    Instant,
    Personal,
    PlateTag,
    ReadId,
    Tag,
    Text,
    Word,
    ZoneId,
)

type CitationKind = Literal["citation", "warning"]
type Stage = Literal["notice", "hold", "boot", "tow", "collections", "court"]


def one_or_many(value: object) -> object:
    """Read a single identity as a list of one."""
    return (value,) if isinstance(value, str) else value


class CitationIssued(Event):
    """An officer cited the vehicle for a violation, resting on the reads that it names."""

    citation: CitationId
    plate: PlateTag
    zone: ZoneId
    code: Word
    kind: CitationKind = "citation"
    fine: Amount | None = None
    basis: Annotated[tuple[ReadId, ...], BeforeValidator(one_or_many)] = ()
    device: DeviceId | None = None
    online: bool | None = None
    device_time: Instant | None = None
    officer: Word | None = None
    place: Annotated[PlaceSaid, Personal("place")] | None = None
    policy: Identity | None = None
    """The policy version that the decision used."""


class CitationServed(Event):
    """The citation reached the vehicle or its owner; the clocks count from this local date."""

    citation: CitationId
    how: Word | None = None


class CitationVoided(Event):
    """The citation was an error or a duplicate; this is another act than a dismissal on appeal."""

    citation: CitationId
    reason: Word
    duplicate_of: Annotated[Identity, Tag("citation")] | None = None


class LateFeeAssessed(Event):
    """A late fee was added."""

    citation: CitationId
    amount: Amount
    reason: Text | None = None
    corrects: int | None = None


class LateFeeReversed(Event):
    """A late fee was taken back."""

    citation: CitationId
    amount: Amount
    reason: Text | None = None
    corrects: int | None = None


class LateFeeReinstated(Event):
    """A reversed late fee came back, because the payment that reversed it was dishonoured."""

    citation: CitationId
    amount: Amount
    reason: Text | None = None
    corrects: int | None = None


class ReturnedItemFeeAssessed(Event):
    """A fee was added for a payment that was dishonoured."""

    citation: CitationId
    amount: Amount
    reason: Text | None = None
    corrects: int | None = None


class CitationEscalated(Event):
    """The unpaid citation went one stage further."""

    citation: CitationId
    stage: Stage


class OwnerLookupReturned(Event):
    """The registry answered who owns the vehicle."""

    citation: CitationId
    result: Word


class ReviewRequired(Event):
    """Something changed what this decided citation rests on; a person has to look at it again."""

    citation: CitationId
    reason: Word
    cause: Text | None = None
