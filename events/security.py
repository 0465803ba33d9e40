"""Security: the watchlist, its hits, and incidents."""

from typing import Annotated

from events.base import Event
from events.vocabulary import (
    AccountId,
    EntryId,
    IncidentId,
    Instant,
    Personal,
    PlateTag,
    ReadId,
    Text,
    Word,
)


class WatchlistEntryAdded(Event):
    """Whoever reads this plate is to be alerted."""

    entry: EntryId
    plate: PlateTag
    reason: Text
    source: Word | None = None
    expires: Instant | None = None


class WatchlistEntryCancelled(Event):
    """The entry alerts no longer."""

    entry: EntryId
    plate: PlateTag | None = None
    reason: Text | None = None
    source: Word | None = None
    expires: Instant | None = None


class WatchlistHit(Event):
    """A read met an entry; `stale` where the entry was cancelled by then and the device did not know."""

    entry: EntryId
    read: ReadId
    plate: PlateTag
    stale: bool = False


class IncidentOpened(Event):
    """Something happened that security keeps a record of."""

    incident: IncidentId
    summary: Annotated[Text, Personal("account")] | None = None
    plate: PlateTag | None = None
    account: AccountId | None = None
    place: Annotated[Text, Personal("place")] | None = None
    links: tuple[Word, ...] | None = None


class IncidentNoted(Event):
    """The dispatch log got an entry."""

    incident: IncidentId
    summary: Annotated[Text, Personal("account")] | None = None
    plate: PlateTag | None = None
    account: AccountId | None = None
    place: Annotated[Text, Personal("place")] | None = None
    links: tuple[Word, ...] | None = None


class IncidentLinked(Event):
    """The incident concerns a further vehicle, person, place or case."""

    incident: IncidentId
    summary: Annotated[Text, Personal("account")] | None = None
    plate: PlateTag | None = None
    account: AccountId | None = None
    place: Annotated[Text, Personal("place")] | None = None
    links: tuple[Word, ...] | None = None


class IncidentAmended(Event):
    """A locked report got an amendment; what it amends stays."""

    incident: IncidentId
    summary: Annotated[Text, Personal("account")] | None = None
    plate: PlateTag | None = None
    account: AccountId | None = None
    place: Annotated[Text, Personal("place")] | None = None
    links: tuple[Word, ...] | None = None


class IncidentClosed(Event):
    """The report is locked."""

    incident: IncidentId
    summary: Annotated[Text, Personal("account")] | None = None
    plate: PlateTag | None = None
    account: AccountId | None = None
    place: Annotated[Text, Personal("place")] | None = None
    links: tuple[Word, ...] | None = None
