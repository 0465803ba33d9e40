"""Many rights at once, as a decision knows them: with their payments, the permit types and the policies.

`Rights` grows by an entry at a time and never changes, yet a busy zone's thousands of entries fold in linear
time: each step only remembers what came before it, and the whole is worked out when someone asks.
"""

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from commands.layers import grown
from commands.permit_types import max_active_of, offer_at
from commands.policy import Policy, policy_at
from commands.right_facts import Kind, Right, RightEvent, evolve_right, keys_of
from commands.right_intervals import Interval, intervals, nominal_spans
from commands.right_payments import PAYMENT_EVENTS, Payment, PaymentEvent, evolve_payment
from commands.right_plates import Span
from commands.standing import Standing, standing
from events.envelope import Recorded
from events.permits import PermitTypeOffered
from events.policies import PolicyAdopted

type Key = tuple[Kind, str]
type Holders = tuple[Literal["zone", "permit_type"], str, Kind]
"""Those who take places of a zone or a permit type, by the kind of right that lets them."""
type RightsEvent = RightEvent | PaymentEvent | PermitTypeOffered | PolicyAdopted

ONE_BY_ONE = 8
"""Additions to a sorted list that are put in their place each, rather than sorting all anew."""

_PAYMENTS = frozenset(PAYMENT_EVENTS)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Tenure(NamedTuple):
    """What a permit or session takes places of, and when, whatever it was paid for.

    `start` and `first_end` are what it was bought for, `last_end` what it was extended to, stopped or not.
    """

    key: Key
    zones: tuple[str, ...]
    permit_type: str | None
    start: datetime
    first_end: datetime
    last_end: datetime
    spans: tuple[Span, ...]
    over_by: datetime
    """When nothing of it is left."""

    @property
    def holders(self) -> Iterator[Holders]:
        """Which places it takes."""
        yield from (("zone", zone, self.key[0]) for zone in self.zones)
        if self.permit_type is not None:
            yield "permit_type", self.permit_type, self.key[0]


@dataclass(slots=True)
class KnownRights:
    """What a collection of rights comes to; made once, then only read."""

    rights: MutableMapping[Key, Right] = field(default_factory=dict)
    payments: MutableMapping[str, Payment] = field(default_factory=dict)
    by_plate: MutableMapping[str, tuple[Key, ...]] = field(default_factory=dict)
    offers: tuple[PermitTypeOffered, ...] = ()
    adopted: tuple[PolicyAdopted, ...] = ()
    _tenures: MutableMapping[Key, Tenure | None] = field(default_factory=dict)
    _holders: dict[Holders, list[tuple[datetime, Key]]] = field(default_factory=dict)
    """Who takes places, sorted by when nothing of it is left; what holds no longer is passed over."""
    _changed: set[Key] = field(default_factory=set)
    """Rights whose tenure was not worked out since they changed."""

    def right(self, kind: Kind, right: str) -> Right | None:
        """Return the right of that kind and id, once the fact that began it is known."""
        found = self.rights.get((kind, right))
        return found if found is not None and found.known else None

    def of_plate(self, plate: str) -> Iterable[Right]:
        """Return the rights that ever had to do with the plate."""
        return (self.rights[key] for key in self.by_plate.get(plate, ()))

    def offer(self, permit_type: str, at: datetime) -> PermitTypeOffered | None:
        """Return the terms of a permit type at the instant."""
        return offer_at(self.offers, permit_type, at)

    def policy(self, at: datetime) -> Policy:
        """Return the policy in force at the instant."""
        return policy_at(self.adopted, at)

    def max_active(self, right: Right) -> int:
        """Return how many plates of the right may be active at once."""
        return max_active_of(right, self.offers, self.adopted) if right.kind == "permit" else 1

    def intervals(self, right: Right) -> tuple[Interval, ...]:
        """Return the intervals in which the right was valid."""
        return intervals(right, self.payments, max_active=self.max_active(right))

    def standing(self, plate: str, zone: str, at: datetime) -> Standing:
        """Return how the plate stands in the zone at the instant, with the grace of that instant's policy."""
        found = [interval for right in self.of_plate(plate) for interval in self.intervals(right)]
        return standing(found, plate, zone, at, self.policy(at).grace_minutes)

    def holders(self, of: Holders, since: datetime) -> Iterator[Tenure]:
        """Yield the tenures of such places of which something is left after an instant."""
        self._settle()
        held, tenures = self._holders.get(of, []), self._tenures
        last: Key | None = None
        for over_by, key in held[bisect_right(held, since, key=_over_by) :]:
            tenure = tenures[key]
            if key != last and tenure is not None and tenure.over_by == over_by:
                last = key
                yield tenure

    def _settle(self) -> None:
        """Work out the tenures of what changed; the lists of earlier states stay as they are."""
        added: defaultdict[Holders, list[tuple[datetime, Key]]] = defaultdict(list)
        for key in self._changed:
            before, tenure = self._tenures.get(key), _tenure(key, self.rights[key])
            self._tenures[key] = tenure
            if tenure is not None and (before is None or before.over_by != tenure.over_by):
                for of in tenure.holders:
                    added[of].append((tenure.over_by, key))
        for of, more in added.items():
            self._holders[of] = _merged(self._holders.get(of, []), more)
        self._changed = set()

    def grown(self, entries: Iterable[Recorded[RightsEvent]]) -> "KnownRights":
        """Return what it comes to with further entries."""
        known = KnownRights(
            grown(self.rights),
            grown(self.payments),
            grown(self.by_plate),
            self.offers,
            self.adopted,
            grown(self._tenures),
            dict(self._holders),
            set(self._changed),
        )
        for entry in entries:
            known._add(entry)
        return known

    def _add(self, entry: Recorded[RightsEvent]) -> None:
        event = entry.event
        if isinstance(event, PermitTypeOffered):
            self.offers = (*self.offers, event)
        elif isinstance(event, PolicyAdopted):
            self.adopted = (*self.adopted, event)
        else:
            if type(event) in _PAYMENTS:
                self._pay(entry)
            for key in keys_of(event):
                self._tell(key, entry)

    def _pay(self, entry: Recorded[RightsEvent]) -> None:
        payment: str = entry.event.__dict__["payment"]
        before = self.payments.get(payment, _UNPAID)
        self.payments[payment] = evolve_payment(before, entry)  # type: ignore[arg-type]

    def _tell(self, key: Key, entry: Recorded[RightsEvent]) -> None:
        before = self.rights.get(key) or Right(*key)
        right = self.rights[key] = evolve_right(before, entry)  # type: ignore[arg-type]
        self._changed.add(key)
        for plate in {plate for fact in right.facts for plate in fact.plates}:
            named = self.by_plate.get(plate, ())
            if key not in named:
                self.by_plate[plate] = (*named, key)


_UNPAID = Payment()


def _tenure(key: Key, right: Right) -> Tenure | None:
    bought = next((fact for fact in right.facts if fact.what == "bought"), None)
    if bought is None or bought.until is None or right.kind == "exemption":
        return None
    ends = [fact.until for fact in right.facts if fact.what in {"bought", "renewed"} and fact.until]
    spans = nominal_spans(right)
    last = max(ends)
    over_by = max([last, *(end or _NEVER for _, end, _ in spans)])
    return Tenure(key, right.zones, right.permit_type, bought.since, bought.until, last, spans, over_by)


def _merged(held: list[tuple[datetime, Key]], more: list[tuple[datetime, Key]]) -> list[tuple[datetime, Key]]:
    """Return both as a sorted list of its own."""
    if len(more) > ONE_BY_ONE:
        return sorted([*held, *more])
    merged = list(held)
    for one in more:
        insort(merged, one)
    return merged


def _over_by(held: tuple[datetime, Key]) -> datetime:
    return held[0]


class Rights:
    """An immutable collection of rights that grows by entries; `known` says what it comes to."""

    __slots__ = ("_node",)

    def __init__(self, before: "tuple[Rights, Recorded[RightsEvent]] | None" = None) -> None:
        """Start with none, or with those of another collection and one more entry."""
        self._node: KnownRights | tuple[Rights, Recorded[RightsEvent]] = before or KnownRights()

    @property
    def known(self) -> KnownRights:
        """What the collection comes to, worked out at the first time of asking."""
        node = self._node
        if isinstance(node, KnownRights):
            return node
        entries: list[Recorded[RightsEvent]] = []
        while not isinstance(node, KnownRights):
            before, entry = node
            entries.append(entry)
            node = before._node  # noqa: SLF001 - the same class
        known = node.grown(reversed(entries))
        self._node = known
        return known


def evolve_rights(rights: Rights, entry: Recorded[RightsEvent]) -> Rights:
    """Return the rights after one more entry; those that were given stay as they are."""
    return Rights((rights, entry))
