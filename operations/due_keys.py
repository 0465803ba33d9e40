"""Keys whose destruction the log tells of: destroyed in the vault, once and again after every start.

The log says first that a date's key or a person's keys are destroyed, then they are. A crash between the two
loses nothing, as every destruction that the log holds is carried out again, and one that was carried out
changes nothing more. Which keys are a person's is what the log knew when it said so, however often it is
carried out: what came later is not ended by it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from commands.decider import AnyDecider, Command
from commands.erasure import ERASE_SUBJECT, EraseSubject, cases_of
from event_store.postgres import PostgresLog
from event_store.subjects import account_key
from events.privacy import RetentionKeyDestroyed, SubjectErased
from write_api.execute import settle


class DueKeys:
    """The keys that have to be destroyed; nothing is decided about them here."""

    together = False

    def __init__(self, log: PostgresLog) -> None:
        """Begin before the first event; `refresh` reads what stands in the log."""
        self._log = log
        self._read_to = 0

    def refresh(self) -> None:
        """Destroy the keys of what was appended since."""
        ending = {RetentionKeyDestroyed.__name__, SubjectErased.__name__}
        for page in self._log.pages(self._read_to, types=ending):
            for row in page:
                event = self._log.codec.revive(row).event
                if isinstance(event, RetentionKeyDestroyed):
                    self._log.codec.destroy(event.bucket)
                elif isinstance(event, SubjectErased):
                    for key in self._of_subject(event, row[0]):
                        self._log.codec.destroy(key)
                self._read_to = row[0]

    def _of_subject(self, event: SubjectErased, position: int) -> Iterable[str]:
        asked = EraseSubject(at=event.at, account=event.account)
        facts, _, _ = settle(self._log, ERASE_SUBJECT, asked, position)
        return (account_key(event.account), *cases_of(event.account, facts))

    def ready(self, now: datetime) -> Iterator[tuple[AnyDecider, Command]]:
        """Yield nothing: the decision stands in the log."""
        del now
        yield from ()

    def next_instant(self) -> datetime | None:
        """Return nothing: keys do not end by the passing of time alone."""
        return None
