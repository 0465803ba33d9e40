"""Events as JSON Lines: one event a line, flat or with its fields under `payload` as the log exports them.

`{"event": "PlateRead", "at": "2026-03-05T09:02:11-05:00", "read": "r-1", …}`; the wire name may also stand
under `type`, and `version` tells which schema version the fields are of. What else the envelope of an export
holds (position, recorded, actor) belongs to the log that it came from; its command id and position, where
they are there, are what the same event is known by when it is imported again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from rapidfuzz import process

from events.catalogue import CATALOGUE, Event
from events.vocabulary import looks_like_card_number
from write_api.imports.formats import Taken
from write_api.imports.local_time import Unreadable
from write_api.imports.source import MAX_LINE, Source
from write_api.imports.table import Reject, Row

_ENVELOPE = frozenset(
    {"position", "recorded", "actor", "channel", "command_id", "correlation", "causation", "version", "tags",
     "digest", "step", "area"}
)  # fmt: skip
_NAMES = ("event", "type", "name")


def lines(source: Source) -> Iterator[Row | Reject]:
    """Yield each line that is not blank, or why it cannot be taken."""
    for raw in source:
        shown = raw.decode("utf-8", "backslashreplace").rstrip("\r\n").replace("\x00", "\\x00")
        if len(raw) >= MAX_LINE:
            yield Reject(source.line, f"the line has more than {MAX_LINE:,} bytes", shown[:1000])
            continue
        if not raw.strip():
            continue
        try:
            yield Row(source.line, {"": raw.decode()}, shown)
        except UnicodeDecodeError:
            yield Reject(source.line, "the line is not UTF-8 text", shown)


def take(row: Row) -> Taken:
    """Return the event of a line.

    Raises:
        Unreadable: naming the field that is wrong.

    """
    said = _parsed(row.values[""])
    name = next((said.pop(key) for key in _NAMES if isinstance(said.get(key), str)), None)
    if name is None:
        raise Unreadable("the line does not name its event: event")
    if name not in CATALOGUE:
        near = process.extractOne(name, CATALOGUE.keys(), score_cutoff=50)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise Unreadable(f"there is no event {name[:100]!r} in the catalogue{hint}")
    fields = _fields(said, CATALOGUE[name])
    try:
        event = CATALOGUE[name].model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "event"
        raise Unreadable(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
    for text in _texts(event.payload()):
        if looks_like_card_number(text):
            raise Unreadable("a field looks like a card number, which is never taken")
    return Taken(_identity(name, said, event), (event,))


def _parsed(text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Unreadable("a field stands twice")
        return found

    try:
        said = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise Unreadable(f"the line is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise Unreadable("the line is nested too deeply") from None
    if not isinstance(said, dict):
        raise Unreadable("the line is not a JSON object")
    return said


def _fields(said: Mapping[str, Any], model: type[Event]) -> dict[str, Any]:
    """Return the event's fields in today's schema version."""
    inner = next((said[key] for key in ("payload", "data") if isinstance(said.get(key), dict)), None)
    if inner is None:
        fields = {
            key: value for key, value in said.items() if key not in _ENVELOPE or key in model.model_fields
        }
    else:
        fields = dict(inner)
        if "at" in said:
            fields["at"] = said["at"]
    version = said.get("version", model.version)
    if not isinstance(version, int) or not 1 <= version <= model.version:
        raise Unreadable(f"version: {version!r} is no schema version of {model.__name__}")
    for step in range(version, model.version):
        fields = model.upcasts[step](fields)
    return fields


def _identity(name: str, said: Mapping[str, Any], event: Event) -> str:
    command, position = said.get("command_id"), said.get("position")
    if command is not None or position is not None:
        return f"{command}/{position}/{name}"
    canonical = json.dumps(event.payload(), sort_keys=True, separators=(",", ":"))
    return f"{name}/{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a payload but plates, whose numbers may be long."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in {"plate", "plates", "raw", "candidates", "image"}:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
