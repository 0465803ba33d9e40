"""Identity: only tokens of the issuer, for this audience, inside their time and with one role are taken."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from operations import keys
from operations.identity import Authenticator, NotAuthenticated, Principal, Role, TokenExpired
from operations.keys import FixedKeys, authenticator, development_key, mint
from operations.settings import BadSetting, Settings

ISSUER = "https://id.example"
KEY = ECKey.generate_key("P-256", auto_kid=True)


def claims(**changes: object) -> dict[str, Any]:
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": "parkledger",
        "sub": "amal",
        "role": "officer",
        "exp": now + 60,
        "iat": now,
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def token(key: ECKey = KEY, **changes: object) -> str:
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims(**changes), key, algorithms=["ES256"])


@pytest.fixture
def issuer_only() -> Authenticator:
    return Authenticator(FixedKeys(KeySet([KEY])), ISSUER, Settings())


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_a_good_token_says_who_asks(issuer_only: Authenticator) -> None:
    principal = issuer_only.verify(token(exp=2_000_000_000))
    assert principal == Principal("amal", Role.OFFICER, None, 2_000_000_000.0)


def test_a_parkers_token_names_their_account(issuer_only: Authenticator) -> None:
    assert issuer_only.verify(token(role="parker", account="A-7")).account == "A-7"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": None},
        {"sub": None},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"role": None},
        {"role": "emperor"},
        {"role": ["officer", "admin"]},
        {"role": {"name": "admin"}},
        {"account": 7},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(
    issuer_only: Authenticator, changes: dict[str, object]
) -> None:
    with pytest.raises(NotAuthenticated):
        issuer_only.verify(token(**changes))


def test_an_expired_token_is_refused(issuer_only: Authenticator) -> None:
    with pytest.raises(TokenExpired):
        issuer_only.verify(token(exp=int(time.time()) - 60))


def test_a_remembered_token_is_refused_once_it_expires(
    issuer_only: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = token()
    issuer_only.verify(good)
    later = time.time() + 3600
    monkeypatch.setattr("operations.identity.CLOCK", lambda: later)
    with pytest.raises(TokenExpired):
        issuer_only.verify(good)


def test_a_tampered_token_is_refused(issuer_only: Authenticator) -> None:
    head, _, signature = token().split(".")
    with pytest.raises(NotAuthenticated):
        issuer_only.verify(f"{head}.{part(claims(role='admin'))}.{signature}")


def test_a_token_without_signature_is_refused(issuer_only: Authenticator) -> None:
    with pytest.raises(NotAuthenticated):
        issuer_only.verify(f"{part({'alg': 'none'})}.{part(claims())}.")


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(issuer_only: Authenticator) -> None:
    signed = f"{part({'alg': 'HS256', 'kid': KEY.kid})}.{part(claims())}"
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    with pytest.raises(NotAuthenticated):
        issuer_only.verify(forged)


def test_a_token_of_a_foreign_key_is_refused(issuer_only: Authenticator) -> None:
    with pytest.raises(NotAuthenticated):
        issuer_only.verify(token(ECKey.generate_key("P-256", auto_kid=True)))


@pytest.mark.parametrize("nonsense", ["", "x", "a.b.c", "....", "é.é.é", "x" * 10_000, "\x00"])
def test_what_is_no_token_is_refused(issuer_only: Authenticator, nonsense: str) -> None:
    with pytest.raises(NotAuthenticated):
        issuer_only.verify(nonsense)


def test_development_tokens_are_taken_where_no_issuer_is_set(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    principal = authenticator(settings).verify(mint(settings, Role.PARKER, "kim"))
    assert (principal.subject, principal.role, principal.account) == ("kim", Role.PARKER, "kim")


def test_every_algorithm_of_the_settings_is_known_to_the_verifier(tmp_path: Path) -> None:
    for algorithm in Settings().algorithms:
        settings = Settings(data=tmp_path, algorithms=(algorithm, "ES256"))
        assert authenticator(settings).verify(mint(settings, Role.ADMIN)).role is Role.ADMIN


def test_the_development_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    assert development_key(tmp_path).kid == development_key(tmp_path).kid
    assert (tmp_path / "keys" / "development.json").stat().st_mode & 0o077 == 0


def test_no_development_token_is_minted_beside_an_issuer(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=ISSUER):
        mint(Settings(data=tmp_path, issuer=ISSUER), Role.ADMIN)


@pytest.fixture
def published() -> Iterator[tuple[str, dict[str, Any]]]:
    """An issuer on this machine: its address, and the key set that it publishes."""
    jwks: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}

    class Issuer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            discovery = {"jwks_uri": f"http://127.0.0.1:{server.server_port}/keys"}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(jwks if self.path == "/keys" else discovery).encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", jwks
        server.shutdown()


def test_an_issuers_keys_are_discovered(published: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    address, _ = published
    verifier = authenticator(Settings(data=tmp_path, issuer=address))
    assert verifier.verify(token(iss=address)).subject == "amal"


def test_a_key_that_the_issuer_brings_later_is_fetched(
    published: tuple[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RETRY_SECONDS", 0.01)
    address, jwks = published
    verifier = authenticator(Settings(data=tmp_path, issuer=address))
    newer = ECKey.generate_key("P-256", auto_kid=True)
    jwks["keys"].append(newer.as_dict(private=False))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert verifier.verify(token(newer, iss=address)).subject == "amal"
        except NotAuthenticated:
            time.sleep(0.02)
        else:
            return
    pytest.fail("the newer key was never fetched")


def test_a_key_that_the_issuer_took_back_is_refused_though_its_token_was_taken_before() -> None:
    class Rotating(FixedKeys):
        keys = KeySet([KEY])

        def current(self) -> KeySet:
            return self.keys

    rotating = Rotating(KeySet([KEY]))
    verifier, good = Authenticator(rotating, ISSUER, Settings()), token()
    verifier.verify(good)
    rotating.keys = KeySet([ECKey.generate_key("P-256", auto_kid=True)])
    with pytest.raises(NotAuthenticated):
        verifier.verify(good)


def test_an_issuers_keys_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    verifier = authenticator(Settings(issuer=ISSUER, jwks=str(tmp_path / "jwks.json")))
    assert verifier.verify(token()).subject == "amal"


def test_an_issuer_that_does_not_answer_is_said_in_words() -> None:
    with pytest.raises(BadSetting, match="PARKLEDGER_JWKS"):
        authenticator(Settings(issuer="http://127.0.0.1:9"))
