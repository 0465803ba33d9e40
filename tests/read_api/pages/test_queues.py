"""Where an account stands on a waiting list, as its own page says it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from event_store.postgres import PostgresLog
from events.base import Event
from events.envelope import Append
from events.permits import WaitlistJoined, WaitlistPlaceAccepted, WaitlistPlaceOffered
from read_api.pages.queues import places_of

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def numbers(log: PostgresLog, account: str) -> list[int | None]:
    return [place["number"] for place in places_of(log, account, log.head(), LATER)]


def tell(log: PostgresLog, *events: Event) -> None:
    log.append(Append(list(events), uuid4()))


def test_who_joined_at_the_same_instant_stands_in_the_order_of_the_log(log: PostgresLog) -> None:
    tell(log, *(WaitlistJoined(at=NOON, account=name, permit_type="GOLD") for name in ("zoe", "abe")))
    assert (numbers(log, "zoe"), numbers(log, "abe")) == ([1], [2])


def test_who_accepted_a_place_has_no_number_and_the_next_is_first(log: PostgresLog) -> None:
    tell(log, *(WaitlistJoined(at=NOON, account=name, permit_type="GOLD") for name in ("zoe", "abe")))
    tell(log, WaitlistPlaceOffered(at=NOON, account="zoe", permit_type="GOLD"))
    assert [place["until"] for place in places_of(log, "zoe", log.head(), LATER)] == [
        NOON + timedelta(hours=48)
    ]
    tell(log, WaitlistPlaceAccepted(at=LATER, account="zoe", permit_type="GOLD"))
    assert (numbers(log, "zoe"), numbers(log, "abe")) == ([None], [1])
