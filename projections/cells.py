"""The things of a projection as far as they are in memory, and which events touch which."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from events.base import Event
from events.catalogue import CATALOGUE
from events.envelope import Recorded
from projections.changes import RowId
from projections.projection import Projection, Thing
from projections.table import Row

type Entry = Recorded[Event]


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry whose event could not be revived: its keys park, and a retry reads it again."""

    position: int
    wire_name: str
    tags: tuple[str, ...]
    error: str


class Cell:
    """A thing in memory: its fold, its neighbours, and its open rows with the place of each.

    `redraw` are the keys whose rows may follow otherwise once the thing has moved: itself and its neighbours
    as far as they have rows. A passive thing, a hub or a common one, gets to know nobody.
    """

    __slots__ = ("evolve", "name", "neighbours", "passive", "redraw", "rows", "state", "types")

    def __init__(self, key: str, name: str, thing: Thing[Any], *, rooted: bool) -> None:
        """Begin with the fold of nothing."""
        self.name = name
        self.state = thing.initial(name)
        self.evolve: Callable[[Any, Entry], Any] = thing.evolve
        self.types = thing.types
        self.passive = thing.hub or thing.common
        self.neighbours: dict[str, None] = {}
        self.redraw: tuple[str, ...] = (key,) if rooted else ()
        self.rows: dict[Row, RowId] = {}


class Cells(dict[str, Cell]):
    """Cells by key; one that is asked for and missing begins with the fold of nothing."""

    def __init__(self, projection: Projection) -> None:
        """Hold nothing yet."""
        super().__init__()
        self._things = {thing.kind: thing for thing in projection.things}
        self._rooted = projection.rooted
        self._types = projection.types
        self.roots = tuple(f"{kind}:" for kind in projection.rooted)
        self.commons = tuple(thing for thing in projection.things if thing.common)
        self.common_keys = tuple(thing.common_key for thing in self.commons)
        self._commons_of: dict[type[Event], tuple[str, ...]] = {
            event: tuple(thing.common_key for thing in self.commons if event in thing.types)
            for event in {event for thing in self.commons for event in thing.types}
        }
        followed = {thing.kind for thing in projection.things if not thing.common}
        self._tags = {
            CATALOGUE[name]: tuple(
                (field, f"{tag}:", many) for field, tag, many in CATALOGUE[name].tagged if tag in followed
            )
            for name in projection.types
        }

    def __missing__(self, key: str) -> Cell:
        """Begin a thing."""
        kind, _, name = key.partition(":")
        cell = self[key] = Cell(key, name, self._things[kind], rooted=kind in self._rooted)
        return cell

    def keys_of(self, entry: Entry | Broken) -> dict[str, None]:
        """Return the keys of the things that an entry touches, in the order of its fields."""
        if isinstance(entry, Broken):
            handled = entry.wire_name in self._types
            return dict.fromkeys(t for t in entry.tags if handled and t.partition(":")[0] in self._things)
        event = entry.event
        values = event.__dict__
        found: dict[str, None] = {}
        for field, prefix, many in self._tags.get(type(event), ()):
            value = values[field]
            if many:
                for one in value or ():
                    found[prefix + one] = None
            elif value is not None:
                found[prefix + value] = None
        for key in self._commons_of.get(type(event), ()):
            found[key] = None
        return found

    def meet(self, key: str, cell: Cell, keys: Collection[str]) -> None:
        """Make those that one event touches neighbours of a thing that is not passive."""
        known = cell.neighbours
        for near in keys:
            if near not in known and near != key:
                known[near] = None
                if near.startswith(self.roots):
                    cell.redraw = (*cell.redraw, near)

    def around(self, cell: Cell) -> dict[str, Any]:
        """Return the folds of a thing's neighbours, the common things included."""
        found = {near: self[near].state for near in cell.neighbours}
        for key in self.common_keys:
            found[key] = self[key].state
        return found
