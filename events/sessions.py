"""Sessions and exemptions: rights that last hours rather than months."""

from events.base import Event
from events.vocabulary import (
    Amount,
    ExemptionId,
    Instant,
    PaymentId,
    PlateTag,
    SessionId,
    Text,
    Word,
    ZoneId,
)


class SessionStarted(Event):
    """The vehicle may stand in the zone within `[start, until)`: metered, visitor, event or validated."""

    session: SessionId
    plate: PlateTag
    zone: ZoneId
    start: Instant
    until: Instant
    channel: Word = "app"
    amount: Amount | None = None
    payment: PaymentId | None = None


class SessionExtended(Event):
    """The session now runs until `until`; `zone` repeats the session's, for who watches its capacity."""

    session: SessionId
    until: Instant
    zone: ZoneId | None = None


class SessionEnded(Event):
    """The session ended before its time: at `until`, or when the event occurred."""

    session: SessionId
    until: Instant | None = None


class ExemptionGranted(Event):
    """The vehicle is not to be cited within `[start, until)`, in one zone or in all."""

    exemption: ExemptionId
    plate: PlateTag
    zone: ZoneId | None = None
    start: Instant | None = None
    until: Instant | None = None
    reason: Text | None = None


class ExemptionEnded(Event):
    """The exemption ended: at `until`, or when the event occurred. The rest repeats what was granted."""

    exemption: ExemptionId
    plate: PlateTag | None = None
    zone: ZoneId | None = None
    start: Instant | None = None
    until: Instant | None = None
    reason: Text | None = None
