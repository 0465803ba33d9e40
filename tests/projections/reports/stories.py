"""Random histories of a small office: everything that may happen to money, appeals, reads and permits."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from events.appeals import AppealDecided, AppealFiled, AppealReinstated, AppealWithdrawn
from events.base import Event
from events.citations import (
    CitationIssued,
    CitationServed,
    CitationVoided,
    LateFeeAssessed,
    LateFeeReversed,
    ReturnedItemFeeAssessed,
)
from events.payments import (
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    PaymentAllocated,
    PaymentAuthorised,
    PaymentDishonoured,
    PaymentReceived,
    PaymentRefunded,
)
from events.permits import PermitCancelled, PermitPurchased, PermitRenewed
from events.reads import PlateRead, PlateReadCorrected, PossibleMatchConfirmed
from events.sessions import SessionEnded, SessionExtended, SessionStarted
from events.vocabulary import Plate
from events.zones import ZoneOpened
from tests.commands.cases import cents, t

BEGIN = t("2026-03-01")
ZONES = ("F", "G", "H")
OFFICERS = ("riley", "sam")


class Story:
    """Facts that could have happened, in the order in which they did; they are told late and out of order."""

    def __init__(self, seed: int, citations: int = 14) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a story, not a secret
        self.facts: list[Event] = []
        self._taken: set[datetime] = set()
        for number, zone in enumerate(ZONES):
            spaces = (12, 5, None)[number]
            lot = "North" if number < 2 else None
            self.facts.append(
                ZoneOpened(
                    at=t("2026-01-01"),
                    zone=zone,
                    name=zone,
                    timezone="America/Toronto",
                    spaces=spaces,
                    lot=lot,
                )
            )
        for number in range(citations):
            self.facts += self._citation(f"C-{number}")
        for number in range(5):
            self.facts += self._permit(f"T-{number}")
        for number in range(6):
            self.facts += self._session(f"S-{number}")
        self.facts += self._reads()

    def told(self) -> list[Event]:
        """Return the facts as they arrive: mostly in order, some of them much later."""
        delays = {id(fact): self.chance.choice((0, 0, 0, 0, 2, 30)) for fact in self.facts}
        return sorted(self.facts, key=lambda fact: (fact.at + timedelta(days=delays[id(fact)]), fact.at))

    def at(self, day: float) -> datetime:
        """Return an instant of that day that no other fact has."""
        found = BEGIN + timedelta(days=day, seconds=self.chance.randrange(80_000))
        while found in self._taken:
            found += timedelta(seconds=1)
        self._taken.add(found)
        return found

    def _plate(self) -> Plate:
        return Plate(f"ON A{self.chance.randrange(6)}")

    def _maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def _citation(self, name: str) -> Iterator[Event]:
        day = self.chance.uniform(0, 55)
        kind = "warning" if self._maybe(0.1) else "citation"
        fine = self.chance.choice((None, cents(6000), cents(9000)))
        officer, device = self.chance.choice((*OFFICERS, None)), self.chance.choice(("H1", "H2", None))
        zone, code = self.chance.choice(ZONES), self.chance.choice(("NO_PERMIT", "OVERTIME"))
        yield CitationIssued(
            at=self.at(day), citation=name, plate=self._plate(), zone=zone, code=code, kind=kind, fine=fine,
            officer=officer, device=device,
        )  # fmt: skip
        if self._maybe(0.3):
            yield CitationServed(at=self.at(day + 1), citation=name)
        if self._maybe(0.15):
            yield CitationVoided(at=self.at(day + 5), citation=name, reason="error")
        if self._maybe(0.3):
            yield LateFeeAssessed(at=self.at(day + 29), citation=name, amount=cents(2500))
            if self._maybe(0.4):
                yield LateFeeReversed(at=self.at(day + 31), citation=name, amount=cents(2500))
        for number in range(self.chance.choice((0, 1, 1, 2))):
            yield from self._payment(f"P-{name}-{number}", name, day)
        if self._maybe(0.5):
            yield from self._appeal(f"A-{name}", name, day)

    def _payment(self, payment: str, citation: str, day: float) -> Iterator[Event]:
        amount = cents(self.chance.choice((1000, 3000, 6000, 8500, 9000)))
        made = day + self.chance.uniform(0.1, 40)
        kind = self.chance.choice((PaymentReceived, PaymentAuthorised))
        named = citation if self._maybe(0.8) else None
        yield kind(at=self.at(made), payment=payment, amount=amount, citation=named)
        if named is None or self._maybe(0.15):
            other = f"C-{self.chance.randrange(14)}"
            yield PaymentAllocated(
                at=self.at(made + 1), payment=payment, citation=other, amount=cents(amount // 2),
                effective_at=self.at(made), moved_from=named if self._maybe(0.5) else None,
            )  # fmt: skip
        match self.chance.randrange(8):
            case 0:
                yield PaymentRefunded(at=self.at(made + 3), payment=payment, amount=cents(amount // 2))
            case 1:
                yield PaymentDishonoured(at=self.at(made + 3), payment=payment)
                yield ReturnedItemFeeAssessed(at=self.at(made + 4), citation=citation, amount=cents(2000))
            case 2:
                yield ChargebackOpened(at=self.at(made + 3), payment=payment)
                ending = self.chance.choice((ChargebackWon, ChargebackLost))
                yield ending(at=self.at(made + 9), payment=payment)
            case _:
                pass

    def _appeal(self, appeal: str, citation: str, day: float) -> Iterator[Event]:
        filed = day + self.chance.uniform(1, 30)
        yield AppealFiled(at=self.at(filed), appeal=appeal, citation=citation)
        if self._maybe(0.1):
            yield AppealWithdrawn(at=self.at(filed + 2), appeal=appeal, citation=citation)
            return
        if self._maybe(0.75):
            outcome = self.chance.choice(("upheld", "reduced", "dismissed"))
            amount = cents(2000) if outcome == "reduced" else None
            yield AppealDecided(
                at=self.at(filed + 5),
                appeal=appeal,
                citation=citation,
                outcome=outcome,
                amount=amount,
                reason="seen",
            )
            if self._maybe(0.2):
                yield AppealReinstated(at=self.at(filed + 9), appeal=appeal, citation=citation)
                if self._maybe(0.5):
                    yield AppealDecided(
                        at=self.at(filed + 12), appeal=appeal, citation=citation, outcome="upheld"
                    )

    def _permit(self, permit: str) -> Iterator[Event]:
        day = self.chance.uniform(0, 50)
        payment = f"P-{permit}"
        bought = self.at(day)
        kind = self.chance.choice(("commuter", "resident", None))
        yield PermitPurchased(
            at=bought, permit=permit, permit_type=kind, zones=("F",), plates=(self._plate(),),
            valid_from=bought, valid_until=bought + timedelta(days=30), price=cents(5000), payment=payment,
        )  # fmt: skip
        yield PaymentReceived(at=self.at(day), payment=payment, amount=cents(5000), permit=permit)
        if self._maybe(0.4):
            yield PermitRenewed(
                at=self.at(day + 20),
                permit=permit,
                valid_until=bought + timedelta(days=60),
                payment=f"{payment}-2",
            )
            yield PaymentAuthorised(
                at=self.at(day + 20), payment=f"{payment}-2", amount=cents(4500), permit=permit
            )
        if self._maybe(0.3):
            yield PaymentDishonoured(at=self.at(day + 6), payment=payment)
        elif self._maybe(0.4):
            yield PermitCancelled(at=self.at(day + 8), permit=permit, effective_at=self.at(day + 8))
            yield PaymentRefunded(at=self.at(day + 9), payment=payment, amount=cents(2500))

    def _session(self, session: str) -> Iterator[Event]:
        day = self.chance.uniform(0, 50)
        start = self.at(day)
        until = start + timedelta(hours=self.chance.choice((1, 3, 30)))
        zone = self.chance.choice(ZONES)
        yield SessionStarted(
            at=start, session=session, plate=self._plate(), zone=zone, start=start, until=until
        )
        if self._maybe(0.3):
            later = until + timedelta(hours=2)
            yield SessionExtended(at=start + timedelta(minutes=7), session=session, until=later)
        elif self._maybe(0.3):
            yield SessionEnded(at=start + timedelta(minutes=20), session=session)

    def _reads(self) -> Iterator[Event]:
        for number in range(90):
            day = self.chance.uniform(0, 12) if self._maybe(0.6) else self.chance.uniform(0, 55)
            patrol = f"W-{int(day)}-{self.chance.randrange(2)}" if self._maybe(0.8) else None
            direction = self.chance.choice(("none",) * 6 + ("entry", "exit"))
            read = f"r-{number}"
            yield PlateRead(
                at=self.at(day), read=read, plate=self._plate(), zone=self.chance.choice(ZONES),
                device=self.chance.choice(("H1", "H2")), direction=direction, session=patrol,
                officer=self.chance.choice(OFFICERS),
            )  # fmt: skip
            if self._maybe(0.06):
                yield PlateReadCorrected(at=self.at(day + 1), read=read, plate=self._plate())
            if self._maybe(0.04):
                yield PossibleMatchConfirmed(at=self.at(day + 2), read=read, candidate=self._plate())
