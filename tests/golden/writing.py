"""Writes the golden files: an example of each event with every field filled in, as the log keeps it.

    python tests/golden/writing.py

writes what is missing and adds fields that are new to a file; it never changes what a file says already,
for that is what the log holds. Whoever changes a field raises the event's version instead.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeAliasType, get_args, get_origin, get_type_hints

from event_store.codec import Codec
from events.catalogue import CATALOGUE, Event
from events.vocabulary import Plate

FOLDER = Path(__file__).parent
AT = datetime(2026, 3, 5, 14, 2, 11, 125000, tzinfo=UTC)
WRITTEN = {"timezone": "America/Toronto", "last4": "4242", "bucket": "2026-03-05", "number": "CKTR482"}
"""Examples of fields whose text has a form."""


def path_of(event: type[Event], version: int) -> Path:
    """Return the file of one version of an event."""
    return FOLDER / f"{event.__name__}.v{version}.json"


def example(event: type[Event]) -> Event:
    """Return an event with every field filled in."""
    hints = get_type_hints(event, include_extras=True)
    values = {name: _value(name, hints[name]) for name in event.model_fields}
    return event.model_validate({**values, "at": AT})


def golden(event: Event) -> dict[str, Any]:
    """Return what the log keeps of an event, as a golden file says it."""
    kept = Codec().encode(event)
    return {
        "type": kept.type,
        "version": kept.version,
        "at": kept.at.isoformat(),
        "tags": list(kept.tags),
        "payload": json.loads(kept.payload),
        "digest": kept.digest.hex(),
    }


def _value(name: str, hint: Any) -> Any:  # noqa: PLR0911
    if isinstance(hint, TypeAliasType):
        return _value(name, hint.__value__)
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _value(name, parts[0])
    if origin is Literal:
        return parts[0]
    if origin is tuple:
        return [_value(name.removesuffix("s"), parts[0])]
    if origin is dict:
        return {"fine": 6000, "max_active": 1}
    if NoneType in parts:
        return _value(name, next(part for part in parts if part is not NoneType))
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return {field.name: _value(field.name, hints[field.name]) for field in fields(hint)}
    if hint is Plate:
        return "ON CKTR482"
    simple = getattr(hint, "__supertype__", hint)
    return {int: 1, float: 0.5, bool: True, datetime: AT, time: time(8, 30)}.get(simple) or WRITTEN.get(
        name, f"{name}-1"
    )


def missing() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the files that are missing or lack a field, with what they shall say."""
    for event in CATALOGUE.values():
        path = path_of(event, event.version)
        wanted = golden(example(event))
        known = json.loads(path.read_text()) if path.exists() else None
        if known is None:
            yield path, wanted
        elif set(wanted["payload"]) > set(known["payload"]):
            revived = {**wanted["payload"], **known["payload"], "at": known["at"]}
            yield path, golden(event.model_validate_json(json.dumps(revived)))


if __name__ == "__main__":
    for path, content in list(missing()):
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        print(path.name)  # noqa: T201
