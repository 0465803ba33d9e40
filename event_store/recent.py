"""What the writer remembers of the newest events, so that most conditions need no question to the database.

A decision usually rests on a head that is a moment old. Whether one of its tags was seen since is a look
into a dictionary, as long as nobody else has appended meanwhile; the database checks that in the same call
(`expected`), and where it is not so the batch is sent again with all of its conditions.
"""

from collections.abc import Iterable

from event_store.codec import JOINED, Encoded
from events.boundary import Criterion

SIZE = 50_000
"""Tags and types of a generation; two generations are kept."""
WARY = 64
"""Batches for which nothing is taken from memory after another process was met."""


class Recent:
    """Knows at which position each tag and type was seen last, after the position `since`."""

    def __init__(self) -> None:
        """Know nothing."""
        self.head: int | None = None
        self._wary = 0
        self._since = self._since_young = 0
        self._old: dict[str, int] = {}
        self._young: dict[str, int] = {}

    def begin(self, head: int) -> None:
        """Hear that a batch found this head; where that is a surprise, begin anew from there."""
        self._wary -= self._wary > 0
        if head == self.head:
            return
        if self.head is not None:
            self._wary = WARY
        self.forget()
        self.head = self._since = self._since_young = head

    def forget(self) -> None:
        """Know nothing, as after a lost connection."""
        self.head = None
        self._old, self._young = {}, {}

    def learn(self, position: int, events: Iterable[Encoded]) -> None:
        """Hear that an append was taken, whose events end at a position."""
        if len(self._young) > SIZE:
            self._old, self._young = self._young, {}
            self._since, self._since_young = self._since_young, self.head or 0
        young = self._young
        for event in events:
            for tag in event.tags:
                young[tag] = position
            young[JOINED + event.type] = position
        self.head = position

    def settles(self, criterion: Criterion, after: int) -> bool:
        """Tell whether surely nothing after a position lies inside a criterion."""
        if self.head is None or after < self._since or self._wary:
            return False
        if criterion.tags:
            young, old = self._young, self._old
            for tag in criterion.tags:  # noqa: SIM110 - this runs twice an append, and `any` takes twice as long
                if (young.get(tag) or old.get(tag, 0)) <= after:
                    return True
            return False
        if criterion.types:
            return all(self._last(JOINED + name) <= after for name in criterion.types)
        return self.head <= after

    def _last(self, key: str) -> int:
        return self._young.get(key) or self._old.get(key, 0)
