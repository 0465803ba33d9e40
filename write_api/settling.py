"""What was folded once is not read again: a bounded memory of the facts that decisions rest on.

Most of a boundary is shared by many commands (a zone, its rules, the policy); the rest is new to the log (the
session that is to start). What has entries is remembered folded, with the position that it was true at. The
next command that rests on it is decided without reading anything: on the remembered facts, and as if all else
in its boundary were absent. The append says so: it is refused if something moved since, or is not absent
after all. Then what is missing is read. So a memory out of date costs an attempt, never a wrong decision.

A fold of many facts, such as all that ever stood in a garage, is read once. Its boundary moves with time, as
rights run out that had to be followed, and who asks may have facts of their own besides, such as a vehicle
that stood there before: where a decider folds in any order, only what is missing is read and folded on.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Any

from commands.decider import AnyDecider, Command
from event_store.log import Slice
from event_store.widening import Widening, folding
from events.base import Event
from events.boundary import Boundary, Criteria, Criterion
from events.envelope import Append, Appended, Recorded
from write_api.folds import MANY, NO_CRITERIA, Fold, Folds, Key, inside, newer_of, with_entries
from write_api.gathering import Gathering

REMEMBERED = 4_096
MARKED = 65_536
HEAVIEST = 2_000_000
"""Entries that all remembered folds hold together, each about a kilobyte, where no setting says otherwise."""
HEAVY = 200
"""Entries of a fold that are worth being shared with who rests on more than it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The facts of a command, and what they rest on.

    `shared` are the criteria that have entries, whose fold up to `head` the facts are; `absent` those that
    have none, or are taken to have none where the facts are not `fresh`. Only fresh facts, read from the log
    for this attempt, may answer that a rule refuses or that there is nothing to do.
    """

    fold: Fold
    absent: Criteria
    fresh: bool
    key: Key

    @property
    def facts(self) -> Any:
        """What the decision is made on."""
        return self.fold.facts

    @property
    def head(self) -> int:
        """The position that the facts are true at."""
        return self.fold.head

    @property
    def shared(self) -> Criteria:
        """The criteria that have entries."""
        return self.fold.shared


class Settling:
    """Folds what commands rest on, remembering folds by what they rest on, the latest used ones."""

    def __init__(self, log: Gathering, remembered: int = REMEMBERED, heaviest: int = HEAVIEST) -> None:
        """Start with an empty memory of at most that many folds, and entries folded into them."""
        self._log = log
        self._folds = Folds(remembered, heaviest, HEAVY)
        self._marked: OrderedDict[Criterion, None] = OrderedDict()

    def key(self, decider: AnyDecider, first: Criteria) -> Key:
        """Return what the facts of a boundary that begins as `first` are remembered by."""
        marked = self._marked
        return Key(decider.initial, decider.evolve, frozenset([one for one in first if one in marked]))

    def trusted(self, decider: AnyDecider, command: Command, key: Key) -> Settled | None:
        """Return the facts as far as they are remembered, all else taken to be absent; nothing if unknown."""
        known = self._folds.get(key)
        if known is None:
            if key.shared:
                return None
            known = Fold(decider.initial())
        wanted = decider.boundary(command, known.facts).criteria
        fold = _narrowed(decider, known, wanted)
        if fold is None or not wanted.isdisjoint(fold.past):
            return None
        return Settled(fold, wanted - fold.shared, False, key)  # noqa: FBT003 - named in the record

    async def settled(self, decider: AnyDecider, command: Command, first: Criteria) -> Settled:
        """Return the facts of a command whose boundary begins as `first`, as the log has them now.

        Raises:
            LogUnavailable: if the log cannot be reached.

        """
        key = self.key(decider, first)
        for part in (key, *(self._folds.parts(key) if decider.folds_in_any_order else ())):
            known = self._folds.get(part)
            if known is not None:
                fold = await self._continued(decider, command, part, known)
                if fold is not None:
                    return Settled(fold, fold.empty, True, part)  # noqa: FBT003 - named in the record
        return await self._from_scratch(decider, command, first)

    async def _continued(self, decider: AnyDecider, command: Command, key: Key, known: Fold) -> Fold | None:
        """Return a remembered fold with what is newer and what else is wanted; nothing if it is of no use."""
        fold = _narrowed(decider, known, decider.boundary(command, known.facts).criteria)
        if fold is None:
            return None
        newer = await self._newer(fold)
        fold = fold.newer(decider, newer.entries, newer.head)
        self._folds.remember(key, fold)
        while unknown := decider.boundary(command, fold.facts).criteria - fold.followed:
            entries = await self._older(fold, unknown)
            if entries and not (decider.folds_in_any_order and fold.foreign <= fold.own >= HEAVY):
                return None
            fold = fold.wider(decider, unknown, entries)
        self._folds.remember(key, fold)
        return fold

    async def _newer(self, fold: Fold) -> Slice[Any]:
        """Return what is newer of what a fold follows."""
        if len(fold.followed) >= MANY:
            return await self._log.ask(partial(newer_of, self._log.log, fold.followed, fold.head))
        return await self._log.read(Boundary(fold.followed), fold.head)

    async def _older(self, fold: Fold, criteria: Criteria) -> list[Recorded[Event]]:
        """Return what may be missing of further criteria up to the head of the fold."""
        read = (self._log.read(Boundary(some), after, fold.head) for some, after in fold.missing(criteria))
        return [entry for part in await asyncio.gather(*read) for entry in part.entries]

    async def _from_scratch(self, decider: AnyDecider, command: Command, first: Criteria) -> Settled:
        """Return the facts folded from everything in the boundary, read until it stands still."""
        known: Widening[Any] = Widening(
            lambda facts: decider.boundary(command, facts),
            folding(decider.initial, decider.evolve),
            first=first,
        )
        while known.missing:
            known.take(await self._log.read(Boundary(known.missing), upto=known.head))
        fold = Fold.of(known)
        self._mark(fold.shared)
        key = self.key(decider, first)
        self._folds.remember(key, fold)
        return Settled(fold, fold.empty, True, key)  # noqa: FBT003 - named in the record

    def absorb(self, decider: AnyDecider, settled: Settled, append: Append, done: Appended) -> None:
        """Fold what was just appended into the memory it rested on: nothing else moved it, the log says."""
        fold = settled.fold
        if not fold.shared:
            return
        entries = list(append.entries(done))
        empty = settled.absent
        if len(empty) < MANY:
            empty = NO_CRITERIA  # a few are asked for again sooner than they are kept
        elif began := with_entries(empty, entries):
            empty -= began
        told = Fold(fold.facts, fold.head, fold.shared, empty, fold.past, fold.weight, fold.foreign)
        self._folds.remember(settled.key, told.newer(decider, inside(fold.shared, entries), done.position))

    def _mark(self, criteria: Criteria) -> None:
        for one in criteria:
            self._marked[one] = None
            self._marked.move_to_end(one)
        while len(self._marked) > MARKED:
            self._marked.popitem(last=False)


def _narrowed(decider: AnyDecider, fold: Fold, wanted: Criteria) -> Fold | None:
    """Return the fold with no more followed than is wanted.

    Knowing more than was asked for is no harm where entries fold in any order; else the fold is of no use.
    """
    if decider.folds_in_any_order or fold.shared <= wanted:
        return fold.following(wanted)
    return None
