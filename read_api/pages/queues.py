"""Where an account stands on the waiting lists."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from commands.policy import policy_at
from commands.queues import Queues, evolve_queues, in_line
from event_store.log import Log
from events.boundary import on
from events.permits import (
    PermitPurchased,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPlaceAccepted,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)
from events.policies import PolicyAdopted

_TYPES = (WaitlistJoined, WaitlistPlaceOffered, WaitlistPlaceAccepted, WaitlistPlaceLapsed, WaitlistLeft)


def places_of(log: Log, account: str, upto: int, now: datetime) -> list[dict[str, Any]]:
    """Return each list that the account is on, its number there, and until when a place is offered to it.

    Who accepted a place has no number any more.
    """
    joined = log.read(on(*_TYPES, account=account), upto=upto).entries
    wanted = sorted({entry.event.permit_type for entry in joined})
    if not wanted:
        return []
    policies = [entry.event for entry in log.read(on(PolicyAdopted), upto=upto).entries]
    offer_for = timedelta(hours=policy_at(policies, now).waitlist_offer_hours)
    return list(_places(log, account, wanted, upto, now, offer_for))


def _places(
    log: Log, account: str, wanted: Iterable[str], upto: int, now: datetime, offer_for: timedelta
) -> Iterable[dict[str, Any]]:
    for permit_type in wanted:
        told = log.read(on(*_TYPES, PermitPurchased, permit_type=permit_type), upto=upto).entries
        queue = reduce(evolve_queues, told, Queues()).queue(permit_type, now, offer_for)
        place: dict[str, Any] = {"permit_type": permit_type, "account": account}
        for number, one in enumerate(in_line(queue), 1):
            if one.account == account:
                yield {**place, "number": number, "until": one.offered_until}
        if any(one.account == account and one.accepted for one in queue):
            yield {**place, "number": None, "until": None}
