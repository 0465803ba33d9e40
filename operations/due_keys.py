"""Keys whose destruction the log tells of: destroyed in the vault, once and again after every start.

The log says first that a key is destroyed, then the key is. A crash between the two loses nothing, as every
destruction that the log holds is carried out again, and one that was carried out changes nothing more.
"""

from collections.abc import Iterator
from datetime import datetime

from commands.decider import AnyDecider, Command
from event_store.postgres import PostgresLog
from events.privacy import RetentionKeyDestroyed


class DueKeys:
    """The keys that have to be destroyed; nothing is decided about them here."""

    def __init__(self, log: PostgresLog) -> None:
        """Begin before the first event; `refresh` reads what stands in the log."""
        self._log = log
        self._read_to = 0

    def refresh(self) -> None:
        """Destroy the keys of what was appended since."""
        for page in self._log.pages(self._read_to, types={RetentionKeyDestroyed.__name__}):
            for row in page:
                event = self._log.codec.revive(row).event
                if isinstance(event, RetentionKeyDestroyed):
                    self._log.codec.destroy(event.bucket)
                self._read_to = row[0]

    def ready(self, now: datetime) -> Iterator[tuple[AnyDecider, Command]]:
        """Yield nothing: the decision stands in the log."""
        del now
        yield from ()

    def next_instant(self) -> datetime | None:
        """Return nothing: keys do not end by the passing of time alone."""
        return None
