"""Policies: every number that an office decides by, as a named key with its unit and its range.

The defaults are `standard-1`. A version is adopted by an event with an effective time; the keys that it
leaves out keep their default. `fine.CODE`, `discounted_fine.CODE` and `late_fee.CODE` set the amounts of one
violation code (a fee schedule) over the general ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any, Self, get_args, get_type_hints

from commands.decider import Refusal
from events.policies import PolicyAdopted
from events.vocabulary import MAX_AMOUNT, Cents

STANDARD_1 = "standard-1"

type Value = int | bool | str


class UnknownPolicyKey(Refusal):
    """The policy sets a key that no rule reads."""


class PolicyValueOutOfRange(Refusal):
    """The policy sets a key to a value that is outside its range, or of another kind."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key counts, and between which bounds, both included."""

    unit: str
    low: int
    high: int


_MINUTES = Key("minutes", 0, 7 * 24 * 60)
_HOURS = Key("hours", 1, 24 * 366)
_DAYS = Key("days", 0, 3660)
_CENTS = Key("minor units", 0, MAX_AMOUNT)
_PLATES = Key("plates", 1, 1000)
_SWITCH = Key("1 for yes or 0 for no", 0, 1)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of an office's numbers, DOMAIN §4; amounts in minor units."""

    version: str = STANDARD_1
    grace_minutes: Annotated[int, _MINUTES] = 10
    """After a right's end; citing is proper only if the read is later than end + grace."""
    max_plates: Annotated[int, _PLATES] = 100
    """Plates that a permit without a type may carry."""
    max_active: Annotated[int, _PLATES] = 1
    """Plates of a permit without a type that may be active at once."""
    fine: Annotated[Cents, _CENTS] = Cents(6000)
    discounted_fine: Annotated[Cents, _CENTS] = Cents(3000)
    discount_days: Annotated[int, _DAYS] = 14
    late_fee: Annotated[Cents, _CENTS] = Cents(2500)
    late_fee_day: Annotated[int, _DAYS] = 29
    notice_day: Annotated[int, _DAYS] = 0
    """The day on which automation takes what is unpaid to that stage, held as the late fee; 0 for never."""
    hold_day: Annotated[int, _DAYS] = 0
    boot_day: Annotated[int, _DAYS] = 0
    tow_day: Annotated[int, _DAYS] = 0
    collections_day: Annotated[int, _DAYS] = 0
    court_day: Annotated[int, _DAYS] = 0
    first_appeal_days: Annotated[int, _DAYS] = 21
    second_level_days: Annotated[int, _DAYS] = 21
    discount_reoffer_days: Annotated[int, _DAYS] = 14
    returned_item_fee: Annotated[Cents, _CENTS] = Cents(2000)
    duplicate_window_minutes: Annotated[int, _MINUTES] = 120
    void_duplicates: Annotated[int, _SWITCH] = 1
    """Whether automation voids a duplicate that it finds, or leaves it to staff to confirm the finding."""
    waitlist_offer_hours: Annotated[int, _HOURS] = 48
    unmatched_retention_days: Annotated[int, _DAYS] = 30
    matched_retention_days: Annotated[int, _DAYS] = 365
    purpose_required: Annotated[int, _SWITCH] = 0
    """Whether looking up a plate's or a person's data demands that a purpose is stated."""
    schedule: Mapping[str, Cents] = MappingProxyType({})
    """The fee schedule: amounts by `fine.CODE`, `discounted_fine.CODE` and `late_fee.CODE`."""

    @classmethod
    def of(cls, values: Mapping[str, Value], version: str = STANDARD_1) -> Self:
        """Return standard-1 with these values over it, under the version's name.

        Raises:
            UnknownPolicyKey: if a key is none of the policy's.
            PolicyValueOutOfRange: if a value is not a whole number within the bounds of its key.

        """
        schedule = {key: Cents(_checked(key, value)) for key, value in values.items() if "." in key}
        plain: dict[str, Any] = {
            key: _checked(key, value) for key, value in values.items() if key not in schedule
        }
        return cls(version=version, schedule=MappingProxyType(schedule), **plain)

    @property
    def grace(self) -> timedelta:
        """The expiry grace as a duration."""
        return timedelta(minutes=self.grace_minutes)

    @property
    def duplicate_window(self) -> timedelta:
        """The window within which a second citation is of the same violation."""
        return timedelta(minutes=self.duplicate_window_minutes)

    @property
    def waitlist_offer(self) -> timedelta:
        """How long an offered place is kept for who was offered it."""
        return timedelta(hours=self.waitlist_offer_hours)

    def fine_for(self, code: str) -> Cents:
        """Return the fine of a violation code."""
        return self.schedule.get(f"fine.{code}", self.fine)

    def discounted_fine_for(self, code: str) -> Cents:
        """Return what settles a citation of that code inside the discount window."""
        return self.schedule.get(f"discounted_fine.{code}", self.discounted_fine)

    def stage_day(self, stage: str) -> int:
        """Return the day on which what is unpaid goes to a stage of collection, 0 for never by itself."""
        day: int = getattr(self, f"{stage}_day")
        return day

    def late_fee_for(self, code: str) -> Cents:
        """Return the late fee of a violation code."""
        return self.schedule.get(f"late_fee.{code}", self.late_fee)


def _declared() -> dict[str, Key]:
    hints = get_type_hints(Policy, include_extras=True)
    found = ((field.name, get_args(hints[field.name])) for field in fields(Policy))
    return {name: args[1] for name, args in found if len(args) > 1 and isinstance(args[1], Key)}


KEYS: Mapping[str, Key] = MappingProxyType(_declared())
"""Every plain key of a policy with its unit and bounds: the schema that forms and documents are made from."""

SCHEDULED = ("fine", "discounted_fine", "late_fee")
"""The keys that a fee schedule may set for one violation code, as `fine.CODE`."""

STANDARD = Policy()


def key_named(name: str) -> Key:
    """Return the unit and bounds of a key, scheduled ones included.

    Raises:
        UnknownPolicyKey: if no rule reads a key of that name.

    """
    general, dot, code = name.partition(".")
    known = KEYS.get(general) if not dot or (general in SCHEDULED and code) else None
    if known is None:
        near = get_close_matches(general, KEYS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UnknownPolicyKey(f"No rule reads the policy key {name[:100]!r}{hint}.", key=name)
    return known


def _checked(name: str, value: Value) -> int:
    key = key_named(name)
    if isinstance(value, bool) and key is _SWITCH:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not key.low <= value <= key.high:
        raise PolicyValueOutOfRange(
            f"{name} is a whole number of {key.unit} from {key.low} to {key.high}, not {value!r:.100}.",
            key=name,
        )
    return value


def policy_at(adopted: Iterable[PolicyAdopted], instant: datetime) -> Policy:
    """Return the policy in force at an instant: the version last in effect by then, standard-1 before any.

    Of versions with the same effective time the one adopted later counts, then the one that stands later in
    `adopted`. What a reported version sets beyond the known keys and ranges is left out: only the command
    to adopt a policy refuses it.
    """
    in_force: PolicyAdopted | None = None
    for version in adopted:
        if version.effective_from <= instant and (
            in_force is None or (version.effective_from, version.at) >= (in_force.effective_from, in_force.at)
        ):
            in_force = version
    if in_force is None:
        return STANDARD
    return Policy.of(_readable(in_force.values), in_force.policy)


def policy_of_citation(
    adopted: Iterable[tuple[int, PolicyAdopted]],
    *,
    pinned: str | None,
    issued_at: datetime,
    position: int | None = None,
) -> Policy:
    """Return the policy that a citation is decided by: the version that it pins, else the one in force then.

    `adopted` are the versions by position; `position` is the citation's own, none before it is written. A
    name may have been adopted again: it means the version in force then. standard-1 needs no adoption.
    """
    versions = [(at, version) for at, version in adopted]
    before = [v for at, v in versions if adopted_before(at, v, issued_at, position)]
    named = [v for v in before if v.policy == pinned and v.effective_from <= issued_at]
    if not named and pinned == STANDARD_1:
        return STANDARD
    if not named and pinned is not None:
        named = [v for _, v in versions if v.policy == pinned]
        if named:
            return policy_at(named, max(v.effective_from for v in named))
    return policy_at(named or before, issued_at)


def adopted_before(at: int, version: PolicyAdopted, issued_at: datetime, position: int | None) -> bool:
    """Return whether a citation can have been decided by the version that stands at a position.

    None is that was adopted after the citation was issued, and written after it: whatever time it takes
    effect from, it does not reach what was decided. A history brought in names its policy first.
    """
    return position is None or at < position or version.at <= issued_at


def _readable(values: Mapping[str, Value]) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    for key, value in values.items():
        try:
            kept[key] = _checked(key, value)
        except (UnknownPolicyKey, PolicyValueOutOfRange):
            continue
    return kept
