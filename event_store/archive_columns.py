"""The columns of the archive: one for each field of the catalogue, typed, under the field's own name.

Events that share a field share its column; an event that lacks it leaves it null. A field that the envelope
has a column for is called `payload_<field>`. What is structured stands as JSON text. Personal fields are not
archived, with three exceptions that reports cannot do without: plates and accounts stand as keyed hashes of
their tags, and the words for a place as that of themselves, so that vehicles and places can be counted and
told apart, and nobody can read whose and where they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints

from events.base import Event
from events.catalogue import CATALOGUE

ENVELOPE: Mapping[str, str] = {
    "position": "BIGINT",
    "type": "VARCHAR",
    "version": "SMALLINT",
    "at": "TIMESTAMPTZ",
    "recorded": "TIMESTAMPTZ",
    "actor": "VARCHAR",
    "channel": "VARCHAR",
    "command_id": "UUID",
    "correlation": "UUID",
    "causation": "BIGINT",
}
"""The columns that every event has, by their DuckDB types."""

LEFT_OUT = frozenset({("RecordAccessed", "query")})
"""Fields that are not marked personal and may repeat what is: the words of a look-up name its plate."""

PATHS: Mapping[tuple[str, str], str] = {
    ("PlateRead", "place"): "$.place.text",
    ("CitationIssued", "place"): "$.place.text",
}
"""Personal fields without a tag of which a hash is kept, and where in the payload their words stand."""

HASHED = "UBIGINT"
JSON = "JSON"
_PLAIN = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", datetime: "TIMESTAMPTZ"}


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field of one event goes: its column, the column's type, and what it is hashed from.

    That is the tag of this name, or the text at this path of the payload.
    """

    field: str
    name: str
    type: str
    tag: str | None = None
    path: str | None = None


def columns_of(event: type[Event]) -> tuple[Column, ...]:
    """Return the archived columns of an event, in the order of its fields."""
    return _BY_EVENT()[event.__name__]


@cache
def payload_columns() -> Mapping[str, str]:
    """Return every column that a field may stand in, and its type, in alphabetical order."""
    found = {column.name: column.type for columns in _BY_EVENT().values() for column in columns}
    return dict(sorted(found.items()))


@cache
def all_columns() -> Mapping[str, str]:
    """Return the envelope's columns and those of all fields."""
    return {**ENVELOPE, **payload_columns()}


@cache
def _BY_EVENT() -> Mapping[str, tuple[Column, ...]]:  # noqa: N802 - a constant that is worked out once
    told: dict[str, dict[str, str]] = {}
    for name, event in CATALOGUE.items():
        hints = get_type_hints(event, include_extras=False)
        for field in event.model_fields:
            kind = _kind(event, name, field, hints[field])
            if kind is not None:
                told.setdefault(field, {})[name] = kind
    types = {field: _common(set(kinds.values())) for field, kinds in told.items()}
    return {
        name: tuple(
            Column(field, _column(field), types[field], _tag(event, field), PATHS.get((name, field)))
            for field in event.model_fields
            if name in told.get(field, {})
        )
        for name, event in CATALOGUE.items()
    }


def _kind(event: type[Event], name: str, field: str, hint: Any) -> str | None:
    """Return the type of a field's column; `None` where the field is not archived."""
    if field == "at" or (name, field) in LEFT_OUT:
        return None
    if (name, field) in PATHS:
        return HASHED
    if field in event.personal:
        if _tag(event, field) is None:
            return None
        return f"{HASHED}[]" if any(f == field and many for f, _, many in event.tagged) else HASHED
    return _duckdb(hint)


def _tag(event: type[Event], field: str) -> str | None:
    """Return the name of the tag that stands for a personal field."""
    if field not in event.personal:
        return None
    return next((tag for tagged, tag, _ in event.tagged if tagged == field), None)


def _column(field: str) -> str:
    return f"payload_{field}" if field in ENVELOPE else field


def _common(kinds: set[str]) -> str:
    """Return the type that holds what different events mean by one field."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "VARCHAR" if kinds <= {"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"} else JSON


def _duckdb(hint: Any) -> str:
    """Return the DuckDB type of an annotation."""
    if isinstance(hint, TypeAliasType):
        hint = hint.__value__
    hint = getattr(hint, "__supertype__", hint)
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin = get_origin(hint)
    if origin is Literal:
        return "VARCHAR"
    if origin is tuple and _duckdb(get_args(hint)[0]) == "VARCHAR":
        return "VARCHAR[]"
    parts = [part for part in get_args(hint) if part is not type(None)]
    if origin is Union or _is_union(hint):
        return _common({_duckdb(part) for part in parts})
    return JSON


def _is_union(hint: Any) -> bool:
    return type(hint).__name__ == "UnionType"
