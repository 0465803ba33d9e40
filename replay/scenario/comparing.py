"""Whether an answer is the expected one: mappings on the keys they name, instants as instants."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from events.vocabulary import parse_plate

UNORDERED = frozenset({"rules", "duplicates", "plates", "active", "includes", "excludes"})
"""Queries, and keys of answers, whose lists are compared as sets."""

_SAID = {"yes": True, "no": False, "true": True, "false": False}
"""What people write for an answer that is true or false."""

_EPSILON = 5e-5
"""Half a unit of the fourth decimal, to which KPIs are stated."""


def agrees(expected: Any, got: Any, name: str = "") -> bool:
    """Tell whether `got` is what was expected of the query or key `name`."""
    if is_nothing(expected) and is_nothing(got):
        return True
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(_key(expected, got, key) for key in expected)
    if isinstance(got, Mapping):
        return _whole(expected, got)
    if isinstance(expected, list):
        return isinstance(got, list | tuple) and _lists(expected, list(got), name)
    if isinstance(got, list | tuple):
        return len(got) == 1 and agrees(expected, got[0], name)
    return _same(expected, got)


def is_nothing(value: Any) -> bool:
    """Tell whether a value is a way to write that there is nothing: null, no items, or nothing in any key."""
    if isinstance(value, Mapping):
        return all(is_nothing(inner) for inner in value.values())
    return value is None or (isinstance(value, list | tuple) and not value)


def _whole(expected: Any, got: Mapping[str, Any]) -> bool:
    """Tell whether one word or number says what a mapping does: a cause by its kind, counts by their sum."""
    if isinstance(expected, str):
        return expected == got.get("kind")
    return isinstance(expected, int) and not isinstance(expected, bool) and expected == _sum(got)


def _sum(counts: Mapping[str, Any]) -> int | None:
    values = list(counts.values())
    return sum(values) if all(type(value) is int for value in values) else None


def _key(expected: Mapping[str, Any], got: Mapping[str, Any], key: str) -> bool:
    wanted, held = expected[key], got.get(key)
    if key == "includes":
        return set(_steps(wanted)) <= set(_steps(held))
    if key == "excludes":
        return not set(_steps(wanted)) & set(_steps(held))
    if key == "order":
        return [step for step in _steps(held) if step in _steps(wanted)] == _steps(wanted)
    if key == "entries":
        return all(_entry(entry, _listed(held)) for entry in _listed(wanted))
    return agrees(wanted, held, key)


def _entry(expected: Any, got: list[Any]) -> bool:
    """Tell whether the entry of the named step is as expected."""
    if not isinstance(expected, Mapping):
        return False
    step = str(expected.get("step"))
    return any(entry.get("step") == step and agrees(expected, entry) for entry in got)


def _lists(expected: list[Any], got: list[Any], name: str) -> bool:
    if len(expected) != len(got):
        return False
    if name in UNORDERED:
        left = list(got)
        for one in expected:
            match = next((held for held in left if agrees(one, held, name)), None)
            if match is None:
                return False
            left.remove(match)
        return True
    return all(agrees(one, held, name) for one, held in zip(expected, got, strict=True))


def _same(expected: Any, got: Any) -> bool:
    if isinstance(got, bool) and isinstance(expected, str):
        return _SAID.get(expected.lower()) is got
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got or (expected == got and type(expected) is type(got))
    if isinstance(expected, int | float) and isinstance(got, int | float):
        return expected == got or math.isclose(expected, got, abs_tol=_EPSILON, rel_tol=0)
    if isinstance(got, datetime):
        return _instant(expected) == got
    return str(expected) == str(got) or _plate(expected) == _plate(got)


def _instant(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _plate(value: Any) -> str:
    try:
        return parse_plate(str(value))
    except ValueError:
        return str(value)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else [value]


def _steps(value: Any) -> list[str]:
    """Return ids of steps, which may be numbers in the file."""
    return [str(one) for one in _listed(value)]


def shown(value: Any) -> str:
    """Return a value as a person would write it in a scenario."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(shown(inner) for inner in value) + "]"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
