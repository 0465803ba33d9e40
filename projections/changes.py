"""What folding a batch comes to: the rows that opened, those that closed, and the keys that were parked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from projections.table import Row

type RowId = tuple[int, int]
"""`known_from` and `part`, which name a row among those of its key."""

type Closed = tuple[str, int, int, int]
"""The key, `known_from` and `part` of a row, and the position by which it was known to be otherwise."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A key that stands still since an event that could not be folded; what follows waits with it."""

    key: str
    position: int
    wire_name: str
    error: str


@dataclass(slots=True)
class Changes:
    """What a batch does to one table, in the order of positions.

    `opened` are whole rows, engine columns first; a row that opened and closed within the batch stands
    there closed. `waiting` counts the further events of each parked key.
    """

    opened: list[Row] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Tell whether nothing changed."""
        return not (self.opened or self.closed or self.parked or self.waiting)


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row of a table that nothing has superseded, as it was read back."""

    key: str
    known_from: int
    part: int
    values: Row


def merged(batches: Sequence[Changes]) -> Changes:
    """Return the changes of consecutive batches as one, in order."""
    whole = Changes()
    for changes in batches:
        whole.opened += changes.opened
        whole.closed += changes.closed
        whole.parked += changes.parked
        for key, count in changes.waiting.items():
            whole.waiting[key] = whole.waiting.get(key, 0) + count
    return whole
