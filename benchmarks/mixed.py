"""A log as an office leaves it: mostly plate reads; rights, payments, citations and appeals between them.

Of 100 events about 55 are reads, 30 tell of rights and their payments, 15 of citations and what follows from
them. What a read's screen showed is true by construction: plates are spelt with characters that look like no
other, so that none is a near match of another, and a vehicle has one right at most.

    python -m benchmarks.mixed DSN EVENTS
"""

import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from event_store.bulk import SIZE, Bulk
from event_store.identifiers import uuid7
from events.appeals import AppealDecided, AppealFiled
from events.base import Event
from events.citations import CitationIssued, CitationServed
from events.envelope import Append
from events.payments import PaymentAuthorised, PaymentCaptured, PaymentDishonoured
from events.permits import ActivePlateSelected, PermitPurchased, PermitRenewed, PermitRevoked, PlateAdded
from events.reads import PlateRead, Shown
from events.sessions import SessionEnded, SessionExtended, SessionStarted
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ZONES = 40
UNLIKE = "79CJLNWX"
"""Characters that nobody takes for another."""
EVERY = timedelta(milliseconds=200)
BASE = len(UNLIKE)


def plate(number: int) -> Plate:
    """Return the plate of a vehicle; no two are near matches."""
    return Plate("ON " + "".join(UNLIKE[number // BASE**place % BASE] for place in range(7)))


class Office:
    """Tells events one after the other, and knows what is true."""

    def __init__(self, seed: int = 7) -> None:
        """Begin with nothing told."""
        self._random = random.Random(seed)  # noqa: S311 - the same office each time
        self.position = 0
        self._vehicles = 0
        self._permits: list[tuple[str, int, str, datetime]] = []
        self._sessions: list[tuple[str, datetime]] = []
        self._cited: list[str] = []
        self._appealed: list[tuple[str, str]] = []
        self._paid: list[str] = []

    @property
    def now(self) -> datetime:
        """The instant of the next event."""
        return START + self.position * EVERY

    def events(self, count: int) -> Iterator[Event]:
        """Yield so many events, the zones first."""
        kinds: list[tuple[Callable[[], Event], int]] = [
            (self._read, 55), (self._purchase, 8), (self._authorise, 4), (self._capture, 3),
            (self._session, 9), (self._extend, 2), (self._end, 3), (self._change, 1), (self._cite, 5),
            (self._serve, 4), (self._settle, 3), (self._appeal, 1), (self._decide, 1), (self._bounce, 1),
        ]  # fmt: skip
        makers, weights = zip(*kinds, strict=True)
        for zone in range(min(count, ZONES)):
            self.position += 1
            yield ZoneOpened(at=START, zone=f"Z{zone}", name=f"Zone {zone}", timezone="America/Toronto")
        while self.position < count:
            (make,) = self._random.choices(makers, weights)
            event = make()
            self.position += 1
            yield event

    def _any(self, of: list[Any]) -> Any:
        return of[self._random.randrange(len(of))]

    def _read(self) -> Event:
        zone, shown = f"Z{self.position % ZONES}", Shown("no_right", self.position)
        number = self._vehicles + 500_000 + self.position % 500_000
        if self._permits and self._random.random() < 0.6:
            permit, number, zone, since = self._any(self._permits)
            if since <= self.now:
                shown = Shown("valid", self.position, permit)
        return PlateRead(
            at=self.now,
            read=f"R-{self.position}",
            plate=plate(number),
            zone=zone,
            device=f"H{self.position % 9}",
            confidence=0.97,
            shown=shown,
        )

    def _purchase(self) -> Event:
        self._vehicles += 1
        permit, zone = f"T-{self.position}", f"Z{self._vehicles % ZONES}"
        self._permits.append((permit, self._vehicles, zone, self.now))
        return PermitPurchased(
            at=self.now,
            permit=permit,
            account=f"A-{self._vehicles}",
            zones=(zone,),
            plates=(plate(self._vehicles),),
            valid_from=self.now,
            valid_until=self.now + timedelta(days=365),
            price=Cents(24000),
        )

    def _pay(self, **of: str) -> Event:
        name = f"P-{self.position}"
        self._paid.append(name)
        return PaymentAuthorised(at=self.now, payment=name, amount=Cents(6000), last4="4242", **of)

    def _authorise(self) -> Event:
        return self._pay(account=f"A-{self._vehicles}")

    def _capture(self) -> Event:
        return PaymentCaptured(at=self.now, payment=self._any(self._paid)) if self._paid else self._pay()

    def _bounce(self) -> Event:
        return PaymentDishonoured(at=self.now, payment=self._any(self._paid)) if self._paid else self._pay()

    def _session(self) -> Event:
        name = f"S-{self.position}"
        self._sessions.append((name, self.now + timedelta(hours=2)))
        return SessionStarted(
            at=self.now,
            session=name,
            plate=plate(1_200_000 + self.position % 600_000),
            zone=f"Z{self.position % ZONES}",
            start=self.now,
            until=self.now + timedelta(hours=2),
            channel="app",
            amount=Cents(400),
        )

    def _extend(self) -> Event:
        if not self._sessions:
            return self._session()
        name, until = self._any(self._sessions[-1000:])
        return SessionExtended(at=self.now, session=name, until=until + timedelta(hours=1))

    def _end(self) -> Event:
        if not self._sessions:
            return self._session()
        return SessionEnded(at=self.now, session=self._any(self._sessions[-1000:])[0])

    def _change(self) -> Event:
        """Return a change of a permit that leaves its vehicle's right as it is, or takes it away for good."""
        if not self._permits:
            return self._purchase()
        which = self._random.randrange(len(self._permits))
        permit, number, _, _ = self._permits[which]
        if which % 4 == 0:
            self._permits[which] = self._permits[-1]
            self._permits.pop()
            return PermitRevoked(at=self.now, permit=permit, effective_at=self.now)
        if which % 4 == 1:
            return PlateAdded(
                at=self.now, permit=permit, plate=plate(number + 1_900_000), effective_from=self.now
            )
        if which % 4 == 2:
            return ActivePlateSelected(at=self.now, permit=permit, plate=plate(number))
        return PermitRenewed(at=self.now, permit=permit, valid_until=self.now + timedelta(days=730))

    def _cite(self) -> Event:
        name = f"C-{self.position}"
        self._cited.append(name)
        return CitationIssued(
            at=self.now,
            citation=name,
            plate=plate(1_900_000 + self.position % 90_000),
            zone=f"Z{self.position % ZONES}",
            code="NO_PERMIT",
            fine=Cents(6000),
        )

    def _serve(self) -> Event:
        if not self._cited:
            return self._cite()
        return CitationServed(at=self.now, citation=self._any(self._cited), how="on the vehicle")

    def _settle(self) -> Event:
        return self._pay(citation=self._any(self._cited)) if self._cited else self._cite()

    def _appeal(self) -> Event:
        if not self._cited:
            return self._cite()
        name = f"AP-{self.position}"
        self._appealed.append((name, self._any(self._cited)))
        return AppealFiled(at=self.now, appeal=name, citation=self._appealed[-1][1], level=1)

    def _decide(self) -> Event:
        if not self._appealed:
            return self._appeal()
        appeal, citation = self._any(self._appealed)
        return AppealDecided(at=self.now, appeal=appeal, citation=citation, outcome="dismissed")


def tell(dsn: str, count: int, seed: int = 7) -> None:
    """Fill an empty log with so many events."""
    bulk = Bulk(dsn)
    for batch in batched(Office(seed).events(count), SIZE):
        bulk.submit([Append([event], uuid7()) for event in batch])
    bulk.close()


if __name__ == "__main__":
    tell(sys.argv[1], int(sys.argv[2]))
