"""Permits: types, eligibility, waiting lists, and the life of a permit from purchase to its end."""

from typing import Annotated

from pydantic import Field

from events.base import Event
from events.vocabulary import (
    AccountId,
    Amount,
    Identity,
    Instant,
    PaymentId,
    PermitId,
    PlateTag,
    Tag,
    Text,
    Word,
    ZoneId,
)

PermitTypeId = Annotated[Identity, Tag("permit_type")]


class PermitTypeOffered(Event):
    """The office sells permits of this type; capacity bounds those in force at once."""

    permit_type: PermitTypeId
    zones: tuple[ZoneId, ...]
    price: Amount
    term_days: Annotated[int, Field(gt=0, le=3660)]
    capacity: Annotated[int, Field(ge=0)] | None = None
    max_plates: Annotated[int, Field(gt=0)] = 1
    max_active: Annotated[int, Field(gt=0)] = 1
    eligibility: Word | None = None


class EligibilityGranted(Event):
    """The account may buy what requires this eligibility, until `until` where it is given."""

    account: AccountId
    eligibility: Word
    until: Instant | None = None


class EligibilityWithdrawn(Event):
    """The account has that eligibility no longer."""

    account: AccountId
    eligibility: Word
    until: Instant | None = None


class WaitlistJoined(Event):
    """The account waits for a place of the permit type."""

    account: AccountId
    permit_type: PermitTypeId
    expires: Instant | None = None


class WaitlistPlaceOffered(Event):
    """A place became free and is the account's to take until `expires`."""

    account: AccountId
    permit_type: PermitTypeId
    expires: Instant | None = None


class WaitlistPlaceAccepted(Event):
    """The account took the place that it was offered."""

    account: AccountId
    permit_type: PermitTypeId
    expires: Instant | None = None


class WaitlistPlaceLapsed(Event):
    """The offer ran out; the place goes to who is next."""

    account: AccountId
    permit_type: PermitTypeId
    expires: Instant | None = None


class WaitlistLeft(Event):
    """The account waits no longer."""

    account: AccountId
    permit_type: PermitTypeId
    expires: Instant | None = None


class PermitPurchased(Event):
    """A right of the plates it carries to stand in `zones` within `[valid_from, valid_until)`."""

    permit: PermitId
    account: AccountId | None = None
    permit_type: PermitTypeId | None = None
    zones: tuple[ZoneId, ...]
    plates: tuple[PlateTag, ...] = ()
    valid_from: Instant
    valid_until: Instant
    price: Amount | None = None
    payment: PaymentId | None = None


class PermitRenewed(Event):
    """The permit now runs until `valid_until`.

    `zones` and `permit_type` repeat the permit's, so that who watches their capacity finds the renewal.
    """

    permit: PermitId
    valid_until: Instant
    price: Amount | None = None
    payment: PaymentId | None = None
    zones: tuple[ZoneId, ...] | None = None
    permit_type: PermitTypeId | None = None


class PlateAdded(Event):
    """The permit carries one more plate from `effective_from`."""

    permit: PermitId
    plate: PlateTag
    effective_from: Instant


class PlateRemoved(Event):
    """The permit no longer carries the plate from `effective_from`."""

    permit: PermitId
    plate: PlateTag
    effective_from: Instant


class ActivePlateSelected(Event):
    """From its occurred time this plate is the active one of the permit."""

    permit: PermitId
    plate: PlateTag


class PlateAssociationCorrected(Event):
    """The permit should have carried `plate` from `effective_from` on.

    `corrects` names the event that got it wrong by its position, or the wrong plate itself.
    """

    permit: PermitId
    plate: PlateTag
    corrects: int | Word | None = None
    effective_from: Instant
    reason: Text | None = None
    approved_by: Word | None = None


class PermitSuspended(Event):
    """The right rests from `effective_at` until it is reinstated."""

    permit: PermitId
    effective_at: Instant
    reason: Text | None = None


class PermitRevoked(Event):
    """The right was taken away as of `effective_at`, which the notice names."""

    permit: PermitId
    effective_at: Instant
    reason: Text | None = None


class PermitCancelled(Event):
    """The holder gave the right back as of `effective_at`."""

    permit: PermitId
    effective_at: Instant
    reason: Text | None = None


class PermitReinstated(Event):
    """The right stands again from `effective_at`, or from `retroactive_to` where it says so.

    `zones` and `permit_type` repeat the permit's, so that who watches their capacity finds it.
    """

    permit: PermitId
    effective_at: Instant
    retroactive_to: Instant | None = None
    zones: tuple[ZoneId, ...] | None = None
    permit_type: PermitTypeId | None = None


class PermitTransferred(Event):
    """The permit belongs to another account."""

    permit: PermitId
    account: AccountId


class PermitReportedLost(Event):
    """The holder reported the permit lost or stolen."""

    permit: PermitId
    account: AccountId | None = None
