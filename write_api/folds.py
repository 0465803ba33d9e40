"""Facts folded from the log, and exactly which of its entries they were folded from."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from commands.decider import AnyDecider
from event_store.log import Log, Slice
from event_store.widening import Widening
from events.boundary import Boundary, Criteria, Criterion
from events.envelope import Recorded

type Entries = Iterable[Recorded[Any]]

NO_CRITERIA: Criteria = frozenset()
MANY = 64
"""Criteria of a boundary, such as that of a full garage, that cost more to ask for than a few new events."""
NEAR = 200
"""Events of the boundary's types that may be new for that."""
FEW = 8
"""Criteria that are tried one by one sooner than they are sorted by their tags."""


class Key(NamedTuple):
    """What a fold is remembered by: how it folds, and the criteria of a boundary that have entries."""

    initial: Callable[[], Any]
    evolve: Callable[[Any, Recorded[Any]], Any]
    shared: Criteria


@dataclass(frozen=True, slots=True)
class Fold:
    """The facts of all that `shared` covers up to `head`; nothing there was inside `empty`.

    `past` are criteria that are followed no longer, as a garage's permits that ran out, each with the
    position up to which its entries are among the facts. `weight` is how many entries were folded, `foreign`
    how many of them because some command asked for more than those before it.
    """

    facts: Any
    head: int = 0
    shared: Criteria = NO_CRITERIA
    empty: Criteria = NO_CRITERIA
    past: Mapping[Criterion, int] = field(default_factory=dict)
    weight: int = 0
    foreign: int = 0

    @classmethod
    def of(cls, known: Widening[Any]) -> "Fold":
        """Return the fold of all that was read of the log up to one head."""
        shared = with_entries(known.covered, known.entries.values())
        return cls(known.facts, known.head or 0, shared, known.covered - shared, weight=len(known.entries))

    @property
    def own(self) -> int:
        """How many entries those who rest on it have in common."""
        return self.weight - self.foreign

    @property
    def followed(self) -> Criteria:
        """The criteria that the facts are true of, as of `head`."""
        return self.shared | self.empty

    def following(self, wanted: Criteria) -> "Fold":
        """Return it with no more followed than is wanted."""
        if self.shared <= wanted and self.empty <= wanted:
            return self
        gone = self.shared - wanted
        past = {**self.past, **dict.fromkeys(gone, self.head)} if gone else self.past
        return replace(self, shared=self.shared & wanted, empty=self.empty & wanted, past=past)

    def newer(self, decider: AnyDecider, entries: Entries, head: int) -> "Fold":
        """Return it as of a later head, with all the entries that came into what it follows since."""
        facts, count = self.facts, 0
        for count, entry in enumerate(entries, 1):  # noqa: B007 - the last one counts
            facts = decider.evolve(facts, entry)
        shared, empty = self.shared, self.empty
        if count and empty:
            began = with_entries(empty, entries)
            shared, empty = shared | began, empty - began
        return Fold(facts, head, shared, empty, self.past, self.weight + count, self.foreign)

    def wider(self, decider: AnyDecider, criteria: Criteria, entries: Entries) -> "Fold":
        """Return it with further criteria, given their entries up to `head` that may not be folded yet.

        What it does not know of them comes on top of newer entries, so `decider` must fold in any order.
        """
        new = self._unfolded(entries)
        facts = self.facts
        for entry in new:
            facts = decider.evolve(facts, entry)
        found = with_entries(criteria, entries) | (criteria & self.past.keys())
        return replace(
            self,
            facts=facts,
            shared=self.shared | found,
            empty=self.empty | (criteria - found),
            past={one: upto for one, upto in self.past.items() if one not in criteria},
            weight=self.weight + len(new),
            foreign=self.foreign + len(new),
        )

    def missing(self, criteria: Criteria) -> list[tuple[Criteria, int]]:
        """Return what has to be read of further criteria up to `head`: which ones, after which position."""
        known = criteria & self.past.keys()
        asked = [(criteria - known, 0), (known, min((self.past[one] for one in known), default=0))]
        return [(some, after) for some, after in asked if some]

    def _unfolded(self, entries: Entries) -> list[Recorded[Any]]:
        """Return the entries that are not among the facts, in the order of the log, each once."""
        known = _by_tag((*self.shared, *self.past))
        new: dict[int, Recorded[Any]] = {}
        for entry in entries:
            upto = max((self.past.get(one, self.head) for one in _covering(known, entry)), default=0)
            if upto < entry.position:
                new[entry.position] = entry
        return [new[position] for position in sorted(new)]


def newer_of(log: Log, criteria: Criteria, after: int) -> Slice[Any]:
    """Return what came into criteria after a position.

    Many of them, as a full garage has, are held against all that is new of their types, if that is not much.
    """
    if len(criteria) >= MANY:
        head = log.head()
        any_type = any(not criterion.types for criterion in criteria)
        names = None if any_type else frozenset().union(*(one.types for one in criteria))
        rows = next(log.pages(after, types=names, upto=head, size=NEAR), ())
        if len(rows) < NEAR:
            return Slice(inside(criteria, [log.codec.revive(row) for row in rows]), head)
    return log.read(Boundary(criteria), after=after)


class Folds:
    """The folds that were used last, as many as memory may hold."""

    def __init__(self, most: int, heaviest: int, heavy: int) -> None:
        """Hold at most so many folds and entries; `heavy` entries of its own make a fold worth sharing."""
        self._most, self._heaviest, self._worth = most, heaviest, heavy
        self._folds: OrderedDict[Key, Fold] = OrderedDict()
        self._heavy: dict[Key, None] = {}
        self._weight = 0

    def get(self, key: Key) -> Fold | None:
        """Return the fold, used just now; nothing where none is remembered."""
        fold = self._folds.get(key)
        if fold is not None:
            self._folds.move_to_end(key)
        return fold

    def parts(self, key: Key) -> list[Key]:
        """Return the keys of heavy folds that rest on a part of what it rests on, the largest part first."""
        way = key[:2]
        found = [one for one in self._heavy if one[:2] == way and one.shared < key.shared]
        return sorted(found, key=lambda one: -len(one.shared))

    def remember(self, key: Key, fold: Fold) -> None:
        """Keep a fold, unless one that knows more is kept, or its key says nothing of what it rests on."""
        known = self._folds.get(key)
        if not key.shared or (known is not None and known.head > fold.head):
            return
        self._weight += fold.weight - (known.weight if known is not None else 0)
        self._folds[key] = fold
        self._folds.move_to_end(key)
        if fold.own >= self._worth:
            self._heavy[key] = None
        while len(self._folds) > self._most or (self._weight > self._heaviest and len(self._folds) > 1):
            gone, oldest = self._folds.popitem(last=False)
            self._weight -= oldest.weight
            self._heavy.pop(gone, None)


def with_entries(criteria: Criteria, entries: Entries) -> Criteria:
    """Return the criteria that cover at least one of the entries."""
    if not criteria:
        return NO_CRITERIA
    by_tag = _by_tag(criteria)
    return frozenset([one for entry in entries for one in _covering(by_tag, entry)])


def inside(criteria: Criteria, entries: Entries) -> list[Recorded[Any]]:
    """Return the entries that at least one of the criteria covers."""
    if len(criteria) <= FEW:
        boundary: Boundary[Any] = Boundary(criteria)
        return [entry for entry in entries if boundary.covers(entry.event)]
    by_tag = _by_tag(criteria)
    return [entry for entry in entries if any(True for _ in _covering(by_tag, entry))]


def _by_tag(criteria: Iterable[Criterion]) -> Mapping[str, list[Criterion]]:
    """Return the criteria by one of the tags of each: what looks at an entry's tags need not try them all."""
    by_tag: defaultdict[str, list[Criterion]] = defaultdict(list)
    for one in criteria:
        by_tag[next(iter(one.tags), "")].append(one)
    return by_tag


def _covering(by_tag: Mapping[str, list[Criterion]], entry: Recorded[Any]) -> Iterable[Criterion]:
    name, tags = type(entry.event).__name__, frozenset(entry.event.tags())
    return (one for tag in ("", *tags) for one in by_tag.get(tag, ()) if one.covers(name, tags))
