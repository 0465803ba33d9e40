"""Where the keys come from that tokens are verified with: an issuer's JWKS, or our development key."""

import fcntl
import json
import logging
import secrets
import threading
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from operations.identity import Authenticator, Role
from operations.settings import BadSetting, Settings

DEVELOPMENT_ISSUER = "parkledger-development"
REFRESH_SECONDS = 300.0
"""How often an issuer's keys are fetched again, so that its key rotation needs nothing of us."""
RETRY_SECONDS = 30.0
"""The least time between two fetches: a flood of foreign tokens must not become one of requests."""
FETCH_TIMEOUT = 5.0
LARGEST_JWKS = 1_000_000
_LOG = logging.getLogger(__name__)


class FixedKeys:
    """Keys that never change while the process runs."""

    def __init__(self, keys: KeySet) -> None:
        """Keep the keys."""
        self._keys = keys

    def current(self) -> KeySet:
        """Return the keys."""
        return self._keys

    def missed(self) -> None:
        """Do nothing: there are no others."""


class IssuerKeys:
    """The keys that an issuer publishes, fetched at the start and refreshed in the background."""

    def __init__(self, issuer: str, jwks: str | None) -> None:
        """Fetch the keys for the first time.

        Raises:
            BadSetting: if they cannot be had.

        """
        self._issuer = issuer
        self._jwks = jwks
        self._wanted = threading.Event()
        try:
            self._keys = self._fetch()
        except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
            raise BadSetting(
                f"The keys of PARKLEDGER_ISSUER {issuer} cannot be had ({error}). "
                "Check that the issuer answers from here, or name its keys in PARKLEDGER_JWKS."
            ) from error
        threading.Thread(target=self._refresh, name="issuer-keys", daemon=True).start()

    def current(self) -> KeySet:
        """Return the keys as last fetched."""
        return self._keys

    def missed(self) -> None:
        """Fetch the keys soon: the issuer may have a new one."""
        self._wanted.set()

    def _refresh(self) -> None:
        while True:
            time.sleep(RETRY_SECONDS)
            self._wanted.wait(REFRESH_SECONDS)
            self._wanted.clear()
            try:
                self._keys = self._fetch()
            except (OSError, ValueError, KeyError, TypeError, JoseError):
                _LOG.warning(
                    "the keys of %s could not be refreshed; the old ones stay", self._issuer, exc_info=True
                )

    def _fetch(self) -> KeySet:
        where = self._jwks
        if where is None:
            where = _json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")["jwks_uri"]
        return KeySet.import_key_set(
            _json(where) if urlsplit(where).scheme else json.loads(Path(where).read_text())
        )


def _json(url: str) -> Any:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise URLError(f"{url} is not a web address")
    with urlopen(url, timeout=FETCH_TIMEOUT) as answer:  # noqa: S310 - the scheme is checked above
        return json.loads(answer.read(LARGEST_JWKS))


def development_key(data: Path) -> ECKey:
    """Return the key that development tokens are signed with, made at the first use.

    Whoever can read this file can be anybody; it stays in the data directory, readable by its owner alone.
    """
    path = data / "keys" / "development.json"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (path.parent / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            name = secrets.token_urlsafe(4)  # short, since tokens are copied from a terminal
            made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256", "kid": name})
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(made.as_dict(private=True)))
            fresh.rename(path)
    return ECKey.import_key(json.loads(path.read_text()))


def mint(
    settings: Settings,
    role: Role,
    subject: str | None = None,
    account: str | None = None,
    seconds: int = 86_400,
) -> str:
    """Return a development token.

    Raises:
        BadSetting: if an issuer is configured: then only it makes tokens.

    """
    if settings.issuer:
        raise BadSetting(
            f"Tokens come from {settings.issuer}; development tokens are not accepted beside it."
        )
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": DEVELOPMENT_ISSUER,
        "aud": settings.audience,
        "sub": subject or f"{role}-1",
        "iat": now,
        "exp": now + seconds,
        settings.role_claim: role.value,
    }
    if account or role is Role.PARKER:
        claims[settings.account_claim] = account or claims["sub"]
    key = development_key(settings.data)
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, algorithms=["ES256"])


def authenticator(settings: Settings) -> Authenticator:
    """Return what verifies tokens here; without an issuer, say loudly that this is for development.

    Raises:
        BadSetting: if the issuer's keys cannot be had.

    """
    if settings.issuer:
        return Authenticator(IssuerKeys(settings.issuer, settings.jwks), settings.issuer, settings)
    _LOG.warning(
        "DEVELOPMENT IDENTITY: no PARKLEDGER_ISSUER is set, so anybody who can read %s can be anybody",
        settings.data / "keys",
    )
    return Authenticator(FixedKeys(KeySet([development_key(settings.data)])), DEVELOPMENT_ISSUER, settings)
