"""The topics of an office: one an area of the catalogue, how long each keeps what, and how they are made.

The log keeps everything for ever; a topic is a stream of copies and lets go of them. How soon is a setting
for each area, because copies of personal data have to leave topics when the law says so: `delete` after a
time, `compact` to the newest of each key, or both.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from event_store.brokers import Access, BrokerUnavailable, using
from events.catalogue import AREAS

AREA_NAMES = tuple(area.__name__.rpartition(".")[2] for area in AREAS)
READS_IN, REJECTED, WORK = "ingest.reads", "ingest.reads.rejected", "work"
"""Where cameras publish, where what cannot be taken goes, and what projectors share among them."""
STREAMS = (*AREA_NAMES, READS_IN, REJECTED, WORK)
LARGEST = 1_048_588
"""Bytes of a message that Kafka takes where nothing else is configured."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_KEEP = re.compile(r"(?:(\d+)([mhd]))?(\+?compact)?")


class UnknownRetention(ValueError):
    """What was said of a topic's retention cannot be understood."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a topic keeps a message (without a time for ever), and whether only each key's newest."""

    time: timedelta | None = timedelta(days=7)
    compact: bool = False

    def config(self) -> dict[str, str]:
        """Return it in Kafka's terms."""
        policies = [*(["compact"] if self.compact else []), *(["delete"] if self.time else [])]
        milliseconds = round(self.time.total_seconds() * 1000) if self.time else -1
        return {"cleanup.policy": ",".join(policies) or "delete", "retention.ms": str(milliseconds)}


def retention(text: str) -> dict[str, Keep]:
    """Return what each area keeps, from `reads=1d, citations=compact, payments=90d+compact`.

    Raises:
        UnknownRetention: naming what cannot be understood, and the nearest area.

    """
    found: dict[str, Keep] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        area, _, said = part.partition("=")
        if area not in STREAMS:
            near = difflib.get_close_matches(area, STREAMS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(STREAMS)}"
            raise UnknownRetention(f"there is no topic {area!r}; {hint}")
        match = _KEEP.fullmatch(said.strip())
        if match is None or not said.strip():
            raise UnknownRetention(f"{part!r} should be a time such as 36h or 7d, `compact`, or 7d+compact")
        number, unit, compact = match.groups()
        time = timedelta(**{_UNITS[unit]: int(number)}) if number else None
        found[area] = Keep(time, compact is not None)
    return found


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one office, each named after its area behind the prefix."""

    prefix: str = "parkledger"
    partitions: int = 12
    replication: int = -1
    keeps: Mapping[str, Keep] = field(default_factory=dict)

    def name(self, stream: str) -> str:
        """Return the topic of an area, or of one of the other streams."""
        return f"{self.prefix}.{stream}"

    def group(self, what: str) -> str:
        """Return the name of a consumer group."""
        return f"{self.prefix}.{what}"

    def ensure(self, access: Access, streams: Sequence[str]) -> dict[str, int]:
        """Make the topics that are missing, let all keep what is configured, and return the largest message.

        Partitions of a topic that exists stay as they are: with their number, keys would move.

        Raises:
            BrokerUnavailable: if there is no broker, or a topic is missing and may not be made.

        """
        from kafka import KafkaAdminClient  # noqa: PLC0415 - see event_store.brokers
        from kafka.errors import KafkaError  # noqa: PLC0415

        try:
            with using(KafkaAdminClient, access) as admin:
                present = set(admin.list_topics())
                missing = [stream for stream in streams if self.name(stream) not in present]
                if missing:
                    self._make(admin, missing)
                self._alter(admin, [stream for stream in streams if stream not in missing])
                return self._largest(admin, streams)
        except KafkaError as failed:
            raise BrokerUnavailable(f"Kafka at {access.bootstrap} failed: {failed}") from failed

    def _make(self, admin: Any, streams: Sequence[str]) -> None:
        from kafka.errors import BrokerResponseError, TopicAlreadyExistsError  # noqa: PLC0415

        wanted = {
            self.name(stream): {
                "num_partitions": self.partitions,
                "replication_factor": self.replication,
                "configs": self._config(stream),
            }
            for stream in streams
        }
        try:
            admin.create_topics(wanted, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            return  # another process made it at the same moment
        except BrokerResponseError as refused:
            raise BrokerUnavailable(
                f"The topics {', '.join(sorted(wanted))} are missing and cannot be made ({refused}). "
                "Make them, or let this user make topics."
            ) from refused

    def _config(self, stream: str) -> dict[str, str]:
        return self.keeps.get(stream, Keep()).config()

    def _alter(self, admin: Any, streams: Sequence[str]) -> None:
        """Let topics that exist keep what is configured, where something is and they do not."""
        from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

        stated = [stream for stream in streams if stream in self.keeps]
        if stated:
            admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, self.name(s), self._config(s)) for s in stated]
            )

    def _largest(self, admin: Any, streams: Sequence[str]) -> dict[str, int]:
        from kafka.admin import ConfigResource, ConfigResourceType  # noqa: PLC0415

        resources = [
            ConfigResource(ConfigResourceType.TOPIC, self.name(stream), {"max.message.bytes": None})
            for stream in streams
        ]
        found = admin.describe_configs(resources, config_filter="all").get("topic", {})
        return {
            stream: int(found.get(self.name(stream), {}).get("max.message.bytes", {}).get("value") or LARGEST)
            for stream in streams
        }
