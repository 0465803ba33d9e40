"""What every event is: a frozen model in the past tense, with a stable wire name and a schema version."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import GenericAlias
from typing import Annotated, Any, ClassVar, Self, TypedDict, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, ConfigDict

from events.vocabulary import Instant, Personal, Tag

type Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the payload of one schema version into that of the next."""

CATALOGUE: dict[str, type["Event"]] = {}
"""Every event by its wire name."""


class UnknownEvent(LookupError):
    """The log holds an event whose wire name is not in this program's catalogue."""


class Event(BaseModel):
    """A fact of the domain. `at` is when it happened in the world; the log adds when it was recorded.

    A subclass's name is its wire name and never changes. When its fields change incompatibly it raises
    `version` and adds an upcast from the version before; `tests/golden` keeps a file of each version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")

    version: ClassVar[int] = 1
    area: ClassVar[str] = ""
    upcasts: ClassVar[Mapping[int, Upcast]] = {}
    tagged: ClassVar[tuple[tuple[str, str, bool], ...]] = ()
    """`(field, tag name, the field holds many)` for each field that becomes a tag."""
    personal: ClassVar[Mapping[str, str]] = {}
    """The subject of each field that is personal data."""
    _decoder: ClassVar[msgspec.json.Decoder[Any]]
    _defaults: ClassVar[dict[str, Any]]

    at: Instant

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Register the event, and read its tags and personal fields off its annotations."""
        if cls.__name__ in CATALOGUE:
            raise TypeError(f"two events are called {cls.__name__}; a wire name means one thing")
        CATALOGUE[cls.__name__] = cls
        cls.area = cls.__module__.rpartition(".")[2]
        hints = get_type_hints(cls, include_extras=True)
        marks = {name: list(_marks(hints[name])) for name in cls.model_fields}
        cls.tagged = tuple(
            (name, mark.name, _many(hints[name]))
            for name, found in marks.items()
            for mark in found
            if isinstance(mark, Tag)
        )
        cls.personal = {
            name: mark.subject
            for name, found in marks.items()
            for mark in found
            if isinstance(mark, Personal)
        }
        plain = {name: _plain(hints[name]) for name in cls.model_fields if name != "at"}
        cls._decoder = msgspec.json.Decoder(_typed_dict(cls.__name__, plain))
        cls._defaults = {
            name: field.get_default(call_default_factory=True)
            for name, field in cls.model_fields.items()
            if not field.is_required()
        }

    def tags(self) -> tuple[str, ...]:
        """Return the tags of this event, `name:value`, each once, in the order of its fields."""
        found: dict[str, None] = {}
        values = self.__dict__
        for field, name, many in self.tagged:
            value = values[field]
            if value is None:
                continue
            for one in value if many else (value,):
                found[f"{name}:{one}"] = None
        return tuple(found)

    def payload(self) -> dict[str, Any]:
        """Return the fields as JSON values, without `at` and without what was left open."""
        return self.model_dump(mode="json", exclude={"at"}, exclude_none=True)

    @classmethod
    def revive(cls, payload: bytes, at: datetime) -> Self:
        """Return the event of a payload that the log already accepted, without checking it again.

        About a fifth of the cost of validation: what stands in the log was validated on the way in.
        """
        event = cls.__new__(cls)
        values = cls._defaults | cls._decoder.decode(payload)
        values["at"] = at
        put = object.__setattr__
        put(event, "__dict__", values)
        put(event, "__pydantic_fields_set__", set(values))
        put(event, "__pydantic_extra__", None)
        put(event, "__pydantic_private__", None)
        return event


def event_named(name: str) -> type[Event]:
    """Return the event class of a wire name.

    Raises:
        UnknownEvent: if the catalogue has none of that name.

    """
    try:
        return CATALOGUE[name]
    except KeyError:
        raise UnknownEvent(name) from None


def _marks(hint: Any) -> list[object]:
    """Return the annotations of a type, at whatever depth of lists and options they stand."""
    found: list[object] = []
    if get_origin(hint) is Annotated:
        inner, *extra = get_args(hint)
        return [*_marks(inner), *extra]
    for part in get_args(hint):
        found.extend(_marks(part))
    return found


def _many(hint: Any) -> bool:
    """Tell whether a type is a tuple of values rather than one."""
    if get_origin(hint) is Annotated:
        return _many(get_args(hint)[0])
    return get_origin(hint) is tuple or any(get_origin(part) is tuple for part in get_args(hint))


def _plain(hint: Any) -> Any:
    """Return the type without its validators, as msgspec reads it."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _plain(get_args(hint)[0])
    if origin is tuple:
        return GenericAlias(tuple, (_plain(get_args(hint)[0]), ...))
    if origin is not None and type(None) in get_args(hint):
        kept: list[Any] = [_plain(part) for part in get_args(hint)]
        joined = kept[0]
        for part in kept[1:]:
            joined = joined | part
        return joined
    return getattr(hint, "__supertype__", hint)


def _typed_dict(name: str, fields: dict[str, Any]) -> Any:
    make: Any = TypedDict
    return make(name, fields, total=False)
