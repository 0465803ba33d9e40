"""Every question that is answered from the read models, asynchronously; what an event loop asks is gathered.

Each answer carries `as_of`, what it rests on. `known` asks by what was known at a position or an instant;
`at_least` waits for a position, such as the one that one's own write answered with.
"""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from event_store.codec import Codec
from projections.device_list import DeviceList, device_list
from projections.gathering import Gathering, Lane, Lanes
from projections.health import Health, healths
from projections.listings import (
    Listing,
    PlatePage,
    appeals_queue,
    citations_written,
    permits_of,
    plate_page,
    resolved,
    zones,
)
from projections.occupancy import MODELS, Occupancy, occupancy
from projections.parking import request_retry
from projections.progress import NotYet, Progress
from projections.timeline import Timeline, TimelineDesk
from projections.validity_answers import Question, ValidityAnswer, ValidityDesk, now

PATIENCE = 2.0
"""Seconds that `at_least` is waited for."""

__all__ = ["PATIENCE", "Lookups", "NotYet"]


class Lookups:
    """The questions of one process to the read models of one database."""

    def __init__(self, dsn: str, *, codec: Codec | None = None, patience: float = PATIENCE) -> None:
        """Connect when first asked; wait `patience` seconds for a position."""
        codec = codec or Codec.of(dsn)
        self._patience = patience
        self._lane = Lane(dsn)
        self._pages = Lanes(dsn)
        self.progress = Progress(dsn)
        """How far each read model is, for those who follow them."""
        self._validity = Gathering(self._lane, ValidityDesk(codec).answer)
        self._timelines = TimelineDesk(codec)
        self._health = Gathering(self._pages, healths)

    async def validity(
        self,
        plate: str,
        zone: str,
        at: datetime | None = None,
        known: int | datetime | None = None,
        at_least: int | None = None,
    ) -> ValidityAnswer:
        """Return whether the vehicle may stand in the zone, and by which right, until when.

        Raises:
            NotYet: if the model is not where it has to be for the answer, in time.
            Unavailable: if the database cannot be reached.

        """
        await self.reach("validity", at_least)
        question = Question(plate, zone, at or now(), known)
        answer = await self._validity.ask(question)
        if answer.known is not None and answer.known > answer.as_of.position:
            await self.reach("validity", answer.known)
            answer = await self._validity.ask(question)
        return answer

    async def retry(self, model: str, key: str | None = None) -> list[str]:
        """Ask whoever runs a model to try a parked key (all of them) again; return those that will be."""
        return await self._pages.ask(lambda connection: request_retry(connection, model, key))

    async def health(self) -> Health:
        """Return how far behind the models are, how alive who runs them, and which keys are parked.

        Raises:
            Unavailable: if the database cannot be reached.

        """
        return await self._health.ask(None)

    async def timeline(
        self,
        *,
        citation: str | None = None,
        plate: str | None = None,
        known: int | datetime | None = None,
    ) -> Timeline:
        """Return the timeline of a citation, or else of a vehicle; it is read from the log and never behind.

        Raises:
            Unavailable: if the database cannot be reached.

        """
        return await self._pages.ask(
            lambda connection: self._timelines.tell(connection, citation=citation, plate=plate, known=known)
        )

    async def plate(
        self, plate: str, known: int | datetime | None = None, at_least: int | None = None
    ) -> PlatePage:
        """Return a plate's rights, sightings, citations and watchlist entries."""
        await self._reach_all(("validity", "sightings", "citations", "watchlist"), at_least, known)
        return await self._pages.ask(lambda connection: plate_page(connection, plate, known))

    async def occupancy(
        self, zone: str, at: datetime, known: int | datetime | None = None, at_least: int | None = None
    ) -> Occupancy:
        """Return how full a zone is at an instant."""
        await self._reach_all(tuple(MODELS), at_least, known)
        return await self._pages.ask(lambda connection: occupancy(connection, zone, at, known))

    async def appeals(
        self, known: int | datetime | None = None, at_least: int | None = None, *, closed: bool = False
    ) -> Listing:
        """Return the dispute desk's queue, what is due first at its head."""
        await self._reach_all(("appeals",), at_least, known)
        return await self._pages.ask(lambda connection: appeals_queue(connection, known, closed=closed))

    async def citations(
        self,
        known: int | datetime | None = None,
        at_least: int | None = None,
        *,
        plates: Sequence[str] | None = None,
        most: int = 50,
    ) -> Listing:
        """Return the citations (of these plates, if any are named) that were written last, newest first."""
        await self._reach_all(("citations",), at_least, known)
        return await self._pages.ask(lambda connection: citations_written(connection, known, plates, most))

    async def permits_of(
        self, account: str, known: int | datetime | None = None, at_least: int | None = None
    ) -> Listing:
        """Return the permits of an account."""
        await self._reach_all(("permits",), at_least, known)
        return await self._pages.ask(lambda connection: permits_of(connection, account, known))

    async def device_list(
        self, at: datetime, zones: Sequence[str] | None = None, version: int | None = None
    ) -> DeviceList:
        """Return what a device takes along for work without signal, in these zones or in all.

        With a version, the list as it was then.
        """
        return await self._pages.ask(lambda connection: device_list(connection, at, zones, version))

    async def zones(self, known: int | datetime | None = None, at_least: int | None = None) -> Listing:
        """Return all zones."""
        await self._reach_all(("zones",), at_least, known)
        return await self._pages.ask(lambda connection: zones(connection, known))

    async def _reach_all(
        self, models: Sequence[str], at_least: int | None, known: int | datetime | None
    ) -> None:
        """Wait until the models hold what is asked for, and what is asked about as far as the log goes."""
        needed = at_least
        if known is not None:
            head, upto = await self._pages.ask(lambda connection: resolved(connection, known))
            needed = max(at_least or 0, min(head, upto))
        for model in models:
            await self.reach(model, needed)

    async def reach(self, model: str, position: int | None) -> None:
        """Wait until the model has come to a position, if one is asked for.

        Raises:
            NotYet: if it has not in time.

        """
        if position is not None and self.progress.position(model) < position:
            await self.progress.wait(model, position, self._patience)

    def close(self) -> None:
        """Let go of the connections."""
        self._lane.close()
        self._pages.close()
        self.progress.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()
