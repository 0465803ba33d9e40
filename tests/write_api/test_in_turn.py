"""One command after another on the same facts: read once, and never trusted beyond the log's word."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from commands.permit_facts import PermitTypeSoldOut
from commands.waitlist import LAPSE, OFFER, LapseWaitlistPlace, OfferWaitlistPlace
from event_store.memory import MemoryLog
from events.base import Event
from events.envelope import Append
from events.permits import PermitPurchased, PermitTypeOffered, WaitlistJoined, WaitlistPlaceOffered
from events.vocabulary import Cents, Plate
from events.zones import ZoneOpened
from write_api.execute import InTurn

NOW = datetime(2026, 3, 5, 14, tzinfo=UTC)


class Counted(MemoryLog):
    """A log that counts how often it is read."""

    reads = 0
    asked = 0

    def read(self, *asked: Any, **bounds: Any) -> Any:
        """Read as ever."""
        self.reads += 1
        self.asked += len(asked[0].criteria) if asked else 0
        return super().read(*asked, **bounds)

    def told(self, *events: Event) -> None:
        """Take what happened elsewhere."""
        self.append(Append(events, UUID(int=self.head() + 1)))


def garage(places: int, waiting: Sequence[str]) -> Counted:
    log = Counted()
    log.told(
        ZoneOpened(at=NOW, zone="G", name="G", timezone="America/Toronto"),
        PermitTypeOffered(
            at=NOW, permit_type="G", zones=("G",), price=Cents(1), term_days=90, capacity=places
        ),
        *(
            WaitlistJoined(at=NOW + timedelta(minutes=n), account=one, permit_type="G")
            for n, one in enumerate(waiting)
        ),
    )
    return log


def offer(account: str) -> OfferWaitlistPlace:
    return OfferWaitlistPlace(at=NOW + timedelta(days=1), account=account, permit_type="G")


def bought(account: str) -> PermitPurchased:
    return PermitPurchased(
        at=NOW + timedelta(hours=20), permit=f"P-{account}", account=account, permit_type="G",
        plates=(Plate("ON A1"),), zones=("G",), valid_from=NOW, valid_until=NOW + timedelta(days=90),
    )  # fmt: skip


def test_what_the_first_rests_on_is_not_read_again_for_the_others() -> None:
    log = garage(5, ["a", "b", "c"])
    deciding = InTurn(log)
    deciding.execute(OFFER, offer("a"), UUID(int=100))
    reads = log.reads
    for number, account in enumerate(["b", "c"], 101):
        outcome = deciding.execute(OFFER, offer(account), UUID(int=number))
        assert [type(event) for event in outcome.events] == [WaitlistPlaceOffered]
    assert log.reads == reads


def test_what_happened_in_between_is_seen() -> None:
    log = garage(2, ["a", "b"])
    deciding = InTurn(log)
    deciding.execute(OFFER, offer("a"), UUID(int=100))
    log.told(bought("elsewhere"))
    with pytest.raises(PermitTypeSoldOut):
        deciding.execute(OFFER, offer("b"), UUID(int=101))


def test_only_facts_that_were_just_read_refuse() -> None:
    log = garage(1, ["a", "b"])
    deciding = InTurn(log)
    deciding.execute(OFFER, offer("a"), UUID(int=100))
    reads = log.reads
    with pytest.raises(PermitTypeSoldOut):
        deciding.execute(OFFER, offer("b"), UUID(int=101))
    assert log.reads > reads
    log.told(
        PermitTypeOffered(at=NOW, permit_type="G", zones=("G",), price=Cents(1), term_days=90, capacity=9)
    )
    assert deciding.execute(OFFER, offer("b"), UUID(int=102)).events


def test_the_same_again_is_there_already() -> None:
    log = garage(5, ["a"])
    deciding = InTurn(log)
    first = deciding.execute(OFFER, offer("a"), UUID(int=100))
    again = deciding.execute(OFFER, offer("a"), UUID(int=101))
    assert (again.events, log.head()) == ((), first.position)


def test_offers_that_ran_out_lapse_on_what_is_remembered_and_a_look_for_what_each_bought() -> None:
    log = garage(5, ["a", "b", "c"])
    offers = InTurn(log)
    for number, account in enumerate("abc", 100):
        offers.execute(OFFER, offer(account), UUID(int=number))
    log.told(bought("b").model_copy(update={"at": NOW + timedelta(days=2)}))
    deciding, looks = InTurn(log), []
    for number, account in enumerate("abc", 200):
        before = log.asked
        lapse = LapseWaitlistPlace(at=NOW + timedelta(days=9), account=account, permit_type="G")
        outcome = deciding.execute(LAPSE, lapse, UUID(int=number))
        looks.append(log.asked - before)
        assert [type(event).__name__ for event in outcome.events] == ["WaitlistPlaceLapsed"] * (
            account != "b"
        )
    assert looks[0] > 3
    assert looks[2] == 1  # only what this account bought
