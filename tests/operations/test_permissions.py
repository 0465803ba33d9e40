"""Permissions: the table holds every route, and what it says is what happens at the door."""

import re

import pytest

from operations.doors import COOKIE, enter, sign_in, sign_out, token_of
from operations.identity import Authenticator, NotAuthenticated, Principal, Role
from operations.keys import authenticator, mint
from operations.permissions import (
    PERMISSIONS,
    PUBLIC,
    TABLE,
    Access,
    NotPermitted,
    access,
    demand,
    demand_own,
)
from operations.problems import Problem
from operations.settings import Settings

EVERYTHING = [(method, route, role) for method, route in PERMISSIONS for role in Role]


def test_every_route_states_every_role() -> None:
    assert all(set(roles) == set(Role) for roles in PERMISSIONS.values())


def test_no_route_stands_in_the_table_twice() -> None:
    lines = re.findall(r"^(GET|POST) (\S+)", TABLE, re.MULTILINE)
    assert len(lines) == len(set(lines)) == len(PERMISSIONS)


def test_no_route_is_both_public_and_guarded() -> None:
    assert not PUBLIC & PERMISSIONS.keys()


def test_only_parkers_have_rights_that_end_at_their_own() -> None:
    owned = {
        role for roles in PERMISSIONS.values() for role, granted in roles.items() if granted is Access.OWN
    }
    assert owned == {Role.PARKER}


def test_every_role_may_do_something_and_every_route_is_open_to_someone() -> None:
    for role in Role:
        assert any(access(role, *key) is not Access.NONE for key in PERMISSIONS)
    for roles in PERMISSIONS.values():
        assert set(roles.values()) != {Access.NONE}


def test_who_only_looks_changes_nothing() -> None:
    for (method, _), roles in PERMISSIONS.items():
        for role in (Role.AUDITOR, Role.ANALYST, Role.DIRECTOR):
            assert method == "GET" or roles[role] is Access.NONE


@pytest.mark.parametrize(("method", "route", "role"), EVERYTHING)
def test_demand_answers_as_the_table_says(method: str, route: str, role: Role) -> None:
    principal = Principal("someone", role, "A-1")
    if access(role, method, route) is Access.NONE:
        with pytest.raises(NotPermitted):
            demand(principal, method, route)
    else:
        assert demand(principal, method, route) is access(role, method, route)


def test_an_unknown_route_is_closed_to_everybody() -> None:
    assert all(access(role, "GET", "/v1/secrets") is Access.NONE for role in Role)


def test_own_means_this_account_and_nobody_elses() -> None:
    kim = Principal("kim", Role.PARKER, "A-1")
    demand_own(kim, Access.OWN, "A-1")
    demand_own(kim, Access.ALL, "A-2")
    for account in ("A-2", None):
        with pytest.raises(NotPermitted):
            demand_own(kim, Access.OWN, account)


def test_a_parker_without_an_account_owns_nothing() -> None:
    with pytest.raises(NotPermitted):
        demand_own(Principal("kim", Role.PARKER), Access.OWN, None)


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data=tmp_path_factory.getbasetemp() / "identity")


@pytest.fixture
def verifier(settings: Settings) -> Authenticator:
    return authenticator(settings)


def test_a_bearer_token_opens_the_door_that_its_role_may_use(
    verifier: Authenticator, settings: Settings
) -> None:
    visitor = enter(verifier, "POST", "/v1/plate-reads", f"Bearer {mint(settings, Role.OFFICER)}")
    assert (visitor.principal.role, visitor.access) == (Role.OFFICER, Access.ALL)


def test_without_a_token_the_answer_is_401_with_a_challenge(verifier: Authenticator) -> None:
    with pytest.raises(Problem) as caught:
        enter(verifier, "GET", "/v1/validity", None)
    assert caught.value.status == 401
    assert "WWW-Authenticate" in (caught.value.headers or {})


def test_another_roles_door_answers_403(verifier: Authenticator, settings: Settings) -> None:
    with pytest.raises(Problem) as caught:
        enter(verifier, "GET", "/v1/events", f"Bearer {mint(settings, Role.OFFICER)}")
    assert caught.value.status == 403


def test_what_belongs_to_another_account_answers_403(verifier: Authenticator, settings: Settings) -> None:
    token = mint(settings, Role.PARKER, account="A-1")
    visitor = enter(verifier, "GET", "/v1/permits/{permit}", f"Bearer {token}")
    visitor.owns("A-1")
    with pytest.raises(Problem) as caught:
        visitor.owns("A-2")
    assert caught.value.status == 403


def test_a_cookie_of_the_sign_in_counts_as_its_token(verifier: Authenticator, settings: Settings) -> None:
    cookie = sign_in(verifier, mint(settings, Role.AUDITOR), secure=False)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert enter(verifier, "GET", "/v1/events", None, cookie.split(";")[0]).principal.role is Role.AUDITOR


def test_a_cookie_over_https_is_never_sent_in_the_clear(verifier: Authenticator, settings: Settings) -> None:
    assert sign_in(verifier, mint(settings, Role.AUDITOR), secure=True).endswith("; Secure")


def test_signing_in_with_a_bad_token_is_refused(verifier: Authenticator) -> None:
    with pytest.raises(NotAuthenticated):
        sign_in(verifier, "nonsense", secure=False)


def test_signing_out_empties_the_cookie() -> None:
    assert sign_out().startswith(f"{COOKIE}=;")


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer  ", "token"])
def test_a_header_without_a_bearer_token_is_refused(header: str) -> None:
    with pytest.raises(NotAuthenticated):
        token_of(header)
