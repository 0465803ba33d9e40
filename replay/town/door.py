"""The town's way to both APIs: plain HTTP with bearer tokens, as any office's own programs would go."""

import http.client
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

type TokenFor = Callable[..., str]
"""`token_for(role, subject, account)` returns a bearer token."""

PATIENCE = 60.0
"""Seconds for which a door that does not answer is tried again before the town goes on."""
TOKEN_AGE = 3600.0
CREATED = frozenset({200, 201})

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a door answered; a refusal is an answer too."""

    status: int
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """Whether the command was done, now or before."""
        return self.status in CREATED

    @property
    def rule(self) -> str | None:
        """The rule that refused it."""
        return self.body.get("rule")


@dataclass(frozen=True, slots=True)
class Person:
    """In whose name a request is made."""

    role: str
    subject: str
    account: str | None = None


class Door:
    """One API, over a connection that is made again when it is lost."""

    def __init__(self, url: str, token_for: TokenFor) -> None:
        """Remember the address; connect when first used."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._token_for = token_for
        self._tokens: dict[Person, tuple[float, str]] = {}
        self._connection: http.client.HTTPConnection | None = None

    def post(self, who: Person, path: str, body: Mapping[str, Any]) -> Reply:
        """Send a command. A key of its own makes sending it twice, after a lost connection, harmless."""
        key = {"Idempotency-Key": f"{who.subject}-{time.time_ns():x}"}
        return self._ask(who, "POST", path, json.dumps(body).encode(), key)

    def get(self, who: Person, path: str, **query: str) -> Reply:
        """Ask a question, with the purpose that questions about plates and persons need."""
        return self._ask(
            who, "GET", f"{path}?{urlencode(query)}" if query else path, None, {"Purpose": "patrol"}
        )

    def _ask(self, who: Person, method: str, path: str, body: bytes | None, more: Mapping[str, str]) -> Reply:
        headers = {"Authorization": f"Bearer {self._token(who)}", "Content-Type": "application/json", **more}
        deadline, pause = time.monotonic() + PATIENCE, 0.1
        while True:
            try:
                return self._send(method, path, body, headers)
            except (OSError, http.client.HTTPException) as lost:
                self.close()
                if time.monotonic() > deadline:
                    _LOG.warning("%s %s got no answer: %s", method, path, lost)
                    return Reply(0, {})
                time.sleep(pause)
                pause = min(2 * pause, 5.0)

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, self._port, timeout=10)
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        content = answer.read()
        try:
            said = json.loads(content)
        except ValueError:
            said = {}
        return Reply(answer.status, said if isinstance(said, dict) else {"answer": said})

    def _token(self, who: Person) -> str:
        made, token = self._tokens.get(who, (0.0, ""))
        if time.monotonic() - made > TOKEN_AGE or not token:
            token = self._token_for(who.role, who.subject, who.account)
            self._tokens[who] = (time.monotonic(), token)
        return token

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def step(*parts: str) -> str:
    """Return a path with its identities quoted: `step("citations", "C 1", "void")`."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)
