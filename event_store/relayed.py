"""What the relay makes of an entry of the log: a topic, a key, headers, and the payload as it stands there.

The payload is what the log keeps: where personal fields are sealed there, they are sealed here, and
destroying a key reaches every copy in every topic. `docs/scaling.md` describes the message for whoever
subscribes, the AsyncAPI document every payload.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from event_store.codec import NewerEvent
from event_store.reading import COLUMNS
from events.catalogue import CATALOGUE

RELAYED_COLUMNS = f"{COLUMNS}, e.tags"

KEYED_BY: Mapping[str, tuple[str, ...]] = {
    "zones": ("zone",),
    "policies": (),
    "permits": ("permit", "account"),
    "sessions": ("session", "exemption"),
    "reads": ("plate", "device"),
    "citations": ("citation",),
    "payments": ("payment",),
    "appeals": ("citation", "appeal"),
    "security": ("entry", "incident"),
    "privacy": ("account", "citation", "plate"),
}
"""By which tag an area's events are keyed: the first that the event has. Of several of that name it is the
last, which for a corrected read is the plate that it was taken for: so the correction follows the read."""

WITHHELD = "withheld"
"""Header of an event that no message can hold: the value is `{}`, the event is in the log at `position`."""
_OVERHEAD = 1_000
"""Bytes that headers and framing may take beside key and value."""


class Message(NamedTuple):
    """One message of a topic."""

    stream: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    position: int
    partition: int | None = None
    """Where it goes; by its key, where nothing is said."""


def key_of(area: str, type_name: str, tags: Sequence[str]) -> str:
    """Return what an event is keyed by, as a tag; its own name where nothing identifies it."""
    for name in KEYED_BY[area]:
        start = f"{name}:"
        for tag in reversed(tags):
            if tag.startswith(start):
                return tag
    return tags[0] if tags and KEYED_BY[area] else type_name


def message(row: Any, largest: Mapping[str, int]) -> Message:
    """Return the message of a row of `RELAYED_COLUMNS`; `largest` is how many bytes each area's topic takes.

    The trace is that of the conversation (W3C Trace Context): an event's span within it is its command.

    Raises:
        NewerEvent: if a newer program wrote the row.

    """
    position, name, version, at, recorded, payload, _, channel, command_id, correlation, causation, tags = row
    cls = CATALOGUE.get(name)
    if cls is None:
        raise NewerEvent(f"The log holds {name} at {position}, which this program does not know; upgrade it")
    area = cls.area
    trace = (correlation or command_id).hex
    headers = [
        ("position", b"%d" % position),
        ("type", name.encode()),
        ("version", b"%d" % version),
        ("at", at.isoformat().encode()),
        ("recorded", recorded.isoformat().encode()),
        ("traceparent", f"00-{trace}-{command_id.hex[16:]}-01".encode()),
        ("command", str(command_id).encode()),
        ("channel", channel.encode()),
    ]
    if correlation is not None:
        headers.append(("correlation", str(correlation).encode()))
    if causation is not None:
        headers.append(("causation", b"%d" % causation))
    key = key_of(area, name, tags).encode()
    size = len(payload) + len(key) + _OVERHEAD
    if size > largest[area]:
        headers.append((WITHHELD, f"{len(payload)} bytes, the topic takes {largest[area]}".encode()))
        payload = b"{}"
    return Message(area, key, payload, headers, position)
