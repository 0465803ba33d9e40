"""The seam where personal data would be sealed on its way into the log, and opened on its way out.

Events say which of their fields are personal (`Event.personal`); nothing else in the program needs to know
whether, and under which key, such a field is kept.
"""

from typing import Any, Protocol

from events.base import Event


class Sealer(Protocol):
    """How personal fields and tags are kept in the log."""

    keyed: frozenset[str]
    """The names of the tags whose values are personal and stand in the log as keyed hashes."""

    def seal(self, event: Event, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields as the log shall keep them; those of `event.personal` may be changed."""
        ...

    def unseal(self, event: type[Event], payload: bytes) -> bytes:
        """Return the payload as it was before `seal`, or with what remains of it where its key is gone."""
        ...

    def tag(self, tag: str) -> str:
        """Return the tag under which the log knows the personal tag `name:value`; always the same one."""
        ...


class Plain:
    """Keeps personal fields as they are."""

    keyed: frozenset[str] = frozenset()

    def seal(self, event: Event, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Return the fields unchanged."""
        return fields

    def unseal(self, event: type[Event], payload: bytes) -> bytes:  # noqa: ARG002
        """Return the payload unchanged."""
        return payload

    def tag(self, tag: str) -> str:
        """Return the tag unchanged."""
        return tag
