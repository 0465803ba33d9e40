"""Who asks: bearer tokens (OAuth 2.0, OpenID Connect) turned into a subject with one role.

A token is taken only with a signature of an allowed algorithm by a key of the issuer, for this audience,
inside its time (RFC 7519, RFC 8725). Verifying costs about 0.1 ms, so principals are remembered until their
token expires.
"""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet

from operations.settings import Settings

REMEMBERED = 10_000
"""Verified tokens that are kept, the oldest dropped first."""
LONGEST_TOKEN = 8192
"""Characters beyond which a token is not even looked at."""
CLOCK = time.time


class Role(StrEnum):
    """What a subject's work is; each sees and does what it needs and no more (`operations.permissions`)."""

    PARKER = "parker"
    OFFICER = "officer"
    DISPUTE = "dispute"
    AUDITOR = "auditor"
    ANALYST = "analyst"
    DIRECTOR = "director"
    SECURITY = "security"
    ADMIN = "admin"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `account` is what a parker may call their own; `expires` is in seconds since 1970."""

    subject: str
    role: Role
    account: str | None = None
    expires: float = float("inf")


class NotAuthenticated(Exception):
    """No usable token came with the request."""


class TokenExpired(NotAuthenticated):
    """The token has expired; ask for a new one."""


class Keys(Protocol):
    """Where the public keys of an issuer come from; asked at every token that is not yet known."""

    def current(self) -> KeySet:
        """Return the keys that signatures are verified with now."""
        ...

    def missed(self) -> None:
        """Take note of a token signed with a key that is not among the current ones."""
        ...


class Authenticator:
    """Verifies tokens of one issuer; safe to use from several threads."""

    def __init__(self, keys: Keys, issuer: str, settings: Settings) -> None:
        """Accept tokens of `issuer` signed by `keys`, as the settings say."""
        self._keys = keys
        self._issuer = issuer
        self._settings = settings
        self._known: dict[str, Principal] = {}
        self._known_by = keys.current()

    def verify(self, token: str) -> Principal:
        """Return whose token this is.

        Raises:
            TokenExpired: if its time is over.
            NotAuthenticated: if it is not the issuer's, not for this audience, or names no known role.

        """
        keys = self._keys.current()
        if keys is not self._known_by:  # a key that the issuer took back must not live on in what we remember
            self._known, self._known_by = {}, keys
        known = self._known.get(token)
        if known is not None:
            if known.expires + self._settings.leeway_seconds > CLOCK():
                return known
            self._known.pop(token, None)
        principal = self._principal(self._claims(token, keys))
        self._known[token] = principal
        if len(self._known) > REMEMBERED:
            self._known.pop(next(iter(self._known)), None)
        return principal

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        if len(token) > LONGEST_TOKEN:
            raise NotAuthenticated("The token is too long.")
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(CLOCK()),
            leeway=self._settings.leeway_seconds,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._settings.audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, keys, algorithms=self._settings.algorithms)
            rules.validate(decoded.claims)
        except ExpiredTokenError as error:
            raise TokenExpired(str(TokenExpired.__doc__)) from error
        except (JoseError, ValueError, TypeError, UnicodeError) as error:
            self._keys.missed()
            raise NotAuthenticated("The token is not one that this service accepts.") from error
        return decoded.claims

    def _principal(self, claims: dict[str, Any]) -> Principal:
        stated = claims.get(self._settings.role_claim)
        named = stated if isinstance(stated, list) else [stated]
        roles = [role for role in Role if role in named]
        if len(roles) != 1:
            raise NotAuthenticated(
                f"The token must name exactly one role in its claim {self._settings.role_claim!r}: "
                f"one of {', '.join(Role)}."
            )
        account = claims.get(self._settings.account_claim)
        if account is not None and not isinstance(account, str):
            raise NotAuthenticated(f"The token's claim {self._settings.account_claim!r} is not a text.")
        return Principal(claims["sub"], roles[0], account, float(claims["exp"]))
