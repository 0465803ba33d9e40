"""What people write, made to fit a model: `1001` as text, one value for a list, `Mon-Fri`, `24:00`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from replay.scenario.document import Fields, Listing, Node, Scalar

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED_DAYS = {
    "weekdays": _DAYS[:5],
    "weekend": _DAYS[5:],
    "weekends": _DAYS[5:],
    "daily": _DAYS,
    "every day": _DAYS,
}
_HOUR = re.compile(r"[0-9]:[0-9]{2}")
_MOST_REPAIRS = 20


def fitted(model: type[BaseModel], values: dict[str, Any], written: Fields) -> dict[str, Any]:
    """Return the values with numbers read as text, and a single value as a list, where the model wants it."""
    for _ in range(_MOST_REPAIRS):
        try:
            model.model_validate(values)
        except ValidationError as error:
            repaired = _repaired(values, error, written)
            if repaired is None:
                return values
            values = repaired
        else:
            return values
    return values


def _repaired(values: dict[str, Any], error: ValidationError, written: Fields) -> dict[str, Any] | None:
    changed = False
    for one in error.errors():
        path = one["loc"]
        held = _get(values, path)
        if one["type"] == "string_type" and isinstance(held, int | float):
            node = descend(written, path)
            values = put(values, path, node.text if isinstance(node, Scalar) else str(held))
        elif one["type"] in {"tuple_type", "list_type"} and isinstance(held, str | int | float):
            values = put(values, path, [held])
        else:
            continue
        changed = True
    return values if changed else None


def descend(fields: Fields, path: Sequence[int | str]) -> Node:
    """Return the node nearest to a path."""
    node: Node = fields
    for part in path:
        if isinstance(node, Fields) and part in node.entries:
            node = node.entries[str(part)]
        elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node


def put(values: Any, path: Sequence[Any], value: Any) -> Any:
    """Return a copy with the value at the path replaced; branches of a union in the path are passed over."""
    if not path:
        return value
    if isinstance(values, Mapping):
        return {**values, path[0]: put(values.get(path[0]), path[1:], value)} if path[0] in values else values
    if isinstance(values, list) and isinstance(path[0], int):
        return [*values[: path[0]], put(values[path[0]], path[1:], value), *values[path[0] + 1 :]]
    return put(values, path[1:], value)


def _get(values: Any, path: Sequence[Any]) -> Any:
    for part in path:
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
    return values


def rule(written: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with the days and hours of a zone's rule as its model has them."""
    days = written.get("days")
    if days is not None:
        listed = days if isinstance(days, list) else [part.strip() for part in str(days).split(",")]
        written["days"] = [day for part in listed for day in _days(str(part))]
    for key in ("start", "end"):
        if isinstance(written.get(key), str) and _HOUR.fullmatch(written[key]):
            written[key] = f"0{written[key]}"
    if written.get("end") == "24:00":
        written["end"] = "00:00"
    return written


def _days(written: str) -> list[str]:
    named = _NAMED_DAYS.get(written.strip().lower())
    if named is not None:
        return list(named)
    first, dash, last = (part.strip().lower()[:3] for part in written.partition("-"))
    if not dash or first not in _DAYS or last not in _DAYS:
        return [first]
    begin, end = _DAYS.index(first), _DAYS.index(last)
    return [_DAYS[i % 7] for i in range(begin, end + 1 if end >= begin else end + 8)]
