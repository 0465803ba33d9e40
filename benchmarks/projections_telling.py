"""Tells facts to a log at a steady rate, from a process of its own.

python -m benchmarks.projections_telling ours|peer DSN RATE SECONDS NAME
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem

from benchmarks.projections_peer import FACT, PeerLog, dcb_event, settings
from event_store.identifiers import uuid7
from event_store.postgres import PostgresLog
from events.base import Event
from events.envelope import Append
from events.payments import PaymentAuthorised
from events.permits import PermitPurchased
from events.vocabulary import Cents, Plate

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
ZONES = 50
THREADS = 4


def purchase(name: str, number: int, payment: str | None = None) -> PermitPurchased:
    """Return the purchase of a permit for a plate of its own."""
    at = START + timedelta(seconds=number)
    return PermitPurchased(
        at=at,
        permit=f"{name}-{number}",
        account=f"A-{number}",
        zones=(f"Z{number % ZONES}",),
        plates=(Plate(f"ON {name}{number}"),),
        valid_from=at,
        valid_until=at + YEAR,
        payment=payment,
    )


def scattered(events: int, seed: int = 7) -> Iterator[Event]:
    """Yield permits and their payments, all mixed up: no two events of one permit near each other."""
    numbers = [(number, paying) for number in range(events // 2) for paying in (False, True)]
    random.Random(seed).shuffle(numbers)  # noqa: S311 - any order will do, the same one each time
    for number, paying in numbers:
        payment = f"P-{number}"
        if paying:
            at = START + timedelta(seconds=number)
            yield PaymentAuthorised(at=at, payment=payment, amount=Cents(24000), permit=f"T-{number}")
        else:
            yield purchase("T", number, payment)


def ours(dsn: str) -> Callable[[Event], object]:
    """Return what appends to our log and waits until it is durable."""
    log = PostgresLog(dsn)
    return lambda event: log.append(Append([event], uuid7()))


def peer(dsn: str) -> Callable[[Event], object]:
    """Return what appends to the library's log, on a condition: without one it loses order."""
    recorder = PeerLog(settings(dsn)).recorder

    def append(event: Event) -> object:
        dcb: DCBEvent = dcb_event(event)
        query = DCBQuery([DCBQueryItem([FACT], dcb.tags[:1])])
        return recorder.append([dcb], DCBAppendCondition(query, after=0))

    return append


def tell(append: Callable[[Event], object], rate: float, seconds: float, name: str) -> None:
    """Append at so many a second, each at its own instant however long the one before took."""
    began = time.perf_counter() + 0.2

    def one(number: int) -> None:
        due = began + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        append(purchase(name, number))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(int(rate * seconds))))


if __name__ == "__main__":
    whose, dsn, rate, seconds, name = sys.argv[1:]
    tell({"ours": ours, "peer": peer}[whose](dsn), float(rate), float(seconds), name)
