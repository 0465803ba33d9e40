"""A year of a town, as an agenda: who buys, parks, is cited, pays and appeals. Pure and repeatable.

At full size 40,000 permits, 3 million reads, 60,000 citations and 9,000 appeals; at a scale all of it
shrinks alike. The agenda says what people try; the rules decide what comes of it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Literal

DAYS = 365
TERMS = (0, 122, 243)
"""Days on which a term begins; permits of 122 days are bought around them."""
TERM_DAYS = 122
FIRST_DAY = datetime(2025, 9, 1, 4, tzinfo=UTC)
"""Local midnight in Toronto, where all zones are."""
ZONES = tuple(f"LOT{number:02}" for number in range(1, 13))
KINDS = {"COMMUTER": ZONES[:8], "STAFF": ZONES[6:11], "GARAGE": ZONES[11:]}
PRICES = {"COMMUTER": 24_000, "STAFF": 36_000, "GARAGE": 48_000}
PERMITS, READS, CITATIONS, APPEALS = 40_000, 3_000_000, 60_000, 9_000
"""What a year at full size comes to."""
PATROL_SHARE = 3
"""Reads of patrols, each answered on the officer's screen, for each citation that they lead to."""
POSTED_LATE = 0.02
"""Share of the citations whose parker had paid before, of which the log learned only later."""

type Act = Literal["pay", "appeal", "decide"]


@dataclass(frozen=True, slots=True)
class Size:
    """How large the town is: 1 is the whole."""

    scale: float = 1.0
    days: int = DAYS

    @property
    def drivers(self) -> int:
        """People with a car, each of whom buys about a permit a term."""
        return max(30, round(PERMITS * self.scale / len(TERMS) / 0.9))

    @property
    def reads_a_day(self) -> int:
        """Reads of fixed cameras and gates on each day."""
        return max(10, round((READS - CITATIONS * PATROL_SHARE) * self.scale / DAYS))

    @property
    def citations_a_day(self) -> int:
        """Citations that patrols write on each day."""
        return max(1, round(CITATIONS * self.scale / DAYS))

    @property
    def garage(self) -> int:
        """Permits that the garage has room for: fewer than are asked for."""
        return max(3, self.drivers // 12)


@dataclass(frozen=True, slots=True)
class Driver:
    """Somebody with a car, and the kind of permit that fits where they park."""

    account: str
    plate: str
    kind: str
    zone: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A vehicle that stands somewhere at an instant."""

    plate: str
    zone: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Later:
    """What somebody does about a citation on a later day."""

    act: Act
    citation: str
    days: int


@dataclass
class Town:
    """The town's people and its chance; the same seed lives the same year."""

    size: Size
    seed: int = 1871
    chance: Random = field(init=False)
    drivers: list[Driver] = field(init=False)
    agenda: defaultdict[int, list[Later]] = field(init=False)

    def __post_init__(self) -> None:
        """Let people move in."""
        self.chance = Random(self.seed)  # noqa: S311 - a simulation is to be repeatable, not secret
        self.agenda = defaultdict(list)
        self.drivers = [self._driver(number) for number in range(self.size.drivers)]

    def _driver(self, number: int) -> Driver:
        kind = self.chance.choices(list(KINDS), (7, 3, 1.5))[0]
        return Driver(f"A-{number:06}", f"ON TWN{number:05X}", kind, self.chance.choice(KINDS[kind]))

    def buyers(self, day: int) -> Iterator[Driver]:
        """Yield who buys a permit on the day: nine in ten, spread over the first ten days of a term."""
        for begin in TERMS:
            if begin <= day < begin + 10:
                for number, driver in enumerate(self.drivers):
                    due = (number * 7919 + begin) % 10 == day - begin
                    if due and (number + begin) % 10 != 0:
                        yield driver

    def patrol(self, day: int) -> list[Seen]:
        """Return the vehicles that patrols pass on the day, in the order of the walk."""
        count = self.size.citations_a_day * PATROL_SHARE
        return self._standing(day, count, 9 * 60, 12 * 60, strangers=0.55)

    def passing(self, day: int) -> list[Seen]:
        """Return the vehicles that cameras and gates read on the day."""
        return self._standing(day, self.size.reads_a_day, 7 * 60, 19 * 60, strangers=0.2)

    def _standing(self, day: int, count: int, opens: int, closes: int, strangers: float) -> list[Seen]:
        begin, chance = FIRST_DAY + timedelta(days=day), self.chance
        moments = sorted(chance.uniform(opens, closes) for _ in range(count))
        found = []
        for minutes in moments:
            if chance.random() < strangers:
                plate, zone = f"QC V{chance.randrange(100_000):05}", chance.choice(ZONES)
            else:
                driver = chance.choice(self.drivers)
                zone = driver.zone if chance.random() < 0.93 else chance.choice(ZONES)  # noqa: PLR2004 - a few stray
                plate = driver.plate
            found.append(Seen(plate, zone, begin + timedelta(minutes=minutes)))
        return found

    def cited(self, citation: str, day: int) -> None:
        """Decide what will become of a citation: paid soon or late, appealed, or put in a drawer."""
        chance = self.chance
        mood = chance.random()
        if mood < APPEALS / CITATIONS:
            filed = chance.randint(1, 20)
            decided = filed + chance.randint(3, 25)
            self.agenda[day + filed].append(Later("appeal", citation, filed))
            self.agenda[day + decided].append(Later("decide", citation, decided))
            if chance.random() < 0.5:  # noqa: PLR2004 - half of them pay what is left
                self.agenda[day + decided + 5].append(Later("pay", citation, decided + 5))
        elif mood < 0.75:  # noqa: PLR2004 - six in ten pay
            paid = round(chance.triangular(1, 45, 6))
            self.agenda[day + paid].append(Later("pay", citation, paid))
