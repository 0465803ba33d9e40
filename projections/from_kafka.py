"""Read models kept by a consumer group: as many projectors as there are share the keys among them.

Partitions of the topic `work` are shares of every read model. What a share's events change is committed
together with its position, on the condition that it still is where this projector left it. Nothing rests on
what Kafka remembers: a message that was seen is passed over, one that never came is made up for from the log,
and of two projectors that believe to have the same share only one can commit.
"""

import logging
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import Connection

from event_store import streams
from event_store.brokers import Access, BrokerUnavailable, member_of, using
from event_store.codec import Codec
from event_store.relay import Relay
from event_store.topics import WORK, Topics
from projections.connection import connect
from projections.convoy import Stalled
from projections.locking import lock_shared, unlock_shared
from projections.parking import requested, retry
from projections.projection import Projection
from projections.routing import known_by, share_of
from projections.runner import ALIVE, GONE, POLL, STALL, STALLED_FOR
from projections.schema import ensure, following
from projections.shares import OtherShares, Share, ShareConvoy, found
from projections.taking_over import take_over
from projections.work import Work, read_work, routing

GROUP = "projectors"
PAGE_SIZE = 4_000
LISTEN = 200
"""Milliseconds that a look for work waits at most."""
_BACK_OFF = (0.1, 0.2, 0.5, 1.0)
_LOG = logging.getLogger(__name__)

_ROUTED = "SELECT position FROM streams.programs WHERE service = 'router' AND name = %s"
_LOCKED = "SELECT position FROM views.progress WHERE (name, version, build) = (%s, %s, %s) FOR UPDATE"
_UNLEVEL = "SELECT FROM views.shares WHERE (name, version, build) = (%s, %s, %s) AND position <> %s"
_RENEW = "UPDATE views.shares SET epoch = epoch + 1 WHERE (name, version, build) = (%s, %s, %s)"


class FromKafka:
    """One projector of the group; runs until it is stopped."""

    def __init__(
        self,
        dsn: str,
        access: Access,
        topics: Topics,
        projections: Sequence[Projection],
        *,
        codec: Codec | None = None,
    ) -> None:
        """Run these projections on the database of `dsn`."""
        self._dsn, self._access, self._topics = dsn, access, topics
        self._projections = projections
        self._codec = codec
        self._stopped = Flag()
        self._router = Relay(dsn, access, topics, routing(projections))
        self._trouble: str | None = None
        self.identity = uuid4()

    def stop(self) -> None:
        """Finish the page at hand and end `run` within about a second."""
        self._stopped.set()
        self._router.stop()

    def run(self) -> None:
        """Take part until `stop`; whatever fails is said once, and tried again for as long as it takes."""
        from kafka.errors import KafkaError  # noqa: PLC0415 - see event_store.brokers

        router: Thread | None = None
        failures = 0
        while not self._stopped.is_set():
            try:
                ensure(self._dsn, self._projections)
                with psycopg.connect(self._dsn, autocommit=True) as connection:
                    streams.ensure(connection)
                if router is None:
                    router = Thread(target=self._router.run, name="parkledger-router", daemon=True)
                    router.start()
                self._take_part()
                failures = 0
            except (BrokerUnavailable, KafkaError, OtherShares, psycopg.Error) as wrong:
                failures = failures + 1 if self._trouble else 1
                self._say(str(wrong).strip())
                self._stopped.wait(_BACK_OFF[min(failures, len(_BACK_OFF)) - 1])
        if router is not None:
            router.join(5)

    def _say(self, trouble: str | None) -> None:
        if trouble and trouble != self._trouble:
            _LOG.warning("the projector waits: %s", trouble)
        self._trouble = trouble

    def _take_part(self) -> None:
        from kafka import KafkaConsumer  # noqa: PLC0415

        self._topics.ensure(self._access, (WORK,))
        group = member_of(self._topics.group(GROUP))
        with (
            using(KafkaConsumer, self._access, **group) as consumer,
            closing(connect(self._dsn, name="parkledger projector", then=_asynchronous)) as connection,
        ):
            consumer.subscribe([self._topics.name(WORK)])
            session = _Session(self, connection, self._topics, self._codec)
            session.shares_of = len(consumer.partitions_for_topic(self._topics.name(WORK)) or ())
            session.look_after(idle=False)
            try:
                self._work(consumer, session)
            finally:
                session.close()
                with suppress(Exception):  # what was not committed comes again
                    consumer.commit(timeout_ms=3_000)

    def _work(self, consumer: Any, session: "_Session") -> None:
        while not self._stopped.is_set():
            polled = consumer.poll(timeout_ms=LISTEN)
            session.keep_to({one.partition for one in consumer.assignment()})
            session.take(
                (record.partition, read_work(record.value)) for part in polled.values() for record in part
            )
            if polled:
                consumer.commit_async()
            session.look_after(idle=not polled)
            self._say(None)

    @property
    def projections(self) -> Sequence[Projection]:
        """What it runs."""
        return self._projections


class _Session:
    """What a projector does over one connection, which also holds its part of the lock of each build."""

    def __init__(
        self, projector: FromKafka, connection: Connection[Any], topics: Topics, codec: Codec | None
    ) -> None:
        self._projector = projector
        self._connection = connection
        self._topics, self._codec = topics, codec or Codec.over(connection)
        self._convoy = ShareConvoy(connection, PAGE_SIZE)
        self._builds: dict[str, Projection] = {}
        self._mine: set[int] = set()
        self._shares: list[Share] = []
        self._stalled: dict[str, float] = {}
        self._alive_at = 0.0
        self.shares_of = 0

    def close(self) -> None:
        """Tell that nobody is here any more."""
        with suppress(psycopg.Error):
            self._connection.execute(GONE, [self._projector.identity])

    def keep_to(self, mine: set[int]) -> None:
        """Keep to the shares that the group gave to this projector."""
        if mine != self._mine:
            self._mine = mine
            self._load()

    def _load(self) -> None:
        """Begin anew with what was committed last."""
        self._shares = [
            share
            for build in self._builds.values()
            for share in found(self._connection, build, self.shares_of, self._mine, self._codec)
        ]

    def take(self, told: Iterable[tuple[int, Work]]) -> None:
        """Move the shares by the pages that they were told of, those that go the same way together."""
        pages: dict[int, dict[int, Work]] = {}
        for partition, work in told:
            pages.setdefault(work.upto, {})[partition] = work
        try:
            for upto in sorted(pages):
                self._page(upto, pages[upto])
        except psycopg.errors.SerializationFailure:
            self._load()  # another projector was here; what is missing is made up for

    def _page(self, upto: int, works: Mapping[int, Work]) -> None:
        together: dict[int, list[Share]] = {}
        for share in self._going():
            work = works.get(share.share)
            if work is None or share.position >= upto:
                continue
            name = known_by(share.projection)
            if share.position < work.after or name not in work.routed:
                self._note(self._convoy.bring(share, upto))
                continue
            share.wanted = frozenset(p for p in work.of.get(name, ()) if p > share.position)
            together.setdefault(share.position, []).append(share)
        for shares in together.values():
            self._note(self._convoy.take(shares, upto))

    def _going(self) -> list[Share]:
        now = monotonic()
        return [s for s in self._shares if self._stalled.get(s.projection.label, 0.0) <= now]

    def _note(self, stalled: Iterable[Stalled]) -> None:
        for one in stalled:
            projection = one.traveller.projection
            self._stalled[projection.label] = monotonic() + STALLED_FOR
            self._connection.execute(STALL, [one.error[:2000], *projection.identity])

    def look_after(self, *, idle: bool) -> None:
        """Every second: prove to be alive, follow switches of builds, make up for what was not told."""
        if monotonic() - self._alive_at < POLL:
            return
        self._sort_out()
        labels = list(self._builds) if self._mine else []
        self._connection.execute(ALIVE, [self._projector.identity, labels, platform.node(), os.getpid()])
        self._alive_at = monotonic()
        try:
            self._try_again()
            if idle:
                self._make_up()
            for build in self._builds.values():
                take_over(self._connection, build)
        except psycopg.errors.SerializationFailure:
            self._load()

    def _sort_out(self) -> None:
        """Take part in the builds that follow the log now, unless somebody has one alone."""
        builds = {b.label: b for p in self._projector.projections for b in following(self._connection, p)}
        changed = False
        for label in [label for label in self._builds if label not in builds]:
            unlock_shared(self._connection, self._builds.pop(label))
            changed = True
        for label, build in builds.items():
            if label not in self._builds and lock_shared(self._connection, build):
                self._builds[label] = build
                changed = True
        if changed:
            self._load()

    def _make_up(self) -> None:
        """Bring forward what was routed and never told: its message was lost, or came at a bad moment."""
        row = self._connection.execute(_ROUTED, [self._topics.prefix]).fetchone()
        for share in self._going():
            if row is not None and share.position < row[0]:
                self._note(self._convoy.bring(share, row[0]))

    def _try_again(self) -> None:
        """Try parked keys again that somebody asked for, once all shares of their model are level."""
        for *identity, key in requested(self._connection):
            home = share_of(self._codec.tag(key), self.shares_of)
            for share in [s for s in self._shares if s.share == home]:
                if share.projection.identity == tuple(identity):
                    self._retry(share, key)

    def _retry(self, share: Share, key: str) -> None:
        projection = share.projection
        with self._connection.transaction():
            row = self._connection.execute(_LOCKED, projection.identity).fetchone()
            position = row[0] if row else 0
            if self._connection.execute(_UNLEVEL, [*projection.identity, position]).fetchone() is not None:
                return
            retry(self._connection, projection, share.fold, position, key)
            self._connection.execute(_RENEW, projection.identity)
        self._load()


def _asynchronous(connection: Connection[Any]) -> None:
    connection.execute("SET synchronous_commit TO off")
