"""Every command by its imperative name: the one place where an area's deciders are made known."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from commands import (
    appeals,
    citations,
    devices,
    eligibility,
    erasure,
    escalation,
    exemptions,
    hearings,
    incidents,
    late_fees,
    payment_life,
    payments,
    permit_life,
    permit_plates,
    permit_types,
    permits,
    policies,
    reads,
    retention,
    reviews,
    sessions,
    voids,
    waitlist,
    watchlist,
    zones,
)
from commands.decider import AnyDecider

AREAS: tuple[Iterable[AnyDecider], ...] = (
    zones.DECIDERS,
    policies.DECIDERS,
    permit_types.DECIDERS,
    eligibility.DECIDERS,
    waitlist.DECIDERS,
    permits.DECIDERS,
    permit_plates.DECIDERS,
    permit_life.DECIDERS,
    sessions.DECIDERS,
    exemptions.DECIDERS,
    reads.DECIDERS,
    devices.DECIDERS,
    watchlist.DECIDERS,
    incidents.DECIDERS,
    citations.DECIDERS,
    voids.DECIDERS,
    late_fees.DECIDERS,
    escalation.DECIDERS,
    payments.DECIDERS,
    payment_life.DECIDERS,
    appeals.DECIDERS,
    hearings.DECIDERS,
    reviews.DECIDERS,
    retention.DECIDERS,
    erasure.DECIDERS,
)
"""A line an area."""


def _by_name(areas: Iterable[Iterable[AnyDecider]]) -> dict[str, AnyDecider]:
    named: dict[str, AnyDecider] = {}
    for decider in (decider for area in areas for decider in area):
        name = decider.command.__name__
        if name in named:
            raise TypeError(f"two deciders answer to {name}")
        named[name] = decider
    return named


COMMANDS: Mapping[str, AnyDecider] = MappingProxyType(_by_name(AREAS))
"""Every decider by the name of its command: `COMMANDS["PurchasePermit"]`."""
