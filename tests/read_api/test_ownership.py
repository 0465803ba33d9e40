"""What a parker may see as their own."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from event_store.memory import MemoryLog
from events.appeals import AppealFiled
from events.base import Event
from events.citations import CitationIssued
from events.envelope import Append, Origin
from events.permits import PermitPurchased, PermitTransferred, PlateRemoved
from events.vocabulary import Plate
from operations.doors import Visitor
from operations.identity import Principal, Role
from operations.permissions import Access
from operations.problems import Problem
from read_api.ownership import demand_citation, demand_permit, demand_plate

pytestmark = pytest.mark.anyio

MARCH = datetime(2026, 3, 1, 14, tzinfo=UTC)
PLATE = Plate("ON CKTR482")


def day(number: int) -> datetime:
    return MARCH + timedelta(days=number)


def log_of(*events: Event, actor: str = "office") -> MemoryLog:
    log = MemoryLog()
    for event in events:
        log.append(Append([event], uuid4(), origin=Origin(actor=actor)))
    return log


def bought(account: str = "A-1") -> PermitPurchased:
    return PermitPurchased(
        at=day(0),
        permit="T-1",
        account=account,
        zones=("F",),
        plates=(PLATE,),
        valid_from=day(0),
        valid_until=day(3650),
    )


def cited(number: int) -> CitationIssued:
    return CitationIssued(at=day(number), citation="PV-1", plate=PLATE, zone="F", code="NO_PERMIT")


def parker(account: str | None = "A-1", subject: str = "pat") -> Visitor:
    return Visitor(Principal(subject, Role.PARKER, account), Access.OWN)


STAFF = Visitor(Principal("dana", Role.DISPUTE), Access.ALL)


async def test_staff_may_see_every_permit_plate_and_citation() -> None:
    log = log_of()
    await demand_permit(log, STAFF, "T-1")
    await demand_plate(log, STAFF, PLATE)
    await demand_citation(log, STAFF, "PV-1")


async def test_a_parker_sees_their_permit_its_plate_and_its_citation() -> None:
    log = log_of(bought(), cited(2))
    await demand_permit(log, parker(), "T-1")
    await demand_plate(log, parker(), PLATE)
    await demand_citation(log, parker(), "PV-1")


@pytest.mark.parametrize("stranger", [parker("A-2"), parker(None)])
async def test_a_stranger_sees_none_of_it(stranger: Visitor) -> None:
    log = log_of(bought(), cited(2))
    for asked in (
        demand_permit(log, stranger, "T-1"),
        demand_plate(log, stranger, PLATE),
        demand_citation(log, stranger, "PV-1"),
    ):
        with pytest.raises(Problem, match="of yours"):
            await asked


async def test_what_does_not_exist_answers_like_what_is_somebody_elses() -> None:
    with pytest.raises(Problem) as missing:
        await demand_permit(log_of(), parker(), "T-1")
    with pytest.raises(Problem) as foreign:
        await demand_permit(log_of(bought("A-2")), parker(), "T-1")
    assert missing.value.body() == foreign.value.body()


async def test_a_permit_that_was_transferred_belongs_to_the_new_holder() -> None:
    log = log_of(bought(), PermitTransferred(at=day(5), permit="T-1", account="A-2"))
    await demand_permit(log, parker("A-2"), "T-1")
    with pytest.raises(Problem):
        await demand_permit(log, parker(), "T-1")


async def test_who_sold_the_vehicle_sees_earlier_citations_only() -> None:
    sold = PlateRemoved(at=day(5), permit="T-1", plate=PLATE, effective_from=day(5))
    await demand_citation(log_of(bought(), sold, cited(4)), parker(), "PV-1")
    with pytest.raises(Problem):
        await demand_citation(log_of(bought(), sold, cited(6)), parker(), "PV-1")


async def test_who_appealed_a_citation_may_see_it() -> None:
    log = log_of(cited(2))
    filed = AppealFiled(at=day(3), appeal="AP-1", citation="PV-1")
    log.append(Append([filed], uuid4(), origin=Origin(actor="visitor")))
    await demand_citation(log, parker(None, "visitor"), "PV-1")
