"""Projections on their way along the log: those at one position read together and commit together.

A page of the log is read and revived once for all of them, and what they make of it is written in one
transaction with their positions. So models that have caught up are always answers about the same position.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection

from event_store.tracing import now, projected
from events.envelope import Recorded
from projections.cells import Broken, Entry
from projections.changes import Changes
from projections.fold import Fold
from projections.history import LogReader, Page, Stored
from projections.parking import parked_keys
from projections.projection import Projection
from projections.redacting import redacting
from projections.writing import Move, commit

_OF_THE_DATA = {"22", "23"}
"""Classes of SQLSTATE by which rows are refused for what they hold; any other speaks of the whole model."""


class Traveller:
    """A projection with its fold and the position that it has come to."""

    def __init__(self, projection: Projection, position: int, parked: dict[str, int]) -> None:
        """Stand at `position`."""
        self.projection = projection
        self.position = position
        self.fold = Fold(projection, parked, complete=position == 0)

    @classmethod
    def found(cls, connection: Connection[Any], projection: Projection) -> "Traveller":
        """Return the projection where its last commit left it."""
        row = connection.execute(
            "SELECT position FROM views.progress WHERE (name, version, build) = (%s, %s, %s)",
            projection.identity,
        ).fetchone()
        if row is None:
            raise LookupError(f"the read model {projection.label} has no tables; create them first")
        return cls(projection, row[0], parked_keys(connection, projection))


@dataclass(frozen=True, slots=True)
class Stalled:
    """A projection that could not go on as a whole, and why."""

    traveller: Traveller
    error: str


class Convoy:
    """Moves projections along the log over one connection."""

    def __init__(self, connection: Connection[Any], page_size: int) -> None:
        """Read and write over `connection`, at most `page_size` positions at a time."""
        self._connection = connection
        self._reader = LogReader(connection)
        self.page_size = page_size

    def step(
        self, travellers: Sequence[Traveller], size: int | None = None
    ) -> tuple[bool, Sequence[Stalled]]:
        """Move projections that stand at the same position by one page, of `size` positions at most.

        Returns whether the page was full, so that there may be more, and the projections that could not be
        moved at all.
        """
        position = travellers[0].position
        size = min(size or self.page_size, self.page_size)
        types = sorted({name for traveller in travellers for name in traveller.projection.types})
        page = self._reader.page(position, size, types)
        if page is None:
            return False, ()
        full = page.upto == position + size
        try:
            self._move(travellers, page)
        except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
            raise
        except Exception:  # noqa: BLE001 - found again below, and shown where it belongs
            return full, self._one_by_one(travellers, page)
        return full, ()

    def _move(self, travellers: Sequence[Traveller], page: Page) -> None:
        old, began = travellers[0].position, now()
        missing = set[str]().union(*(traveller.fold.missing(page.entries) for traveller in travellers))
        untouched = self._reader.untouched(missing, old)
        changes: dict[str, tuple[Projection, Changes]] = {}
        for traveller in travellers:
            projection = traveller.projection
            source = Stored(self._connection, projection, old, untouched)
            changes[projection.label] = (projection, traveller.fold.apply(page.entries, source))
        try:
            with redacting(self._connection, [t.projection for t in travellers], page.entries):
                commit(self._connection, Move(old, page.upto, page.recorded), changes)
        except BaseException:
            self._go_back(travellers)
            raise
        for traveller in travellers:
            traveller.position = page.upto
        models = " ".join(traveller.projection.name for traveller in travellers)
        projected(began, (e.correlation for e in page.entries if isinstance(e, Recorded)), models, page.upto)

    def _go_back(self, travellers: Iterable[Traveller]) -> None:
        """Forget what was folded and not committed."""
        for traveller in travellers:
            traveller.fold.forget()
            if not self._connection.closed:
                traveller.fold.parked = parked_keys(self._connection, traveller.projection)

    def _one_by_one(self, travellers: Sequence[Traveller], page: Page) -> Sequence[Stalled]:
        """Move each projection for itself: the database refused what one of them wrote."""
        stalled: list[Stalled] = []
        for traveller in travellers:
            try:
                self._move([traveller], page)
            except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
                raise
            except Exception:  # noqa: BLE001 - found again below, and shown where it belongs
                stalled += self._event_by_event(traveller, page)
        return stalled

    def _event_by_event(self, traveller: Traveller, page: Page) -> Sequence[Stalled]:
        """Move a projection event by event, and park the keys of those whose rows cannot be written."""
        for entry in page.entries:
            try:
                self._move([traveller], Page(entry.position, page.recorded, [entry]))
            except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
                raise
            except Exception as refused:  # noqa: BLE001 - whatever it is, it is shown
                stalled = self._park(traveller, entry, page, refused)
                if stalled:
                    return [stalled]
        if traveller.position < page.upto:
            self._move([traveller], Page(page.upto, page.recorded, ()))
        return ()

    def _park(
        self, traveller: Traveller, entry: Entry | Broken, page: Page, refused: Exception
    ) -> Stalled | None:
        """Park the keys of an entry that is to blame; return why the model cannot go on, if it cannot."""
        if isinstance(refused, psycopg.Error) and (refused.sqlstate or "22")[:2] not in _OF_THE_DATA:
            return Stalled(traveller, f"{type(refused).__name__}: {refused}")
        try:
            self._move([traveller], Page(entry.position, page.recorded, [_refused(entry, refused)]))
        except (psycopg.OperationalError, psycopg.errors.SerializationFailure):
            raise
        except Exception as error:  # noqa: BLE001 - it is shown as the reason why the whole model stands still
            return Stalled(traveller, f"{type(error).__name__}: {error}")
        return None


def _refused(entry: Entry | Broken, error: Exception) -> Broken:
    """Return an entry whose rows cannot be written as one that parks its keys."""
    if isinstance(entry, Broken):
        return entry
    reason = f"its rows cannot be written: {type(error).__name__}: {error}"
    return Broken(entry.position, type(entry.event).__name__, entry.event.tags(), reason)
