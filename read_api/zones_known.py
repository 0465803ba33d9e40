"""Which zones exist: a mistyped zone must not be answered as if no right held there."""

import asyncio

from event_store.log import Log
from events.boundary import on
from events.zones import ZoneOpened
from operations.problems import Problem


class Zones:
    """Remembers the zones that were found in the log. A zone that was opened once exists for ever."""

    def __init__(self, log: Log) -> None:
        """Know none yet."""
        self._log = log
        self._found: set[str] = set()

    async def demand(self, zone: str) -> None:
        """Let pass a zone that was opened.

        Raises:
            Problem: 404, if none of that name was.
            LogUnavailable: if it is not known yet and the log cannot be reached.

        """
        if zone in self._found:
            return
        if not await asyncio.to_thread(self._opened, zone):
            raise Problem(404, "No such zone", f"There is no zone {zone!r}.", rule="NoSuchZone")
        self._found.add(zone)

    def _opened(self, zone: str) -> bool:
        return bool(self._log.read(on(ZoneOpened, zone=zone), limit=1).entries)
