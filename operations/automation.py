"""What the office does by itself when it falls due: fees, their reversal, offers of places and their lapse.

There are no timers to lose. Due times follow from events: what is due is read off the log, decided like any
command on the condition that nothing it rests on has moved, and appended. A second automation beside this
one, or this one after a crash, decides the same and finds it done: exactly once.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from threading import Event as Signal
from typing import Protocol

from commands.decider import AnyDecider, Command, Refusal
from commands.evidence import AUTOMATION
from event_store.postgres import PostgresLog
from events.envelope import Origin
from operations.checkpoint import Checkpoint
from operations.due_citations import DueCitations
from operations.due_keys import DueKeys
from operations.due_reviews import DueReviews
from operations.due_waitlists import DueWaitlists
from write_api.execute import InTurn
from write_api.identities import fresh_id

ORIGIN = Origin(AUTOMATION, AUTOMATION)
ROUNDS = 1000
"""How often acting may make something else due at the same instant before that is taken for a fault."""
RESTLESS = 20
"""How often the same may be due at one instant; where it still is, it is left alone, and all else goes on."""

FLOOD = 64
AT_ONCE = 6
"""Of so many wishes and more, this many are decided beside each other."""

type Wish = tuple[AnyDecider, Command]
"""What is to be decided, and by which rules."""

_LOG = logging.getLogger(__name__)


class Watch(Protocol):
    """One area that automation watches."""

    together: bool
    """Whether its wishes rest on the same facts, so that deciding them beside each other would hinder."""

    def refresh(self) -> None:
        """Read what was appended since."""

    def ready(self, now: datetime) -> Iterator[Wish]:
        """Yield what is to be decided by `now`."""

    def next_instant(self) -> datetime | None:
        """Return when something falls due next by the passing of time alone."""


class Automation:
    """Acts on what is due. One instance follows one log; it keeps nothing that the log does not hold."""

    def __init__(self, log: PostgresLog, checkpoint: Checkpoint | None = None) -> None:
        """Begin before the first event; what was reviewed up to the checkpoint is not reviewed again."""
        self._log, self._checkpoint = log, checkpoint
        self._in_turn = InTurn(log)
        self._done: Counter[str] = Counter()
        self._left_alone: set[str] = set()
        self._reviews = DueReviews(log, checkpoint.position if checkpoint else 0)
        self._watches: tuple[Watch, ...] = (
            DueKeys(log),
            self._reviews,
            DueCitations(log),
            DueWaitlists(log),
        )

    def act(self, now: datetime) -> int:
        """Do everything that is due by `now`, and what becomes due by doing it; return the events appended.

        Raises:
            LogUnavailable: if the log cannot be reached; acting again is safe.

        """
        total = 0
        self._done.clear()
        for _ in range(ROUNDS):
            done = sum(self._decide_all(watch, now) for watch in self._watches)
            if not done:
                if self._checkpoint is not None:
                    self._checkpoint.save(self._reviews.position)
                return total
            total += done
        raise RuntimeError(f"automation found no rest at {now.isoformat()}")

    def next_instant(self) -> datetime | None:
        """Return when something falls due next, on what `act` has read."""
        instants = [instant for watch in self._watches if (instant := watch.next_instant()) is not None]
        return min(instants, default=None)

    def run(self, stop: Signal) -> None:
        """Act for ever on the log's time: whenever something was appended, and at each due instant."""
        for _ in self._log.follow(self._log.head()):
            if stop.is_set():
                return
            appended = self.act(datetime.now(UTC))
            if appended:
                _LOG.info("automation appended %d events", appended)

    def _decide_all(self, watch: Watch, now: datetime) -> int:
        """Decide each in turn; a flood of them, as after an import, several at a time in one commit."""
        watch.refresh()
        wishes = watch.ready(now)
        if watch.together:
            return sum(self._decide(wish, self._in_turn) for wish in wishes)
        done = 0
        while some := list(islice(wishes, FLOOD)):
            if len(some) < FLOOD:
                done += sum(map(self._decide, some))
            else:
                with ThreadPoolExecutor(AT_ONCE) as pool:
                    done += sum(pool.map(self._decide, some))
        return done

    def _decide(self, wish: Wish, in_turn: InTurn | None = None) -> int:
        decider, command = wish
        named = f"{type(command).__name__} {command.model_dump_json(exclude={'at'})}"
        if named in self._left_alone:
            return 0
        deciding = in_turn or InTurn(self._log)
        try:
            outcome = deciding.execute(decider, command, fresh_id(), ORIGIN)
        except Refusal as refusal:
            _LOG.info("%s was not due after all: %s", type(command).__name__, refusal.detail)
            return 0
        if outcome.events:
            self._note(named)
        return len(outcome.events)

    def _note(self, named: str) -> None:
        """Leave alone what does not come to rest, until the next start: one case must not stop the others."""
        self._done[named] += 1
        if self._done[named] >= RESTLESS:
            self._left_alone.add(named)
            _LOG.error("%s was done %d times at one instant and is still due; left alone", named, RESTLESS)
