"""A town's year, lived on a simulated clock through the product's own parts, as fast as they go.

Commands are decided by the real deciders, reads are answered by the real read models and come in through the
bulk door, automation acts every night, and the read models follow. Only the clock is not real
(`docs/decisions/0003`), and there is no HTTP in between.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from threading import Thread
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid5

from psycopg.conninfo import make_conninfo

from commands.decider import Refusal
from commands.ledger import payable
from commands.registry import COMMANDS
from event_store.bulk import Bulk
from event_store.postgres import PostgresLog
from events.base import Event
from events.envelope import Append, Origin
from events.payments import PaymentAuthorised
from events.permits import PermitPurchased
from events.reads import PlateRead, Shown
from events.vocabulary import Cents, Plate
from operations.automation import Automation
from projections.cases import dockets
from projections.lookups import Lookups
from projections.registry import PROJECTIONS
from projections.runner import Runner
from replay.town.year import (
    FIRST_DAY,
    KINDS,
    POSTED_LATE,
    PRICES,
    TERM_DAYS,
    ZONES,
    Driver,
    Later,
    Seen,
    Town,
)
from write_api.deciding import Deciding

PATIENCE = 600.0
"""Seconds that the read models may take to show a day."""
AT_ONCE = 128
"""Commands that are under way at a time, as a busy office's clients are."""
BATCH = 10_000
_IDS = UUID("70a8c1e4-0000-8000-8000-7061726b6c65")
_OFFICE = Origin("office", "simulation")
CODE = "NO_PERMIT"


@dataclass
class Lived:
    """What a year came to: facts by kind, refusals by rule, and where the time went."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Year:
    """Lives the days of a town on a database with a simulated clock."""

    def __init__(self, dsn: str, town: Town) -> None:
        """Open the log and the read models; nothing has happened yet."""
        self.dsn, self.town = dsn, town
        self.lived = Lived()
        self.log = PostgresLog(dsn)
        self.lookups = Lookups(dsn, patience=PATIENCE)
        self._deciding: Deciding
        self._automation = Automation(self.log)
        self._models = Runner(dsn, PROJECTIONS)
        self._projecting = Thread(target=self._models.run, name="projector", daemon=True)
        self._number = 0
        self._posted: dict[int, list[Event]] = {}

    def __enter__(self) -> Self:
        """Let the read models follow the log from now on."""
        self._projecting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of all connections."""
        self._models.stop()
        self._projecting.join()
        self.lookups.close()
        self.log.close()

    async def live(self, told: Callable[[int], None] = lambda _: None) -> Lived:
        """Live all days; `told` hears of each that is over."""
        self._deciding = Deciding(self.log)
        with closing(self._deciding):
            await self._set_up()
            for day in range(self.town.size.days):
                await self._live(day)
                told(day)
        return self.lived

    async def _set_up(self) -> None:
        at = FIRST_DAY - timedelta(days=1)
        self.log.set_now(at)
        rules = [{"code": CODE, "kind": "permit", "start": "07:00", "end": "19:00"}]
        for zone in ZONES:
            await self._do("OpenZone", at, zone=zone, name=zone, timezone="America/Toronto", spaces=400)
            await self._do("SetZoneRules", at, zone=zone, rules=rules, effective_from=at)
        for kind, zones in KINDS.items():
            terms = {"permit_type": kind, "zones": zones, "price": PRICES[kind], "term_days": TERM_DAYS}
            capacity = {"capacity": self.town.size.garage} if kind == "GARAGE" else {}
            await self._do("OfferPermitType", at, **terms, **capacity)

    async def _live(self, day: int) -> None:
        begin = FIRST_DAY + timedelta(days=day)
        self.log.set_now(begin + timedelta(hours=8))
        await self._timed("permits", self._sell(day, begin + timedelta(hours=8)))
        await self._timed("read models", self._shown())
        self.log.set_now(begin + timedelta(hours=12, minutes=30))
        await self._timed("patrols", self._patrol(day))
        self.log.set_now(begin + timedelta(hours=20))
        started = time.perf_counter()
        self._pass_by(day, begin + timedelta(hours=20))
        self.lived.seconds["cameras"] += time.perf_counter() - started
        await self._timed("cases", self._settle(day, begin + timedelta(hours=20)))
        self.log.set_now(begin + timedelta(hours=23, minutes=59))
        started = time.perf_counter()
        self.lived.done["automation"] += self._automation.act(begin + timedelta(hours=23, minutes=59))
        self.lived.seconds["automation"] += time.perf_counter() - started
        await self._timed("read models", self._shown())

    async def _timed(self, name: str, work: Any) -> None:
        started = time.perf_counter()
        await work
        self.lived.seconds[name] += time.perf_counter() - started

    async def _shown(self) -> None:
        """Wait until the read models show all that happened."""
        head = self.log.head()
        for model in PROJECTIONS:
            await self.lookups.reach(model.name, head)

    async def _sell(self, day: int, at: datetime) -> None:
        """Sell permits; what was paid in time but is posted only today comes in first."""
        late = self._posted.pop(day, [])
        for first in range(0, len(late), 2):
            told = Append(tuple(late[first : first + 2]), self._id(), origin=Origin("processor", "batch"))
            self.log.append(told)
        await self._all(self._buys(driver, day, at) for driver in self.town.buyers(day))

    async def _buys(self, driver: Driver, day: int, at: datetime) -> None:
        account, plate, kind = driver.account, driver.plate, driver.kind
        permit = f"T-{account[2:]}-{day:03}"
        asked = {"permit": permit, "account": account, "permit_type": kind, "plates": [plate]}
        if await self._do("PurchasePermit", at, **asked, payment=f"PP-{permit}"):
            paid = {"payment": f"PP-{permit}", "amount": PRICES[kind], "permit": permit, "account": account}
            await self._do("AuthorisePayment", at, **paid)
        elif kind == "GARAGE":
            await self._do("JoinWaitlist", at, account=account, permit_type=kind)

    async def _patrol(self, day: int) -> None:
        """Let officers walk: each read is answered on the screen, and cited where it shows no right."""
        seen = self.town.patrol(day)
        answers = await asyncio.gather(*(self.lookups.validity(one.plate, one.zone, one.at) for one in seen))
        left = self.town.size.citations_a_day
        work = []
        for number, (one, answer) in enumerate(zip(seen, answers, strict=True)):
            cites = answer.answer == "no_right" and left > 0
            left -= cites
            shown = Shown(answer.answer, answer.as_of.position, answer.right)
            work.append(self._read(f"P{day:03}-{number}", one, shown, day if cites else None))
        await self._all(work)

    async def _read(self, name: str, one: Seen, shown: Shown, cites_on: int | None) -> None:
        read = {"read": name, "plate": one.plate, "zone": one.zone, "device": "H1", "officer": "O-7"}
        await self._do("RecordPlateRead", one.at, **read, shown=shown)
        if cites_on is None:
            return
        citation = f"PV-{name[1:]}"
        written = {"citation": citation, "plate": one.plate, "zone": one.zone, "code": CODE, "basis": [name]}
        at = one.at + timedelta(minutes=1)
        if await self._do("IssueCitation", at, **written, officer="O-7"):
            await self._do("ServeCitation", at, citation=citation, how="windscreen")
            self.town.cited(citation, cites_on)
            if self.town.chance.random() < POSTED_LATE:
                self._posted.setdefault(cites_on + 1, []).extend(_paid_before(one, name))

    def _pass_by(self, day: int, at: datetime) -> None:
        """Take what cameras read through the bulk door, recorded in the evening."""
        dsn = make_conninfo(self.dsn, options=f"-c parkledger.now={at.isoformat()}")
        with closing(Bulk(dsn, codec=self.log.codec)) as bulk:
            for batch in batched(self._passing(day), BATCH):
                bulk.submit(batch).result()
                self.lived.done["camera reads"] += len(batch)

    def _passing(self, day: int) -> Iterator[Append]:
        for number, one in enumerate(self.town.passing(day)):
            read = PlateRead(
                at=one.at, read=f"C{day:03}-{number}", plate=Plate(one.plate), zone=one.zone, device="CAM-1"
            )
            yield Append((read,), self._id(), origin=Origin("CAM-1", "camera"))

    async def _settle(self, day: int, at: datetime) -> None:
        """Let people pay and appeal, and the desk decide."""
        due = self.town.agenda.pop(day, [])
        known = dockets(self.log, [later.citation for later in due])
        amounts = {docket.citation: payable(docket, at) for docket in known}
        await self._all(self._case(later, amounts.get(later.citation, 0), at) for later in due)

    async def _case(self, later: Later, amount: int, at: datetime) -> None:
        citation = later.citation
        appeal = f"AP-{citation}"
        match later.act:
            case "pay" if amount > 0:
                paid = {"payment": f"P-{citation}-{later.days}", "citation": citation, "amount": amount}
                await self._do("AuthorisePayment", at, **paid)
            case "appeal":
                await self._do("FileAppeal", at, appeal=appeal, citation=citation)
            case "pay":
                self.lived.done["nothing left to pay"] += 1
            case "decide":
                outcome = self.town.chance.choice(("upheld", "upheld", "reduced", "dismissed"))
                reduced = {"amount": 2_000} if outcome == "reduced" else {}
                await self._do(
                    "DecideAppeal", at, appeal=appeal, citation=citation, outcome=outcome, **reduced
                )

    async def _do(self, name: str, at: datetime, /, **said: Any) -> bool:
        """Decide a command; tell whether it was done."""
        decider = COMMANDS[name]
        command = decider.command(at=at, **said)
        try:
            await self._deciding.execute(decider, command, self._id(), _OFFICE)
        except Refusal as refusal:
            self.lived.refused[refusal.rule] += 1
            return False
        self.lived.done[name] += 1
        return True

    async def _all(self, work: Iterable[Any]) -> None:
        for some in batched(work, AT_ONCE):
            await asyncio.gather(*some)

    def _id(self) -> UUID:
        self._number += 1
        return uuid5(_IDS, str(self._number))


def _paid_before(one: Seen, name: str) -> Sequence[Event]:
    """Return a permit that was paid an hour before the read, as its processor tells it a day later."""
    at = one.at - timedelta(hours=1)
    permit = f"L-{name}"
    bought = PermitPurchased(
        at=at,
        permit=permit,
        plates=(Plate(one.plate),),
        zones=(one.zone,),
        payment=f"LP-{name}",
        valid_from=at,
        valid_until=at + timedelta(hours=10),
    )
    paid = PaymentAuthorised(at=at, payment=f"LP-{name}", amount=Cents(1_500), permit=permit)
    return (paid, bought)
