"""Policies: the numbers and rules that an office adopts, versioned, each with its effective time."""

from typing import Annotated

from events.base import Event
from events.vocabulary import Instant, Tag, Word


class PolicyAdopted(Event):
    """From `effective_from` the office decides by these values; keys left out keep their default."""

    policy: Annotated[Word, Tag("policy")]
    effective_from: Instant
    values: dict[str, int | bool | str]
