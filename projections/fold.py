"""The fold of a projection, in memory: entries in, changes of rows out.

Every entry is folded into the things it touches, and each rooted thing whose fold or whose neighbours moved
is drawn again: rows that are gone are closed at the entry's position, rows that are new are opened there.
Because rows are compared after every entry, the result does not depend on how the log was cut into batches.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from projections.cells import Broken, Cell, Cells, Entry
from projections.changes import Changes, OpenRow, Parked
from projections.projection import Projection
from projections.table import OPEN


class Source(Protocol):
    """Where the fold of a thing that is not in memory is read back from."""

    def history(self, keys: Sequence[str]) -> Sequence[Entry | Broken]:
        """Return the projection's entries that touch any of the keys, up to its position."""
        ...

    def open_rows(self, keys: Sequence[str]) -> Iterable[OpenRow]:
        """Return the rows of the keys that nothing has superseded."""
        ...


class Nowhere:
    """The source of a fold that began at the beginning: what is not in memory was never touched."""

    def history(self, keys: Sequence[str]) -> Sequence[Entry | Broken]:
        """Return nothing."""
        del keys
        return ()

    def open_rows(self, keys: Sequence[str]) -> Iterable[OpenRow]:
        """Return nothing."""
        del keys
        return ()


def closure(cells: Cells, source: Source, keys: set[str]) -> tuple[set[str], Sequence[Entry | Broken]]:
    """Return the keys, their neighbours and the neighbours of these, and all entries that touch them.

    What is in `cells` already is not asked for again; what its rows follow from and was let go of, is.
    """
    missing = keys
    asked: set[str] = set()
    found: dict[int, Entry | Broken] = {}
    while missing:
        asked |= missing
        part = source.history(sorted(missing))
        found.update((entry.position, entry) for entry in part)
        near = {key for entry in part for key in cells.keys_of(entry)}
        missing = ({key for key in near if key not in cells} | _let_go(cells, near)) - asked
    return asked, [found[position] for position in sorted(found)]


def _let_go(cells: Cells, keys: Iterable[str]) -> set[str]:
    """Return what the rows of those of the keys that are in memory follow from and that is there no more."""
    there = [cell for key in keys if (cell := cells.get(key)) is not None and key.startswith(cells.roots)]
    return {near for cell in there for near in cell.neighbours if near not in cells}


class Fold:
    """A projection's things as far as they are in memory. Not for several threads at once."""

    def __init__(
        self,
        projection: Projection,
        parked: Mapping[str, int] | None = None,
        *,
        complete: bool = False,
        cells: Cells | None = None,
    ) -> None:
        """Begin with nothing in memory; `complete` tells that nothing was folded before, either.

        `parked` holds the parked keys, each with the position of the event that it stands still at. `cells`
        are those of a share, where several programs share the keys.
        """
        self.projection = projection
        self.complete = complete
        self.parked = dict(parked or {})
        self._cells = Cells(projection) if cells is None else cells

    def apply(self, entries: Sequence[Entry | Broken], source: Source) -> Changes:
        """Fold a batch in order and return what it changes; `source` is asked for what is not in memory."""
        keys_of = self._cells.keys_of
        touched = [(entry, keys) for entry in entries if (keys := keys_of(entry))]
        if not self.complete and touched:
            self._bring_back({key for _, keys in touched for key in keys}, source)
        batch = _Batch(self.projection, self._cells, self.parked)
        for entry, keys in touched:
            if isinstance(entry, Broken):
                batch.park_all(entry, keys)
            else:
                batch.fold(entry, keys)
        self._make_room()
        return batch.changes

    def missing(self, entries: Sequence[Entry | Broken]) -> set[str]:
        """Return the keys that a batch touches and that are not in memory."""
        if self.complete:
            return set()
        return {key for entry in entries for key in self._cells.keys_of(entry) if key not in self._cells}

    def forget(self) -> None:
        """Empty the memory, after a batch that was not committed or when there is too much of it."""
        self._cells.clear()
        self.complete = False

    def _make_room(self) -> None:
        """Let go of what came into memory first, half of it, when there is too much."""
        if len(self._cells) > self.projection.kept:
            for key in list(islice(self._cells, len(self._cells) - self.projection.kept // 2)):
                del self._cells[key]
            self.complete = False

    def _bring_back(self, touched: set[str], source: Source) -> None:
        """Read the touched things that are not in memory, and their neighbours, back from the source."""
        cells = self._cells
        touched.update(cells.common_keys)
        missing = {key for key in touched if key not in cells}
        drawn = {near for key in touched - missing for near in cells[key].redraw}
        missing.update(near for near in drawn if near not in cells)
        missing |= _let_go(cells, drawn)
        asked, entries = closure(cells, source, missing)
        for key in sorted(asked):  # in the same order every time, so that the same is let go of
            cells[key]
        for entry in entries:
            self._remember(entry, asked)
        for row in source.open_rows(sorted(key for key in asked if key.startswith(cells.roots))):
            cells[row.key].rows[row.values] = (row.known_from, row.part)

    def _remember(self, entry: Entry | Broken, asked: set[str]) -> None:
        """Fold an entry of the past into the things that were asked for, without drawing rows."""
        if isinstance(entry, Broken):
            return  # its keys are parked there
        keys = self._cells.keys_of(entry)
        for key in keys:
            if key not in asked:
                continue
            cell = self._cells[key]
            if not cell.passive:
                self._cells.meet(key, cell, keys)
            stands_at = self.parked.get(key)
            if type(entry.event) in cell.types and (stands_at is None or entry.position < stands_at):
                cell.state = cell.evolve(cell.state, entry)


class Whole:
    """The fold of a log from its beginning, with all that it comes to as one batch.

    A row that opened and closed meanwhile stands in `changes.opened` closed, so these are the whole table.
    """

    def __init__(self, projection: Projection) -> None:
        """Begin with nothing."""
        self._cells = Cells(projection)
        self._batch = _Batch(projection, self._cells, {})

    @property
    def changes(self) -> Changes:
        """What the entries so far come to."""
        return self._batch.changes

    def take(self, entries: Sequence[Entry | Broken]) -> None:
        """Fold the next entries of the log, in order."""
        keys_of, fold = self._cells.keys_of, self._batch.fold
        for entry in entries:
            keys = keys_of(entry)
            if not keys:
                continue
            if isinstance(entry, Broken):
                self._batch.park_all(entry, keys)
            else:
                fold(entry, keys)


class _Batch:
    """One batch on its way through the fold."""

    def __init__(self, projection: Projection, cells: Cells, parked: dict[str, int]) -> None:
        self.changes = Changes()
        self._rows = projection.rows
        self._cells = cells
        self._parked = parked
        self._fresh: dict[tuple[str, int, int], int] = {}

    def fold(self, entry: Entry, keys: Mapping[str, None]) -> None:
        """Fold an entry into the things that it touches, and draw those again that may look otherwise."""
        cells, parked, kind = self._cells, self._parked, type(entry.event)
        before: dict[str, Any] = {}
        redraw: dict[str, None] = {}
        together = len(keys) > 1
        for key in keys:
            cell = cells[key]
            if together and not cell.passive:
                cells.meet(key, cell, keys)
            if key in parked:
                self._wait(key)
                continue
            before[key] = cell.state
            if kind not in cell.types or self._evolve(key, cell, entry):
                for near in cell.redraw:
                    redraw[near] = None
        for key in redraw:
            try:
                if key not in parked:
                    self._draw(key, entry.position)
            except Exception as error:  # noqa: BLE001 - whatever it is, it stops this key only
                if key in before:
                    cells[key].state = before[key]
                self._park(key, entry, error)

    def _evolve(self, key: str, cell: Cell, entry: Entry) -> bool:
        try:
            cell.state = cell.evolve(cell.state, entry)
        except Exception as error:  # noqa: BLE001 - whatever it is, it stops this key only
            self._park(key, entry, error)
            return False
        return True

    def park_all(self, entry: Broken, keys: Iterable[str]) -> None:
        """Park all keys of an entry that could not be revived."""
        for key in keys:
            if key in self._parked:
                self._wait(key)
            else:
                self._parked[key] = entry.position
                self.changes.parked.append(Parked(key, entry.position, entry.wire_name, entry.error[:2000]))

    def _wait(self, key: str) -> None:
        self.changes.waiting[key] = self.changes.waiting.get(key, 0) + 1

    def _park(self, key: str, entry: Entry, error: Exception) -> None:
        self._parked[key] = entry.position
        reason = f"{type(error).__name__}: {error}"
        self.changes.parked.append(Parked(key, entry.position, type(entry.event).__name__, reason[:2000]))

    def _draw(self, key: str, position: int) -> None:
        """Compare the rows of a thing as they now follow with those that stand, and note the difference."""
        cell = self._cells[key]
        rows = dict.fromkeys(self._rows(cell.name, cell.state, self._cells.around(cell)))
        standing = cell.rows
        if rows.keys() == standing.keys():
            return
        opened = self.changes.opened
        for row in [row for row in standing if row not in rows] if standing else ():
            known_from, part = standing.pop(row)
            index = self._fresh.pop((key, known_from, part), None)
            if index is None:
                self.changes.closed.append((key, known_from, part, position))
            else:
                opened[index] = (key, known_from, part, position, *row)
        part = 0
        for row in rows:
            if row not in standing:
                standing[row] = (position, part)
                self._fresh[key, position, part] = len(opened)
                opened.append((key, position, part, OPEN, *row))
                part += 1
