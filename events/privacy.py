"""Privacy: who looked, what is held for the law, what was erased."""

from typing import Annotated

from events.base import Event
from events.vocabulary import AccountId, CitationId, Identity, PlateTag, Tag, Text, Word


class RecordAccessed(Event):
    """Somebody looked up a person's or a plate's data (California Civil Code 1798.90.52)."""

    who: Word
    query: Text
    purpose: Word
    plate: PlateTag | None = None
    account: AccountId | None = None
    citation: CitationId | None = None


class LegalHoldPlaced(Event):
    """What the hold covers is kept, whatever retention says."""

    case: Annotated[Identity, Tag("case")]
    covers: tuple[Word, ...]


class LegalHoldLifted(Event):
    """The hold is over."""

    case: Annotated[Identity, Tag("case")]
    covers: tuple[Word, ...] = ()


class RetentionKeyDestroyed(Event):
    """The key of a retention bucket (a local date, as text) is gone, and with it what it sealed."""

    bucket: Annotated[Word, Tag("bucket")]


class SubjectErased(Event):
    """An account's personal data can be read no longer."""

    account: AccountId
    reason: Text | None = None


class ErasureRefused(Event):
    """An erasure request was refused, for this reason."""

    account: AccountId
    reason: Text | None = None
