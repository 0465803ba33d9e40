from datetime import UTC, datetime, timedelta

import pytest

from commands.policies import AdoptPolicy, PolicyAlreadyAdopted
from commands.policy import KEYS, STANDARD, Policy, PolicyValueOutOfRange, UnknownPolicyKey, policy_at
from events.policies import PolicyAdopted
from tests.commands.given_when_then import given

T = datetime(2026, 3, 5, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def adopted(name: str, since: datetime, at: datetime = T, **values: int) -> PolicyAdopted:
    return PolicyAdopted(at=at, policy=name, effective_from=since, values=values)


def test_the_defaults_are_standard_1() -> None:
    assert Policy.of({}) == STANDARD
    assert (STANDARD.grace_minutes, STANDARD.fine, STANDARD.late_fee_day) == (10, 6000, 29)
    assert STANDARD.version == "standard-1"


def test_values_stand_over_the_defaults() -> None:
    policy = Policy.of({"fine": 7000}, "by-law-12")
    assert (policy.version, policy.fine, policy.late_fee) == ("by-law-12", 7000, 2500)


def test_a_fee_schedule_sets_the_amounts_of_one_violation_code() -> None:
    policy = Policy.of({"fine.FIRE_LANE": 12000})
    assert (policy.fine_for("FIRE_LANE"), policy.fine_for("NO_PERMIT")) == (12000, 6000)
    assert policy.discounted_fine_for("FIRE_LANE") == 3000


@pytest.mark.parametrize("key", ["fines", "grace", "", "fine.", "grace_minutes.X", "version", "schedule"])
def test_an_unknown_key_is_refused_by_its_name(key: str) -> None:
    with pytest.raises(UnknownPolicyKey, match=repr(key)):
        Policy.of({key: 1})


@pytest.mark.parametrize("value", [-1, True, "10", 10**9])
def test_a_value_outside_its_range_is_refused(value: int | str) -> None:
    with pytest.raises(PolicyValueOutOfRange, match="grace_minutes"):
        Policy.of({"grace_minutes": value})


def test_every_key_states_its_unit_and_bounds() -> None:
    assert all(key.unit and key.low <= getattr(STANDARD, name) <= key.high for name, key in KEYS.items())


def test_the_policy_in_force_is_the_version_last_in_effect() -> None:
    versions = [adopted("b", T + DAY, fine=2), adopted("a", T, fine=1)]
    assert policy_at(versions, T - DAY) == STANDARD
    assert policy_at(versions, T).version == "a"
    assert policy_at(versions, T + DAY).version == "b"


def test_of_versions_with_the_same_effective_time_the_one_adopted_later_counts() -> None:
    versions = [adopted("later", T, at=T, fine=2), adopted("earlier", T, at=T - DAY, fine=1)]
    assert policy_at(versions, T).version == "later"


def test_what_a_reported_version_sets_beyond_the_keys_is_left_out() -> None:
    version = PolicyAdopted(at=T, policy="odd", effective_from=T, values={"colour": "blue", "fine": 1})
    assert policy_at([version], T).fine == 1


def test_adopting_a_policy_names_it_once() -> None:
    command = AdoptPolicy(at=T, policy="by-law-12", values={"fine": 7000})
    version = adopted("by-law-12", T, fine=7000)
    given().when(command).then(version)
    given(version).when(command.model_copy(update={"at": T + DAY})).then()
    given(version).when(command.model_copy(update={"values": {"fine": 1}})).then(PolicyAlreadyAdopted)
    given().when(command.model_copy(update={"values": {"fin": 1}})).then(UnknownPolicyKey)
