"""Patrols: plates read, screens answered, citations written where the screen says that nobody has a right."""

from collections.abc import Iterator

from replay.town.door import Door, Person, step
from replay.town.people import LOTS, Driver, People

CODES = {lot.zone: lot.code for lot in LOTS}
SERVED = "on the windscreen"
DILIGENCE = 0.8
"""How often an officer writes the citation that the screen suggests; else somebody ran back to the car."""


def patrol(write: Door, people: People, cars: list[Driver]) -> Iterator[tuple[Driver, str | None]]:
    """Walk past the cars, and yield each with the number of its citation, if it got one."""
    officer = people.chance.choice(people.officers)
    for car in cars:
        answer = read_plate(write, officer, car, people)
        ignored = people.chance.random() > DILIGENCE
        if answer is None or answer[1] != "no_right" or ignored:
            yield car, None
        else:
            yield car, cite(write, officer, car, answer[0])


def read_plate(write: Door, who: Person, car: Driver, people: People) -> tuple[str, str] | None:
    """Read a plate; return the read's id and the word that the screen showed."""
    read = f"{who.subject}-{people.chance.randrange(16**10):010x}"
    seen = {
        "read": read,
        "plate": car.plate,
        "zone": car.lot,
        "device": who.subject,
        "confidence": round(people.chance.uniform(0.82, 0.999), 3),
    }
    reply = write.post(who, "/v1/plate-reads", seen)
    return (read, str(reply.body.get("answer"))) if reply.ok else None


def cite(write: Door, officer: Person, car: Driver, read: str) -> str | None:
    """Write a citation and leave it on the windscreen; `None` where the rules refuse it."""
    written = {
        "plate": car.plate,
        "zone": car.lot,
        "code": CODES[car.lot],
        "basis": [read],
        "device": officer.subject,
        "officer": officer.subject,
    }
    reply = write.post(officer, "/v1/citations", written)
    citation = reply.body.get("citation")
    if not reply.ok or citation is None:
        return None
    write.post(officer, step("citations", str(citation), "service"), {"how": SERVED})
    return str(citation)
