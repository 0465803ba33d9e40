from datetime import UTC, datetime
from typing import Any

import pytest

from commands.decider import Command
from commands.permit_facts import NoSuchPermit, PermitNotInForce, ZoneFull
from commands.permit_life import (
    CancelPermit,
    ReinstatePermit,
    RenewalEndsTooSoon,
    RenewPermit,
    ReportPermitLost,
    RevokePermit,
    SuspendPermit,
    TransferPermit,
)
from commands.permit_plates import (
    AddPlate,
    CorrectPlateAssociation,
    PlateNotOnPermit,
    RemovePlate,
    SelectActivePlate,
)
from commands.plates_permitted import PlateAlreadyPermitted, TooManyPlates
from events.base import Event
from events.permits import (
    ActivePlateSelected,
    PermitCancelled,
    PermitPurchased,
    PermitReinstated,
    PermitRenewed,
    PermitReportedLost,
    PermitRevoked,
    PermitSuspended,
    PermitTransferred,
    PermitTypeOffered,
    PlateAdded,
    PlateAssociationCorrected,
    PlateRemoved,
)
from events.zones import ZoneOpened
from tests.commands.given_when_then import given
from tests.commands.right_stories import A, B, C, at, bought

ZONE = ZoneOpened(at=at(-1000), zone="F", name="F", timezone="America/Toronto", capacity=1)
OFFER = PermitTypeOffered(
    at=at(-900), permit_type="R", zones=("F",), price=3000, term_days=30, max_plates=2, max_active=2
)
PERMIT = bought(account="ann")
TYPED = bought(account="ann", permit_type="R")


def other(start: float, end: float, **more: Any) -> PermitPurchased:
    fields = {"permit": "K", "zones": ("F",), "plates": (B,)} | more
    return PermitPurchased(at=at(start), valid_from=at(start), valid_until=at(end), **fields)


COMMANDS: list[Command] = [
    RenewPermit(at=at(1), permit="T", valid_until=at(2000)),
    SuspendPermit(at=at(1), permit="T"),
    RevokePermit(at=at(1), permit="T"),
    CancelPermit(at=at(1), permit="T"),
    ReinstatePermit(at=at(1), permit="T"),
    TransferPermit(at=at(1), permit="T", account="bob"),
    ReportPermitLost(at=at(1), permit="T"),
    AddPlate(at=at(1), permit="T", plate=B),
    RemovePlate(at=at(1), permit="T", plate=A),
    SelectActivePlate(at=at(1), permit="T", plate=A),
    CorrectPlateAssociation(at=at(1), permit="T", plate=B),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_nothing_happens_to_a_permit_that_was_never_issued(command: Command) -> None:
    given().when(command).then(NoSuchPermit)


class TestRenewal:
    def test_a_renewal_names_the_places_that_it_takes(self) -> None:
        given(ZONE, PERMIT).when(RenewPermit(at=at(900), permit="T", valid_until=at(2000))).then(
            PermitRenewed(at=at(900), permit="T", valid_until=at(2000), zones=("F",))
        )

    def test_a_renewal_of_a_type_is_for_its_term_and_its_price(self) -> None:
        (event,) = (
            given(ZONE, OFFER, TYPED).when(RenewPermit(at=at(900), permit="T")).and_nothing_more().events
        )
        assert isinstance(event, PermitRenewed)
        assert event.price == 3000
        assert event.valid_until == datetime(2026, 4, 5, 5, 40, tzinfo=UTC)

    def test_a_renewal_lets_the_permit_run_longer(self) -> None:
        facts = (ZONE, PERMIT)
        given(*facts).when(RenewPermit(at=at(900), permit="T", valid_until=at(999))).then(RenewalEndsTooSoon)

    def test_what_was_revoked_or_cancelled_is_not_renewed(self) -> None:
        revoked = PermitRevoked(at=at(1), permit="T", effective_at=at(1))
        command = RenewPermit(at=at(900), permit="T", valid_until=at(2000))
        given(ZONE, PERMIT, revoked).when(command).then(PermitNotInForce)

    def test_a_renewal_does_not_take_a_place_that_was_sold(self) -> None:
        command = RenewPermit(at=at(900), permit="T", valid_until=at(2000))
        given(ZONE, PERMIT, other(1000, 1500)).when(command).then(ZoneFull)


class TestStops:
    @pytest.mark.parametrize(
        ("command", "event"),
        [
            (SuspendPermit, PermitSuspended),
            (RevokePermit, PermitRevoked),
            (CancelPermit, PermitCancelled),
        ],
    )
    def test_a_stop_acts_now_or_when_it_says(self, command: Any, event: Any) -> None:
        given(PERMIT).when(command(at=at(1), permit="T")).then(
            event(at=at(1), permit="T", effective_at=at(1))
        )
        given(PERMIT).when(command(at=at(1), permit="T", effective_at=at(9))).then(
            event(at=at(1), permit="T", effective_at=at(9))
        )

    def test_what_is_over_is_not_stopped_again(self) -> None:
        given(PERMIT).when(RevokePermit(at=at(1000), permit="T")).then(PermitNotInForce)
        cancelled = PermitCancelled(at=at(1), permit="T", effective_at=at(1))
        given(PERMIT, cancelled).when(SuspendPermit(at=at(2), permit="T")).then(PermitNotInForce)
        given(PERMIT, cancelled).when(CancelPermit(at=at(2), permit="T")).then()

    def test_a_suspended_permit_may_be_revoked(self) -> None:
        suspended = PermitSuspended(at=at(1), permit="T", effective_at=at(1))
        assert given(PERMIT, suspended).when(RevokePermit(at=at(2), permit="T")).events

    def test_what_was_stopped_is_reinstated(self) -> None:
        revoked = PermitRevoked(at=at(1), permit="T", effective_at=at(1))
        command = ReinstatePermit(at=at(5), permit="T", retroactive_to=at(1))
        given(ZONE, PERMIT, revoked).when(command).then(
            PermitReinstated(at=at(5), permit="T", effective_at=at(5), retroactive_to=at(1), zones=("F",))
        )
        given(ZONE, PERMIT).when(command).then()
        given(ZONE, PERMIT, revoked).when(ReinstatePermit(at=at(1000), permit="T")).then(PermitNotInForce)

    def test_a_reinstatement_does_not_take_a_place_that_was_sold(self) -> None:
        revoked = PermitRevoked(at=at(1), permit="T", effective_at=at(1))
        facts = (ZONE, PERMIT, revoked, other(2, 1000))
        given(*facts).when(ReinstatePermit(at=at(5), permit="T")).then(ZoneFull)


class TestHolders:
    def test_a_permit_is_transferred_to_another_account(self) -> None:
        moved = PermitTransferred(at=at(1), permit="T", account="bob")
        given(PERMIT).when(TransferPermit(at=at(1), permit="T", account="bob")).then(moved)
        given(PERMIT).when(TransferPermit(at=at(1), permit="T", account="ann")).then()
        given(PERMIT).when(TransferPermit(at=at(1000), permit="T", account="bob")).then(PermitNotInForce)

    def test_a_loss_is_reported_by_the_holder(self) -> None:
        given(PERMIT).when(ReportPermitLost(at=at(1), permit="T")).then(
            PermitReportedLost(at=at(1), permit="T", account="ann")
        )


class TestPlates:
    def test_a_plate_is_added_while_there_is_room_for_it(self) -> None:
        command = AddPlate(at=at(1), permit="T", plate=B)
        given(OFFER, TYPED).when(command).then(
            PlateAdded(at=at(1), permit="T", plate=B, effective_from=at(1))
        )
        given(OFFER, TYPED).when(AddPlate(at=at(1), permit="T", plate=A)).then()
        full = bought(permit_type="R", plates=(A, C))
        given(OFFER, full).when(command).then(TooManyPlates)

    def test_a_plate_of_another_permit_is_not_added(self) -> None:
        facts = (PERMIT, other(0, 1000))
        given(*facts).when(AddPlate(at=at(1), permit="T", plate=B)).then(PlateAlreadyPermitted)

    def test_a_plate_is_not_added_to_a_permit_that_is_over(self) -> None:
        given(PERMIT).when(AddPlate(at=at(1000), permit="T", plate=B)).then(PermitNotInForce)

    def test_a_plate_is_removed_once(self) -> None:
        given(PERMIT).when(RemovePlate(at=at(1), permit="T", plate=A)).then(
            PlateRemoved(at=at(1), permit="T", plate=A, effective_from=at(1))
        )
        given(PERMIT).when(RemovePlate(at=at(1), permit="T", plate=B)).then(PlateNotOnPermit)

    def test_only_a_plate_that_is_carried_is_selected(self) -> None:
        two = bought(plates=(A, B))
        given(two).when(SelectActivePlate(at=at(1), permit="T", plate=B)).then(
            ActivePlateSelected(at=at(1), permit="T", plate=B)
        )
        given(PERMIT).when(SelectActivePlate(at=at(1), permit="T", plate=A)).then()
        given(PERMIT).when(SelectActivePlate(at=at(1), permit="T", plate=B)).then(PlateNotOnPermit)

    def test_a_wrong_plate_is_corrected_by_a_new_event(self) -> None:
        command = CorrectPlateAssociation(
            at=at(9), permit="T", plate=B, corrects=A, effective_from=at(0), reason="typing slip"
        )
        corrected = PlateAssociationCorrected(
            at=at(9), permit="T", plate=B, corrects=A, effective_from=at(0), reason="typing slip"
        )
        given(PERMIT).when(command).then(corrected)
        facts: tuple[Event, ...] = (PERMIT, other(0, 1000))
        given(*facts).when(command).then(PlateAlreadyPermitted)
