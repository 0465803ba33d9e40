"""Every setting there is, read from the environment: `PARKLEDGER_DSN`, `PARKLEDGER_DATA` and so on.

A secret may also come from a file: `PARKLEDGER_DSN_FILE` names one that holds the value of `PARKLEDGER_DSN`.
A name that nobody knows is refused, so that a misspelt setting does not pass in silence.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from event_store.brokers import Access
from event_store.topics import Topics, retention

PREFIX = "PARKLEDGER_"

type Port = int


class BadSetting(ValueError):
    """A setting cannot be used; the message names it and says what it should be."""


class Settings(BaseModel):
    """How this installation runs. Every field is the setting `PARKLEDGER_` + its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dsn: str | None = Field(
        None,
        description="Connection string of the PostgreSQL 18 database that holds log and read models. "
        "Without one, an embedded PostgreSQL runs in the data directory.",
    )
    data: Path = Field(
        Path("data"),
        description="Directory of everything that this installation keeps outside PostgreSQL, and of the "
        "embedded PostgreSQL; made where it is missing.",
    )
    database: str = Field(
        "parkledger",
        pattern="^[a-z][a-z0-9_]{0,62}$",
        description="Database of the embedded PostgreSQL; `scenario run --keep` leaves a story in its own.",
    )
    host: str = Field("127.0.0.1", description="Address that both APIs listen on.")
    read_port: Port = Field(8100, ge=1, le=65535, description="Port of the read API and the pages.")
    write_port: Port = Field(8101, ge=1, le=65535, description="Port of the write API.")
    write_workers: int = Field(1, ge=1, le=64, description="Processes of the write API.")
    read_workers: int = Field(1, ge=1, le=64, description="Processes of the read API.")
    read_url: str | None = Field(None, description="Address of the pages as browsers know it.")
    write_url: str | None = Field(None, description="Address of the write API as its clients know it.")

    commands_url: str | None = Field(
        None, description="Address at which the pages hand forms to the write API, inside the installation."
    )

    issuer: str | None = Field(
        None,
        description="OpenID Connect issuer whose tokens are accepted. Without one, development tokens are "
        "minted with a key in the data directory: never run an office like that.",
    )
    audience: str = Field("parkledger", description="Audience (`aud`) that a token must be made for.")
    jwks: str | None = Field(
        None,
        description="Address or file of the issuer's public keys (JWKS); by default, discovered.",
    )
    algorithms: tuple[str, ...] = Field(
        ("ES256", "RS256", "PS256", "Ed25519"),
        description="Signature algorithms that are accepted, separated by commas; none with a shared secret.",
    )
    role_claim: str = Field("role", description="Claim of the token that names the role.")
    account_claim: str = Field("account", description="Claim that names a parker's account.")
    leeway_seconds: int = Field(
        30, ge=0, le=300, description="Difference of clocks that a token's times allow."
    )

    webhook_secret: str | None = Field(
        None,
        description="Secret that payment providers sign their webhooks with; without it, none is taken.",
    )
    log_name: str = Field(
        "parkledger",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$",
        description="Name of this office's log in its signed heads, such as `parking.example.edu/log`.",
    )
    seal_key: Path | None = Field(
        None,
        description="File of the Ed25519 key (PEM) that heads of the log are signed with; by default made in "
        "the data directory. Only the sealer reads it.",
    )
    seal_seconds: float = Field(
        2.0, gt=0, le=3600, description="How long what was appended may wait for its signed head."
    )
    body_limit: int = Field(
        1_048_576, ge=1024, description="Bytes of a request's body, and of one NDJSON line."
    )
    remembered_events: int = Field(
        2_000_000,
        ge=1_000,
        description="Events that a process of the write API keeps folded in memory, so as not to read "
        "them again for each decision; each is about a kilobyte.",
    )
    wait_seconds: float = Field(
        5.0, gt=0, le=60, description="How long a read waits for the position asked for with `at_least`."
    )
    future_seconds: float = Field(
        300.0, ge=0, description="How far ahead of this clock a reported instant may lie."
    )
    drain_seconds: float = Field(
        10.0,
        gt=0,
        le=300,
        description="How long a process may finish what it has begun when it is told to stop.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is worth a log line."
    )
    log_format: Literal["text", "json"] | None = Field(
        None, description="Log lines for people or for programs; by default text on a terminal, else JSON."
    )
    kafka_bootstrap: str | None = Field(
        None,
        description="Kafka brokers, `host:port` separated by commas. Without it, nothing is published, and "
        "reads come in over HTTP alone.",
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Whether the brokers want TLS (SSL) and a password (SASL)."
    )
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="How the password is shown to the brokers."
    )
    kafka_username: str | None = Field(None, description="Who signs in at the brokers.")
    kafka_password: str | None = Field(None, description="Their password.", repr=False)
    kafka_authority: Path | None = Field(
        None, description="File (PEM) of the certificates that brokers are trusted by; else the system's."
    )
    kafka_certificate: Path | None = Field(
        None, description="File (PEM) of the certificate that is shown to brokers which ask for one."
    )
    kafka_key: Path | None = Field(None, description="File (PEM) of that certificate's private key.")
    kafka_prefix: str = Field(
        "parkledger",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$",
        description="What every topic and group begins with: one cluster may serve several offices.",
    )
    kafka_partitions: int = Field(12, ge=1, le=1000, description="Partitions of a topic that is made.")
    kafka_replication: int = Field(
        -1, ge=-1, le=9, description="Replicas of a topic that is made; -1 leaves it to the brokers."
    )
    archive: str | None = Field(
        None,
        description="Where the archive for reports is: a directory, or `s3://bucket/prefix?region=…` (also "
        "`endpoint_override`, `scheme`); by default `archive` in the data directory.",
    )
    archive_key: str | None = Field(
        None,
        description="Secret under which plates and accounts are hashed in the archive; the same for all "
        "processes that write or read one archive. By default, made in the data directory.",
    )
    archive_seconds: float = Field(
        30.0, gt=0, le=3600, description="How long an event waits at most until it is archived."
    )
    kafka_retention: str = Field(
        "",
        description="How long topics keep messages where 7 days are not right: `reads=1d, citations=compact, "
        "payments=90d+compact`, by area.",
    )
    plan: Path | None = Field(
        None,
        description="CSV file of planned figures, `measure,month,permit_type,zone,target`: revenue in cents, "
        "zone passes.",
    )
    timezone: str = Field(
        "UTC", description="IANA time zone of the office: the days, months and hours of its reports."
    )
    projector_source: Literal["postgresql", "kafka"] = Field(
        "postgresql",
        description="Where projectors learn of new events: from PostgreSQL, one of them active; or from "
        "Kafka, where as many as there are share the work.",
    )
    chromium: Path | None = Field(None, description="Chromium for the browser tests.")

    @field_validator("algorithms")
    @classmethod
    def _only_public_keys(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        known = {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "Ed25519"}
        if not algorithms or not known.issuperset(algorithms):
            raise ValueError(f"Signatures with a public key are accepted: {', '.join(sorted(known))}")
        return algorithms

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            raise ValueError("there is no such IANA time zone") from None
        return name

    @field_validator("kafka_retention")
    @classmethod
    def _understood(cls, text: str) -> str:
        retention(text)
        return text

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings.

        Raises:
            BadSetting: naming the setting that is unknown or cannot be used.

        """
        given = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for variable in sorted(name for name in given if name.startswith(PREFIX)):
            field, text = _value(cls, variable, given[variable])
            if text.strip():
                values[field] = text.split(",") if field == "algorithms" else text
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            raise BadSetting(f"{name} cannot be {first['input']!r}: {first['msg'].lower()}.") from error

    def with_dsn(self, dsn: str) -> Self:
        """Return these settings for another database."""
        return self.model_copy(update={"dsn": dsn})

    def environment(self) -> dict[str, str]:
        """Return what `from_environment` would read these settings from, to hand them to a child process."""
        stated = self.model_dump(exclude_none=True)
        return {
            PREFIX + name.upper(): ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in stated.items()
        }

    @property
    def kafka(self) -> Access | None:
        """How Kafka is reached, where it is configured."""
        if self.kafka_bootstrap is None:
            return None
        return Access(
            self.kafka_bootstrap,
            self.kafka_security,
            self.kafka_mechanism,
            self.kafka_username,
            self.kafka_password,
            self.kafka_authority,
            self.kafka_certificate,
            self.kafka_key,
        )

    @property
    def topics(self) -> Topics:
        """The topics of this office."""
        keeps = retention(self.kafka_retention)
        return Topics(self.kafka_prefix, self.kafka_partitions, self.kafka_replication, keeps)

    @property
    def pages(self) -> str:
        """The address of the read API and the pages."""
        return self.read_url or f"http://{self.host}:{self.read_port}"

    @property
    def commands(self) -> str:
        """The address at which the pages reach the write API."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not bound
        return self.commands_url or f"http://{host}:{self.write_port}"

    @property
    def ways_in(self) -> str:
        """The address of the write API."""
        return self.write_url or f"http://{self.host}:{self.write_port}"


def _value(model: type[Settings], variable: str, text: str) -> tuple[str, str]:
    """Return the field that a variable sets and its text, read from the file that the variable names."""
    field = variable.removeprefix(PREFIX).lower()
    if field in model.model_fields:
        return field, text
    if field.endswith("_file") and field.removesuffix("_file") in model.model_fields:
        try:
            return field.removesuffix("_file"), Path(text).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{variable} names the file {text}: {error.strerror}.") from error
    near = difflib.get_close_matches(field, model.model_fields, n=1)
    hint = f" Did you mean {PREFIX}{near[0].upper()}?" if near else ""
    raise BadSetting(f"{variable} is not a setting.{hint} `parkledger settings` lists them all.")
