"""Which plates a right carries, and which of them are active, at every instant of its life.

The active plates are those last selected, at most `max_active`, each from the occurred time of its
selection; as many plates as may be active are active without one. A plate that is active because it is the
only one stays so when another is added, until that other is selected.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from itertools import groupby

from commands.right_facts import ALWAYS, Fact, Right
from events.vocabulary import parse_plate

type Span = tuple[datetime, datetime | None, str]
"""`[start, end)` and how it ended; `None` is open."""


@dataclass(frozen=True, slots=True)
class _Move:
    """One change to the plates: `plate` takes the place of `wrong` where one is named."""

    since: datetime
    what: str
    order: int
    plate: str
    wrong: str | None = None
    carries: bool = True


@dataclass(slots=True)
class _Plates:
    """The sweep over the moves: what is carried, who was selected (last one last), who is active."""

    max_active: int
    carried: dict[str, tuple[int, bool, str]] = field(default_factory=dict)
    chosen: list[str] = field(default_factory=list)
    awaited: str | None = None
    """Selected last, though the right does not carry it yet."""

    def on(self) -> list[str]:
        return sorted(plate for plate, (_, carries, _) in self.carried.items() if carries)

    def carry(self, move: _Move) -> None:
        """Let the fact that occurred last decide, whichever arrived last."""
        last = self.carried.get(move.plate)
        if last is None or move.order >= last[0]:
            self.carried[move.plate] = (move.order, move.carries, move.what)

    def replace(self, move: _Move) -> None:
        if move.wrong in self.chosen:
            self.chosen = [move.plate if p == move.wrong else p for p in self.chosen if p != move.plate]

    def select(self, plate: str) -> None:
        self.awaited = None if plate in self.on() else plate
        if self.awaited is None:
            self.chosen = [*(p for p in self.chosen if p != plate), plate][-self.max_active :]

    def settle(self) -> frozenset[str]:
        """Return the active plates, and remember those that are so without a selection as chosen."""
        carried = self.on()
        if self.awaited in carried:
            self.select(self.awaited)
        if len(carried) <= self.max_active:
            unchosen = [plate for plate in carried if plate not in self.chosen]
            self.chosen = [*unchosen, *(plate for plate in self.chosen if plate in carried)]
        return frozenset(plate for plate in self.chosen if plate in carried)


def active_spans(right: Right, max_active: int = 1) -> dict[str, tuple[Span, ...]]:
    """Return, for each plate that was ever active, the spans in which it was, and how each ended.

    A span ends by `deselection`, `plate_removed` or `correction`; the last one of a plate may be open.
    """
    bought = [fact for fact in right.facts if fact.what == "bought"]
    if len(bought) == 1 and len(bought[0].plates) == 1 and not any(_moves_plates(f) for f in right.facts):
        return {bought[0].plates[0]: ((ALWAYS, None, ""),)}
    spans: dict[str, list[Span]] = {}
    began: dict[str, datetime] = {}
    for since, plates, active in _states(right, max_active):
        for plate in sorted(began.keys() - active):
            spans.setdefault(plate, []).append((began.pop(plate), since, _ended_by(plates, plate)))
        for plate in active - began.keys():
            began[plate] = since
    for plate, start in began.items():
        spans.setdefault(plate, []).append((start, None, ""))
    return {plate: tuple(found) for plate, found in sorted(spans.items())}


def plates_at(right: Right, at: datetime, max_active: int = 1) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the plates that the right carries at the instant, and those of them that are active; sorted."""
    carried: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    for since, plates, now in _states(right, max_active):
        if since > at:
            break
        carried, active = tuple(plates.on()), tuple(sorted(now))
    return carried, active


def carried_plates(right: Right) -> dict[str, tuple[tuple[datetime, datetime | None], ...]]:
    """Return, for each plate that the right ever carried, the spans in which it did, active or not."""
    return {
        plate: tuple((start, end) for start, end, _ in spans)
        for plate, spans in active_spans(right, max_active=1_000_000).items()
    }


def _moves_plates(fact: Fact) -> bool:
    return fact.what in {"added", "removed", "corrected", "selected"}


def _ended_by(plates: _Plates, plate: str) -> str:
    _, carries, what = plates.carried[plate]
    if carries:
        return "deselection"
    return "correction" if what == "corrected" else "plate_removed"


def _states(right: Right, max_active: int) -> Iterator[tuple[datetime, _Plates, frozenset[str]]]:
    """Yield the plates after each instant at which any of them changed; one object, changed in place."""
    plates = _Plates(max_active)
    moves = sorted(_moves(right), key=lambda move: (move.since, move.what == "selected", move.order))
    for since, changes in groupby(moves, key=lambda move: move.since):
        for move in changes:
            if move.what == "selected":
                plates.select(move.plate)
            else:
                plates.carry(move)
                plates.replace(move)
        yield since, plates, plates.settle()


def _moves(right: Right) -> Iterator[_Move]:
    facts = right.facts
    mistaken = {fact.corrects for fact in facts if fact.what == "corrected"}
    replaced = {order: _wrong(fact, facts) for order, fact in enumerate(facts) if fact.what == "corrected"}
    for order, fact in enumerate(facts):
        match fact.what:
            case "bought":
                yield from (_Move(ALWAYS, "bought", order, plate) for plate in fact.plates)
            case "added" | "removed":
                yield _Move(fact.since, fact.what, order, fact.plates[0], carries=fact.what == "added")
            case "corrected":
                yield from _corrections(fact, order, replaced[order], facts)
            case "selected" if fact.position not in mistaken:
                yield _Move(fact.since, "selected", order, _right_plate(fact, facts, replaced))
            case _:
                pass


def _corrections(fact: Fact, order: int, wrong: str | None, facts: Iterable[Fact]) -> Iterator[_Move]:
    """Yield what a correction changes: the right plate is carried, and the wrong one is not.

    A correction of a selection leaves the plate that was selected on the permit, and selects the right one.
    """
    plate = fact.plates[0]
    yield _Move(fact.since, "corrected", order, plate, wrong)
    if any(f.what == "selected" and f.position == fact.corrects for f in facts):
        yield _Move(fact.since, "selected", order, plate)
    elif wrong is not None and wrong != plate:
        yield _Move(fact.since, "corrected", order, wrong, carries=False)


def _right_plate(selected: Fact, facts: tuple[Fact, ...], replaced: dict[int, str | None]) -> str:
    """Return the plate that a selection meant: the right one, where it named a mistaken one."""
    plate = selected.plates[0]
    for order, wrong in replaced.items():
        if wrong == plate and facts[order].since <= selected.since:
            plate = facts[order].plates[0]
    return plate


def _wrong(correction: Fact, facts: tuple[Fact, ...]) -> str | None:
    """Return the plate that a correction replaces: named by itself, or by the event that got it wrong.

    Where that event named several plates, the one that is spelt most like the right one was the mistake;
    where nothing is named, it was the only plate of the permit.
    """
    right, corrects = correction.plates[0], correction.corrects
    if isinstance(corrects, str):
        named = _plate(corrects)
        if any(named in fact.plates for fact in facts if fact.what in {"bought", "added", "corrected"}):
            return named
    said = [fact.plates for fact in facts if fact.position == corrects and fact.plates]
    if said:
        return max(said[0], key=lambda plate: (SequenceMatcher(None, plate, right).ratio(), plate))
    carried = {plate for fact in facts if fact.what in {"bought", "added"} for plate in fact.plates}
    return next(iter(carried)) if len(carried) == 1 and right not in carried else None


def mistaken_plate(right: Right, position: int) -> str | None:
    """Return the plate that the correction at a position of the log found on the right by mistake."""
    facts = right.facts
    corrections = (f for f in facts if f.what == "corrected" and f.position == position)
    return next((_wrong(fact, facts) for fact in corrections), None)


def _plate(text: str) -> str | None:
    try:
        return parse_plate(text)
    except ValueError:
        return None
