"""What was folded once is not read again: a bounded memory of the facts that decisions rest on.

Most of a boundary is shared by many commands (a zone, its rules, the policy); the rest is new to the log (the
session that is to start). What has entries is remembered folded, with the position that it was true at. The
next command that rests on it is decided without reading anything: on the remembered facts, and as if all else
in its boundary were absent. The append says so: it is refused if something moved since, or is not absent
after all. Then everything is read. So a memory out of date costs an attempt, never a wrong decision.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from commands.decider import AnyDecider, Command
from event_store.log import Log, Slice
from events.base import Event
from events.boundary import Boundary, Criterion
from events.envelope import Append, Appended, Recorded
from write_api.gathering import Gathering

REMEMBERED = 4_096
MARKED = 65_536
MANY = 64
"""Criteria of a boundary, such as that of a full garage, that cost more to ask for than a few new events."""
NEAR = 200
"""Events of the boundary's types that may be new for that."""

type Criteria = frozenset[Criterion]


class Key(NamedTuple):
    """What a fold is remembered by: how it folds, and the criteria of a boundary that have entries."""

    initial: Callable[[], Any]
    evolve: Callable[[Any, Recorded[Any]], Any]
    shared: Criteria


@dataclass(frozen=True, slots=True)
class Settled:
    """The facts of a command, and what they rest on.

    `shared` are the criteria that have entries, whose fold up to `head` the facts are; `absent` those that
    have none, or are taken to have none where the facts are not `fresh`. Only fresh facts, read from the log
    for this attempt, may answer that a rule refuses or that there is nothing to do.
    """

    facts: Any
    head: int
    shared: Criteria
    absent: Criteria
    fresh: bool
    key: Key


class Settling:
    """Folds what commands rest on, remembering folds by what they rest on, the latest used ones."""

    def __init__(self, log: Gathering, remembered: int = REMEMBERED) -> None:
        """Start with an empty memory of at most that many folds."""
        self._log = log
        self._bound = remembered
        self._folds: OrderedDict[Key, Settled] = OrderedDict()
        self._marked: OrderedDict[Criterion, None] = OrderedDict()

    def key(self, decider: AnyDecider, first: Criteria) -> Key:
        """Return what the facts of a boundary that begins as `first` are remembered by."""
        marked = self._marked
        return Key(decider.initial, decider.evolve, frozenset([one for one in first if one in marked]))

    def trusted(self, decider: AnyDecider, command: Command, key: Key) -> Settled | None:
        """Return the facts as far as they are remembered, all else taken to be absent; nothing if unknown."""
        known = self._folds.get(key)
        if known is not None:
            self._folds.move_to_end(key)
            facts, head, shared = known.facts, known.head, known.shared
        elif key.shared:
            return None
        else:
            facts, head, shared = decider.initial(), 0, key.shared
        wanted = decider.boundary(command, facts).criteria
        if not shared <= wanted:
            return None
        return Settled(facts, head, shared, wanted - shared, False, key)  # noqa: FBT003 - named in the record

    async def settled(self, decider: AnyDecider, command: Command, first: Criteria) -> Settled:
        """Return the facts of a command whose boundary begins as `first`, as the log has them now.

        Raises:
            LogUnavailable: if the log cannot be reached.

        """
        known = self._folds.get(self.key(decider, first))
        grown = await self._grown(decider, command, known) if known is not None else None
        return grown or await self._from_scratch(decider, command, first)

    async def _grown(self, decider: AnyDecider, command: Command, known: Settled) -> Settled | None:
        """Return a remembered fold with what is newer; nothing where what is not in it has entries too."""
        facts, covered = known.facts, known.shared
        newer = await self._newer(covered, known.head)
        for entry in newer.entries:
            facts = decider.evolve(facts, entry)
        wanted = decider.boundary(command, facts).criteria
        if not covered <= wanted:
            return None
        absent = wanted - covered
        if absent and (await self._log.read(Boundary(absent), upto=newer.head)).entries:
            return None
        grown = Settled(facts, newer.head, covered, absent, True, known.key)  # noqa: FBT003 - named in the record
        self._remember(grown)
        return grown

    async def _newer(self, covered: Criteria, after: int) -> Slice[Any]:
        """Return what is newer of a boundary; one with many criteria is held against all that is newer."""
        if len(covered) >= MANY:
            found = await self._log.ask(partial(_near, self._log.log, Boundary(covered), after))
            if found is not None:
                return found
        return await self._log.read(Boundary(covered), after)

    async def _from_scratch(self, decider: AnyDecider, command: Command, first: Criteria) -> Settled:
        """Return the facts folded from everything in the boundary, read until it stands still."""
        facts = decider.initial()
        covered: Criteria = frozenset()
        entries: dict[int, Recorded[Event]] = {}
        head: int | None = None
        others = first
        while others:
            part = await self._log.read(Boundary(others), upto=head)
            head = part.head if head is None else head
            covered |= others
            if part.entries:
                entries.update((entry.position, entry) for entry in part.entries)
                facts = decider.initial()
                for position in sorted(entries):
                    facts = decider.evolve(facts, entries[position])
            others = decider.boundary(command, facts).criteria - covered
        shared = _with_entries(covered, entries.values())
        self._mark(shared)
        key = self.key(decider, first)
        settled = Settled(facts, head or 0, shared, covered - shared, True, key)  # noqa: FBT003 - named in the record
        self._remember(settled)
        return settled

    def absorb(self, decider: AnyDecider, settled: Settled, append: Append, done: Appended) -> None:
        """Fold what was just appended into the memory it rested on: nothing else moved it, the log says."""
        if not settled.shared:
            return
        facts = settled.facts
        shared: Boundary[Event] = Boundary(settled.shared)
        for entry in append.entries(done):
            if shared.covers(entry.event):
                facts = decider.evolve(facts, entry)
        self._remember(
            Settled(facts, done.position, settled.shared, settled.absent, settled.fresh, settled.key)
        )

    def _remember(self, settled: Settled) -> None:
        known = self._folds.get(settled.key)
        if not settled.shared or (known is not None and known.head >= settled.head):
            return
        self._folds[settled.key] = settled
        self._folds.move_to_end(settled.key)
        if len(self._folds) > self._bound:
            self._folds.popitem(last=False)

    def _mark(self, criteria: Criteria) -> None:
        for one in criteria:
            self._marked[one] = None
            self._marked.move_to_end(one)
        while len(self._marked) > MARKED:
            self._marked.popitem(last=False)


def _near(log: Log, boundary: Boundary[Event], after: int) -> Slice[Event] | None:
    """Return what lies in the boundary, if not much of its types came to the log after a position."""
    head = log.head()
    any_type = any(not criterion.types for criterion in boundary.criteria)
    names = None if any_type else frozenset().union(*(one.types for one in boundary.criteria))
    rows = next(log.pages(after, types=names, upto=head, size=NEAR), ())
    if len(rows) >= NEAR:
        return None
    entries = [log.codec.revive(row) for row in rows]
    return Slice([entry for entry in entries if boundary.covers(entry.event)], head)


def _with_entries(criteria: Criteria, entries: Iterable[Recorded[Event]]) -> Criteria:
    """Return the criteria that cover at least one of the entries; each is looked for by one of its tags."""
    by_tag: defaultdict[str, list[Criterion]] = defaultdict(list)
    for one in criteria:
        by_tag[next(iter(one.tags), "")].append(one)
    found: set[Criterion] = set()
    for entry in entries:
        name, tags = type(entry.event).__name__, frozenset(entry.event.tags())
        for tag in ("", *tags):
            found.update(one for one in by_tag.get(tag, ()) if one.covers(name, tags))
    return frozenset(found)
