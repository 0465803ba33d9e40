"""What a projection is: which events it folds, by which tags, and the rows that follow from the fold.

A projection folds *things*: permits, payments, citations, each known by a tag (`permit:T-1`). An event
touches the things whose tags it carries. Two things that an event touches together are *neighbours* from
then on: a permit and the payment that pays it. The rows of a thing follow from its own fold and those of its
neighbours, so a payment that arrives late changes the rows of the permit.

Two sorts of things are only looked at. A *hub* (a permit's type) is a neighbour of what names it, and not the
other way round; a *common* thing (the policies) is a neighbour of everything. A change of either shows in
the rows of a thing with the next event that touches it.

All of it is pure. What stands in the table follows from the log alone: folding one key again from the log
and comparing is how drift is found, and reading the log again is how a fold that is no longer in memory is
brought back. There is no stored fold that could differ from the log.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from events.base import Event
from events.envelope import Recorded
from projections.table import Row, Table


def types(*events: type[Event]) -> frozenset[type[Event]]:
    """Return the events as a set."""
    return frozenset(events)


@dataclass(frozen=True, slots=True)
class Thing[S]:
    """A kind of thing that is folded: the name of its tag, its events, and its two pure functions.

    `types` are all events that touch a thing of this kind; `evolve` may ignore those that only make it
    the neighbour of another.
    """

    kind: str
    types: frozenset[type[Event]]
    initial: Callable[[str], S]
    evolve: Callable[[S, Recorded[Any]], S]
    hub: bool = False
    common: bool = False

    @property
    def common_key(self) -> str:
        """The one key of a common thing."""
        return f"{self.kind}:"


type Neighbours = Mapping[str, Any]
"""The folds of a thing's neighbours by key."""


def label(name: str, version: int, build: int) -> str:
    """Return what a build is called: the first one by its version alone."""
    return f"{name}/{version}" + (f".{build}" if build > 1 else "")


@dataclass(frozen=True, slots=True)
class Projection:
    """A read model: one table, the things it folds, and the rows of each.

    `rows(key, state, neighbours)` returns the rows of the thing as they stand after all that was folded so
    far. `rooted` names the kinds that have rows; the others only inform their neighbours. `version` is
    raised whenever the table or its content would differ: the next version is built beside the last one.
    `build` counts the tables that one version was built into: a rebuild goes into the next one.
    At most `kept` things stay in memory between batches (1 to 3 kB each); the others are read back as they
    are touched.
    """

    name: str
    version: int
    table: Table
    things: tuple[Thing[Any], ...]
    rooted: frozenset[str]
    rows: Callable[[str, Any, Neighbours], Iterable[Row]]
    kept: int = 50_000
    build: int = 1

    @property
    def table_name(self) -> str:
        """The table of this build; `views.<name>` is a view of the one that is live."""
        return f"{self.name}_{self.version}" + (f"_{self.build}" if self.build > 1 else "")

    @property
    def label(self) -> str:
        """What progress, notices and parked keys know this build by."""
        return label(self.name, self.version, self.build)

    @property
    def identity(self) -> tuple[str, int, int]:
        """Name, version and build: how the tables of `views` know it."""
        return self.name, self.version, self.build

    @property
    def types(self) -> frozenset[str]:
        """The wire names of all events that it handles."""
        return frozenset(t.__name__ for thing in self.things for t in thing.types)

    @property
    def kinds(self) -> frozenset[str]:
        """The names of the tags that it folds by."""
        return frozenset(thing.kind for thing in self.things)
