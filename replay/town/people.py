"""Who lives in the town: students with their cars, officers, cameras, staff; the same for the same seed."""

from dataclasses import dataclass, field
from random import Random

from replay.town.door import Person

TIMEZONE = "America/Toronto"
LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"
REGIONS = ("ON",) * 16 + ("QC", "QC", "NY", "MI")


@dataclass(frozen=True, slots=True)
class Lot:
    """A zone of the town, the rule that holds there, and the code that officers write."""

    zone: str
    name: str
    kind: str
    code: str
    capacity: int
    limit_minutes: int | None = None


LOTS = (
    Lot("LIB", "Library lot", "permit", "NO_PERMIT", 120),
    Lot("ENG", "Engineering lot", "permit", "NO_PERMIT", 90),
    Lot("RES", "Residence lot", "permit", "NO_PERMIT", 150),
    Lot("GYM", "Athletics lot", "permit", "NO_PERMIT", 60),
    Lot("VIS", "Visitor lot", "paid", "EXPIRED_METER", 40),
    Lot("COL", "College Street", "time_limit", "OVERTIME", 30, 120),
    Lot("FIRE", "Fire route behind the chapel", "no_parking", "FIRE_ROUTE", 0),
)
"""Every rule holds at all hours, so that the town is worth watching whenever it is shown."""

PERMIT_TYPES = {
    "STUDENT": ("LIB", "ENG"),
    "RESIDENT": ("RES",),
    "ATHLETE": ("GYM",),
    "STAFF": ("LIB", "ENG", "GYM"),
}
PRICES = {"STUDENT": 24_000, "RESIDENT": 31_000, "ATHLETE": 9_000, "STAFF": 42_000}

ADMIN = Person("admin", "parking-office")
CLERK = Person("dispute", "dispute-desk")
GUARD = Person("security", "campus-security")
OFFICERS = tuple(Person("officer", f"officer-{number}") for number in (14, 22, 37))
CAMERAS = tuple(Person("device", f"camera-{number}") for number in (1, 2))


@dataclass
class Driver:
    """Somebody with a car; `permit` once one was bought."""

    account: str
    plate: str
    lot: str
    permit_type: str | None
    permit: str | None = None
    parked: bool = False

    @property
    def person(self) -> Person:
        """In whose name the driver's own commands are sent."""
        return Person("parker", self.account, self.account)


@dataclass
class People:
    """The town's drivers and staff."""

    chance: Random
    drivers: list[Driver] = field(default_factory=list)
    admin: Person = ADMIN
    clerk: Person = CLERK
    guard: Person = GUARD
    officers: tuple[Person, ...] = OFFICERS
    cameras: tuple[Person, ...] = CAMERAS

    def visitor(self) -> Driver:
        """Return somebody who is in town for the day."""
        lot = self.chance.choice(("VIS", "VIS", "COL", "LIB", "GYM", "FIRE"))
        return Driver(f"visitor-{self.chance.randrange(10**6):06}", self.plate(), lot, None)

    def plate(self) -> str:
        """Return a plate in the form of its region."""
        chance = self.chance
        region = chance.choice(REGIONS)
        letters = "".join(chance.choices(LETTERS, k=4 if region == "ON" else 3))
        digits = (
            f"{chance.randrange(1000):03}" if region in {"ON", "QC"} else f"{chance.randrange(10_000):04}"
        )
        return f"{region} {letters}{digits}"


def people_of(seed: int, count: int = 160) -> People:
    """Return the inhabitants of a seed: most have a car with a permit type that fits where they park."""
    people = People(Random(seed))  # noqa: S311 - a simulation is to be repeatable, not secret
    for number in range(count):
        permit_type = people.chance.choice((*PERMIT_TYPES, "STUDENT", "STUDENT"))
        lot = people.chance.choice(PERMIT_TYPES[permit_type])
        people.drivers.append(Driver(f"driver-{number:03}", people.plate(), lot, permit_type))
    return people
