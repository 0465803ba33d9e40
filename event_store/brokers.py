"""How Kafka is reached, and why it is not: every failure to connect is said in a sentence that helps.

kafka-python is synchronous and has no types. Everything that uses it lives in a thread or process of its own,
with a bound on every wait, and begins here.
"""

import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

type Security = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
type Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]

PATIENCE = 10.0
"""Seconds that a first connection may take."""
_PROBE = 3.0
_ENDING = 2.0
logging.getLogger("kafka").setLevel(logging.CRITICAL)  # it tells every attempt; we tell what follows from it


class BrokerUnavailable(ConnectionError):
    """Kafka cannot be used now. What was to be published or read waits and is caught up with later."""


@dataclass(frozen=True, slots=True)
class Access:
    """The address of the brokers and what they want to see of whoever comes.

    `bootstrap` is `host:port`, separated by commas. `authority` is a file (PEM) of the certificates that are
    trusted, by default those of the system; `certificate` and `key` are shown where brokers ask for them.
    """

    bootstrap: str
    security: Security = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def options(self) -> dict[str, Any]:
        """Return what every client of kafka-python takes."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": self.security,
            "bootstrap_timeout_ms": round(PATIENCE * 1000),
            "reconnect_backoff_max_ms": 1_000,
        }
        if self.security.startswith("SASL"):
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.security.endswith("SSL"):
            found["ssl_context"] = self.tls()
        return found

    def tls(self) -> ssl.SSLContext:
        """Return what is trusted, and what is shown.

        Raises:
            BrokerUnavailable: naming the file that cannot be used.

        """
        try:
            context = ssl.create_default_context(cafile=self.authority)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as wrong:
            named = self.certificate or self.authority
            raise BrokerUnavailable(
                f"The certificates for Kafka cannot be used ({named}: {wrong.strerror or wrong})."
            ) from wrong
        return context


@contextmanager
def using[C](make: Callable[..., C], access: Access, **options: Any) -> Iterator[C]:
    """Yield a client of kafka-python that has reached a broker, and leave nothing of it running afterwards.

    What was sent and not acknowledged by then is dropped; what was polled and not committed comes again.

    Raises:
        BrokerUnavailable: with the sentence that says why there is none.

    """
    networks: list[Any] = []
    made: C | None = None
    try:
        made = _connected(make, access, networks, options)
        yield made
    finally:
        with suppress(Exception):  # what mattered was acknowledged or committed before
            _let_go(made)
        for network in networks:
            with suppress(Exception):
                network.close()


def _connected[C](
    make: Callable[..., C], access: Access, networks: list[Any], options: Mapping[str, Any]
) -> C:
    from kafka.errors import (  # noqa: PLC0415 - a tenth of a second that most programs never need
        KafkaConfigurationError,
        KafkaError,
    )
    from kafka.net.compat import KafkaNetClient  # noqa: PLC0415

    def network(**settings: Any) -> Any:
        """Remember the network of a client: one that fails while it is made leaves its thread running."""
        networks.append(KafkaNetClient(**settings))
        return networks[-1]

    why = unreachable(access)
    if why is not None:
        raise BrokerUnavailable(why)
    try:
        return make(**{**access.options(), "kafka_client": network, **options})
    except KafkaConfigurationError:
        raise
    except KafkaError as failed:
        raise BrokerUnavailable(_refusal(access)) from failed


def _let_go(client: Any) -> None:
    """Close a client within `_ENDING`, whether or not a broker answers."""
    from kafka import KafkaConsumer, KafkaProducer  # noqa: PLC0415

    if isinstance(client, KafkaConsumer):
        client.close(autocommit=False, timeout_ms=round(_ENDING * 1000))
    elif isinstance(client, KafkaProducer):
        # Its own close first waits for what no broker takes, fails, and lets its thread try for ever.
        client.flush = lambda timeout=None: None  # noqa: ARG005
        client.close(timeout=0)
        client._sender.join(_ENDING)  # noqa: SLF001 - who is told to end now has ended when we return
    elif client is not None:
        client.close()


def member_of(group: str) -> dict[str, Any]:
    """Return how a member of a consumer group works that commits by itself, after the effect.

    Who dies is missed after `session_timeout_ms`; who is busy with one batch for longer than
    `max_poll_interval_ms` counts as gone, and what it then does has no effect.
    """
    return {
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "session_timeout_ms": 6_000,
        "heartbeat_interval_ms": 1_500,
        "max_poll_interval_ms": 600_000,
        "metrics_enabled": False,
    }


def unreachable(access: Access) -> str | None:
    """Return why no broker can be reached, by a look of our own that says more; nothing where one can."""
    why: str | None = None
    for address in access.bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if not port.isdigit() or not host:
            return f"PARKLEDGER_KAFKA_BOOTSTRAP names {address!r}, which is not host:port."
        why = _unreachable(access, host.strip("[]"), int(port))
        if why is None:
            return None
    return why


def _unreachable(access: Access, host: str, port: int) -> str | None:
    """Return why one address cannot be used, before anybody signs in."""
    context = access.tls() if access.security.endswith("SSL") else None
    try:
        with socket.create_connection((host, port), _PROBE) as plain:
            if context is not None:
                context.wrap_socket(plain, server_hostname=host).close()
    except ssl.SSLCertVerificationError as untrusted:
        return (
            f"The certificate of the broker {host}:{port} is not trusted ({untrusted.verify_message}). "
            "Name the file of its authority in PARKLEDGER_KAFKA_AUTHORITY."
        )
    except ssl.SSLError:
        return (
            f"The broker {host}:{port} does not speak TLS there. "
            "Correct PARKLEDGER_KAFKA_SECURITY or PARKLEDGER_KAFKA_BOOTSTRAP."
        )
    except OSError as failed:
        return (
            f"No Kafka broker answers at {host}:{port} ({failed.strerror or failed}). "
            "Start it, or correct PARKLEDGER_KAFKA_BOOTSTRAP."
        )
    return None


def _refusal(access: Access) -> str:
    """Return why a broker that can be reached does not talk."""
    if access.security.startswith("SASL"):
        return (
            f"Kafka at {access.bootstrap} does not let the user {access.username!r} in "
            f"by {access.mechanism}. Correct PARKLEDGER_KAFKA_USERNAME and PARKLEDGER_KAFKA_PASSWORD."
        )
    return (
        f"Kafka at {access.bootstrap} accepts connections and does not answer as {access.security}. "
        "It may be busy; or correct PARKLEDGER_KAFKA_SECURITY."
    )
