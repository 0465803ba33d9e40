"""The town's endless days: permits in the morning, patrols all day, money and appeals, decisions at night.

All of it happens now, at a moderate rate, over HTTP, as a few dozen people and devices would do it. What the
rules refuse is refused, and the town goes on.
"""

import logging
import time
from collections.abc import Iterator
from itertools import count

from replay.town.disputing import Case, after_citation, decide, late_posted_payment
from replay.town.door import Door, TokenFor
from replay.town.enforcing import patrol, read_plate
from replay.town.people import PRICES, Driver, People, people_of
from replay.town.set_up import set_up

SECONDS_PER_DAY = 120.0
BUYERS, VISITORS, PATROLS, CARS = 24, 30, 12, 14
LEFT_OPEN = 4
"""Appeals that each evening leaves undecided, so that the desk has a queue."""

_LOG = logging.getLogger(__name__)


def run_town(
    write_url: str,
    read_url: str,
    token_for: TokenFor,
    seconds_per_day: float = SECONDS_PER_DAY,
    seed: int = 1871,
    days: int | None = None,
) -> None:
    """Live day after day (for ever, unless `days` says how many) against the two doors.

    Args:
        write_url: address of the write API.
        read_url: address of the read API.
        token_for: returns a bearer token for a role, a subject and an account.
        seconds_per_day: how long a day takes on this machine's clock.
        seed: makes the same people and the same choices again.
        days: how many days to live.

    """
    write, read = Door(write_url, token_for), Door(read_url, token_for)
    people = people_of(seed)
    set_up(write, people)
    for day in count(1) if days is None else range(1, days + 1):
        _LOG.info("day %d begins in the town", day)
        acts = _day(write, read, people, day, seconds_per_day)
        pace = seconds_per_day / (BUYERS + VISITORS + PATROLS * CARS + 2)
        for _ in acts:
            time.sleep(pace)
    write.close()
    read.close()


def _day(write: Door, read: Door, people: People, day: int, seconds: float) -> Iterator[None]:
    """Live one day; each yield is a moment in which the town does nothing."""
    cases: list[Case] = []
    buyers = [driver for driver in people.drivers if driver.permit is None][:BUYERS]
    for driver in buyers:
        _buy(write, people, driver)
        yield
    told = late_posted_payment(write, people, day, sleep=min(8.0, seconds / 30))
    yield
    visitors = [people.visitor() for _ in range(VISITORS)]
    watched = {
        "plate": visitors[-1].plate,
        "reason": "left without paying, twice",
        "source": "campus security",
    }
    write.post(people.guard, "/v1/watchlist", watched)
    for visitor in visitors:
        _arrive(write, people, visitor)
        yield
    for _ in range(PATROLS):
        cars = people.chance.sample([*people.drivers, *visitors], CARS)
        for car, citation in patrol(write, people, cars):
            case = Case(car, citation) if citation is not None else None
            _look_up(read, people, car)
            if case is not None and after_citation(write, people, case):
                cases.append(case)
            yield
    for case in cases[LEFT_OPEN:]:
        decide(write, people, case)
    _LOG.info("day %d ends: %d appeals, the late payment is case %s", day, len(cases), told and told.citation)
    yield


def _buy(write: Door, people: People, driver: Driver) -> None:
    """Buy the permit that fits, paid by card; where it is sold out, wait for a place."""
    if driver.permit_type is None or people.chance.random() < 0.25:  # noqa: PLR2004 - some put it off
        return
    permit, payment = f"T-{driver.account}", f"PAY-{driver.account}"
    person, kind = driver.person, driver.permit_type
    right = {
        "permit": permit,
        "account": driver.account,
        "permit_type": kind,
        "plates": [driver.plate],
        "payment": payment,
    }
    paid = {
        "payment": payment,
        "amount": PRICES[kind],
        "method": "card",
        "permit": permit,
        "account": driver.account,
    }
    bought = write.post(person, "/v1/permits", right)
    if bought.ok:
        driver.permit = permit
        write.post(person, "/v1/payments", paid)
    elif bought.rule == "PermitTypeSoldOut":
        write.post(person, f"/v1/waitlists/{kind}", {"account": driver.account})


def _arrive(write: Door, people: People, visitor: Driver) -> None:
    """Drive past a camera, and pay for an hour or two, or forget to."""
    camera = people.chance.choice(people.cameras)
    read_plate(write, camera, visitor, people)
    if visitor.lot == "VIS" and people.chance.random() < 0.6:  # noqa: PLR2004 - most pay
        started = {
            "plate": visitor.plate,
            "zone": visitor.lot,
            "minutes": people.chance.choice((60, 90, 120)),
        }
        write.post(visitor.person, "/v1/sessions", {**started, "channel": "app"})


def _look_up(read: Door, people: People, car: Driver) -> None:
    """Let the desk look the plate up, as it does when the phone rings."""
    if people.chance.random() < 0.5:  # noqa: PLR2004 - every other time
        read.get(people.clerk, "/v1/validity", plate=car.plate, zone=car.lot)
