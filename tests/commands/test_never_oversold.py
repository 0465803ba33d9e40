"""64 clients at once on a real log: a zone and a permit type are sold to the last place and never beyond."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from commands.decider import Command, Refusal
from commands.permit_facts import PermitTypeSoldOut, ZoneFull
from commands.permits import PurchasePermit
from commands.plates_permitted import PlateAlreadyPermitted
from commands.registry import COMMANDS
from commands.sessions import StartSession
from event_store.log import Log
from events.base import Event
from events.boundary import on
from events.envelope import Append
from events.permits import PermitPurchased, PermitTypeOffered
from events.sessions import SessionStarted
from events.zones import ZoneOpened
from tests.commands.right_stories import A, at
from write_api.execute import execute

CLIENTS = 64


def outcomes(log: Log, commands: list[Command]) -> list[str]:
    """Return what each command came to, all of them sent at once."""

    def send(number: int) -> str:
        command = commands[number]
        decider = COMMANDS[type(command).__name__]
        try:
            execute(log, decider, command, UUID(int=1000 + number))
        except Refusal as refused:
            return refused.rule
        return "accepted"

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(send, range(len(commands))))


def told(log: Log, *facts: Event) -> None:
    log.append(Append(facts, UUID(int=1)))


def opened(capacity: int | None) -> ZoneOpened:
    return ZoneOpened(at=at(0), zone="F", name="F", timezone="America/Toronto", capacity=capacity)


def test_permits_and_sessions_together_never_exceed_the_places_of_a_zone(log: Log) -> None:
    told(log, opened(10))
    sessions = [
        StartSession(at=at(1), session=f"S{n}", plate=f"ON S{n}", zone="F", minutes=60) for n in range(32)
    ]
    permits = [
        PurchasePermit(at=at(1), permit=f"T{n}", plates=(f"ON T{n}",), zones=("F",), valid_until=at(60))
        for n in range(32)
    ]
    found = outcomes(log, [*sessions, *permits])
    assert (found.count("accepted"), found.count(ZoneFull.__name__)) == (10, 54)
    assert len(log.read(on(PermitPurchased, SessionStarted, zone="F")).entries) == 10


def test_a_permit_type_is_sold_to_its_last_permit(log: Log) -> None:
    offer = PermitTypeOffered(
        at=at(0), permit_type="R", zones=("F",), price=1, term_days=30, capacity=7, max_plates=1
    )
    told(log, opened(None), offer)
    found = outcomes(
        log,
        [
            PurchasePermit(at=at(1), permit=f"T{n}", plates=(f"ON T{n}",), permit_type="R")
            for n in range(CLIENTS)
        ],
    )
    assert (found.count("accepted"), found.count(PermitTypeSoldOut.__name__)) == (7, 57)


def test_a_plate_gets_one_permit_however_many_ask_for_it(log: Log) -> None:
    told(log, opened(None))
    found = outcomes(
        log,
        [
            PurchasePermit(at=at(1), permit=f"T{n}", plates=(A,), zones=("F",), valid_until=at(60))
            for n in range(CLIENTS)
        ],
    )
    assert (found.count("accepted"), found.count(PlateAlreadyPermitted.__name__)) == (1, 63)
