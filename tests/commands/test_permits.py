from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from commands.eligibility import GrantEligibility, NotEligible, WithdrawEligibility
from commands.permit_facts import NoSuchPermitType, PermitTypeSoldOut, ZoneFull
from commands.permit_types import MoreActiveThanCarried, OfferPermitType
from commands.permits import PermitAlreadyIssued, PurchasePermit, TermOutOfRange, ZoneNotOfType
from commands.plates_permitted import PlateAlreadyPermitted, PlateUnreadable, TooManyPlates
from commands.zones import NoSuchZone
from events.base import Event
from events.permits import (
    EligibilityGranted,
    EligibilityWithdrawn,
    PermitCancelled,
    PermitPurchased,
    PermitReinstated,
    PermitRenewed,
    PermitRevoked,
    PermitSuspended,
    PermitTypeOffered,
    PlateRemoved,
    WaitlistJoined,
)
from events.policies import PolicyAdopted
from events.sessions import ExemptionGranted, SessionStarted
from events.zones import ZoneClosed, ZoneOpened
from tests.commands.given_when_then import given
from tests.commands.right_stories import A, B, C, at


def opened(zone: str = "F", capacity: int | None = None) -> ZoneOpened:
    return ZoneOpened(at=at(-1000), zone=zone, name=zone, timezone="America/Toronto", capacity=capacity)


def offered(**more: Any) -> PermitTypeOffered:
    terms = {"permit_type": "R", "zones": ("F",), "price": 3000, "term_days": 30} | more
    return PermitTypeOffered(at=at(-900), **terms)


def buying(permit: str = "T", minutes: float = 0, **more: Any) -> PurchasePermit:
    fields = {"zones": ("F",), "plates": (A,), "valid_until": at(1000)} | more
    return PurchasePermit(at=at(minutes), permit=permit, **fields)


def of_type(permit: str = "T", minutes: float = 0, **more: Any) -> PurchasePermit:
    return PurchasePermit(at=at(minutes), permit=permit, permit_type="R", **({"plates": (A,)} | more))


def held(permit: str = "K", start: float = 0, end: float = 1000, **more: Any) -> PermitPurchased:
    fields = {"zones": ("F",), "plates": (B,)} | more
    return PermitPurchased(at=at(start), permit=permit, valid_from=at(start), valid_until=at(end), **fields)


class TestBuying:
    def test_a_permit_starts_now_unless_it_says_when(self) -> None:
        given(opened()).when(buying()).then(held("T", plates=(A,)))
        events = given(opened()).when(buying(valid_from=at(60))).events
        assert [e.valid_from for e in events if isinstance(e, PermitPurchased)] == [at(60)]

    def test_buying_the_same_permit_again_changes_nothing(self) -> None:
        facts = (opened(), held("T", plates=(A,)))
        given(*facts).when(buying(minutes=5, valid_from=at(0))).then()
        given(*facts).when(buying(valid_until=at(2000))).then(PermitAlreadyIssued)

    def test_a_permit_is_sold_for_open_zones_only(self) -> None:
        given().when(buying()).then(NoSuchZone)
        given(opened(), ZoneClosed(at=at(-1), zone="F")).when(buying()).then(NoSuchZone)

    @pytest.mark.parametrize("end", [0, -5, 3661 * 24 * 60])
    def test_a_term_is_neither_empty_nor_absurd(self, end: int) -> None:
        given(opened()).when(buying(valid_until=at(end))).then(TermOutOfRange)

    def test_a_purchase_says_where_and_until_when(self) -> None:
        with pytest.raises(ValidationError, match="zones"):
            PurchasePermit(at=at(0), permit="T", valid_until=at(1))
        with pytest.raises(ValidationError, match="valid_until"):
            PurchasePermit(at=at(0), permit="T", zones=("F",))

    def test_an_unreadable_plate_cannot_be_permitted(self) -> None:
        given(opened()).when(buying(plates=("ZZ ?",))).then(PlateUnreadable)


class TestTypes:
    def test_a_type_gives_zones_term_and_price(self) -> None:
        (event,) = given(opened(), offered()).when(of_type()).events
        assert isinstance(event, PermitPurchased)
        assert (event.zones, event.price) == (("F",), 3000)
        assert event.valid_until == datetime(2026, 4, 4, 13, 0, tzinfo=UTC)  # the same wall time, in summer

    def test_less_than_a_term_is_prorated_by_local_days(self) -> None:
        start = datetime.fromisoformat("2026-03-05T00:00:00-05:00")
        until = datetime.fromisoformat("2026-03-15T00:00:00-04:00")
        (event,) = given(opened(), offered()).when(of_type(valid_from=start, valid_until=until)).events
        assert isinstance(event, PermitPurchased)
        assert event.price == 1000

    def test_a_type_that_is_not_offered_is_not_sold(self) -> None:
        given().when(of_type()).then(NoSuchPermitType)

    def test_a_type_covers_its_own_zones_only(self) -> None:
        command = of_type(zones=("G",))
        given(opened("G"), offered()).when(command).then(ZoneNotOfType)

    def test_who_is_not_eligible_may_not_buy(self) -> None:
        facts = (opened(), offered(eligibility="staff"))
        grant = EligibilityGranted(at=at(-5), account="ann", eligibility="staff", until=at(10))
        withdrawn = EligibilityWithdrawn(at=at(-1), account="ann", eligibility="staff")
        assert given(*facts, grant).when(of_type(account="ann")).events
        given(*facts).when(of_type(account="ann")).then(NotEligible)
        given(*facts).when(of_type()).then(NotEligible)
        given(*facts, grant, withdrawn).when(of_type(account="ann")).then(NotEligible)
        given(*facts, grant).when(of_type(account="ann", minutes=10)).then(NotEligible)

    def test_offering_the_same_terms_again_changes_nothing(self) -> None:
        command = OfferPermitType(at=at(-900), permit_type="R", zones=("F",), price=3000, term_days=30)
        given(opened()).when(command).then(offered())
        given(opened(), offered()).when(command.model_copy(update={"at": at(0)})).then()
        assert given(opened(), offered()).when(command.model_copy(update={"price": 1})).events
        given().when(command).then(NoSuchZone)
        given(opened()).when(command.model_copy(update={"max_active": 2})).then(MoreActiveThanCarried)

    def test_eligibility_is_granted_and_withdrawn_once(self) -> None:
        grant = GrantEligibility(at=at(0), account="ann", eligibility="staff")
        granted = EligibilityGranted(at=at(0), account="ann", eligibility="staff")
        given().when(grant).then(granted)
        withdraw = WithdrawEligibility(at=at(1), account="ann", eligibility="staff")
        given(granted).when(withdraw).then(EligibilityWithdrawn(at=at(1), account="ann", eligibility="staff"))
        given().when(withdraw).then()


class TestPlates:
    def test_no_more_plates_than_the_type_allows(self) -> None:
        facts = (opened(), offered(max_plates=2))
        assert given(*facts).when(of_type(plates=(A, B))).events
        given(*facts).when(of_type(plates=(A, B, C))).then(TooManyPlates)

    def test_no_more_plates_than_the_policy_allows_without_a_type(self) -> None:
        policy = PolicyAdopted(at=at(-9), policy="p", effective_from=at(-9), values={"max_plates": 1})
        given(opened(), policy).when(buying(plates=(A, B))).then(TooManyPlates)

    def test_a_plate_has_one_permit_in_a_zone_at_a_time(self) -> None:
        other = held("K", plates=(A,))
        given(opened(), other).when(buying()).then(PlateAlreadyPermitted)
        assert given(opened(), other).when(buying(valid_from=at(1000), valid_until=at(1100))).events
        elsewhere = buying(zones=("G",))
        assert given(opened("G"), other).when(elsewhere).events

    @pytest.mark.parametrize(
        "freed",
        [
            PermitCancelled(at=at(-1), permit="K", effective_at=at(0)),
            PermitRevoked(at=at(-1), permit="K", effective_at=at(0)),
            PlateRemoved(at=at(-1), permit="K", plate=A, effective_from=at(0)),
        ],
    )
    def test_a_plate_is_free_again_when_its_permit_lets_go_of_it(self, freed: Event) -> None:
        other = held("K", start=-10, plates=(A,))
        assert given(opened(), other, freed).when(buying()).events

    def test_a_suspended_permit_keeps_its_plate(self) -> None:
        suspended = PermitSuspended(at=at(-1), permit="K", effective_at=at(-1))
        given(opened(), held("K", start=-10, plates=(A,)), suspended).when(buying()).then(
            PlateAlreadyPermitted
        )

    def test_sessions_and_exemptions_of_the_plate_are_no_permits(self) -> None:
        session = SessionStarted(at=at(0), session="S", plate=A, zone="F", start=at(0), until=at(60))
        exemption = ExemptionGranted(at=at(0), exemption="E", plate=A)
        assert given(opened(), session, exemption).when(buying()).events


class TestCapacity:
    def test_a_zone_is_never_oversold(self) -> None:
        given(opened(capacity=1), held()).when(buying()).then(ZoneFull)
        given(opened(capacity=0)).when(buying()).then(ZoneFull)
        assert given(opened(capacity=2), held()).when(buying()).events

    def test_sessions_take_places_too(self) -> None:
        session = SessionStarted(at=at(0), session="S", plate=B, zone="F", start=at(0), until=at(60))
        given(opened(capacity=1), session).when(buying()).then(ZoneFull)
        assert given(opened(capacity=1), session).when(buying(valid_from=at(60))).events

    def test_only_rights_in_force_at_once_count(self) -> None:
        morning, evening = held("K1", 0, 100), held("K2", 100, 200, plates=(C,))
        assert given(opened(capacity=2), morning, evening).when(buying()).events
        given(opened(capacity=1), morning, evening).when(buying()).then(ZoneFull)

    @pytest.mark.parametrize(
        "freed",
        [
            PermitCancelled(at=at(-1), permit="K", effective_at=at(0)),
            PermitRevoked(at=at(-1), permit="K", effective_at=at(0)),
        ],
    )
    def test_a_cancelled_right_frees_its_place(self, freed: Event) -> None:
        assert given(opened(capacity=1), held(start=-10), freed).when(buying()).events
        again = PermitReinstated(at=at(0), permit="K", effective_at=at(0))
        given(opened(capacity=1), held(start=-10), freed, again).when(buying(minutes=1)).then(ZoneFull)

    def test_a_suspended_right_keeps_its_place(self) -> None:
        suspended = PermitSuspended(at=at(-1), permit="K", effective_at=at(-1))
        given(opened(capacity=1), held(start=-10)).beside(suspended).when(buying()).then(ZoneFull)

    def test_a_renewed_right_keeps_its_place_though_the_renewal_names_no_zone(self) -> None:
        renewed = PermitRenewed(at=at(-5), permit="K", valid_until=at(500))
        given(opened(capacity=1), held(start=-100, end=-2), renewed).when(buying()).then(ZoneFull)

    def test_a_type_is_sold_out_when_all_its_permits_are_in_force(self) -> None:
        facts = (opened(), offered(capacity=1), held(permit_type="R"))
        given(*facts).when(of_type()).then(PermitTypeSoldOut)
        ended = PermitCancelled(at=at(1), permit="K", effective_at=at(1))
        assert given(*facts, ended).when(of_type(minutes=2)).events

    def test_places_belong_to_who_waits_before_they_belong_to_who_comes(self) -> None:
        waits = WaitlistJoined(at=at(-5), account="bob", permit_type="R")
        facts = (opened(), offered(capacity=1), waits)
        given(*facts).when(of_type(account="ann")).then(PermitTypeSoldOut)

    def test_a_busy_zone_is_decided_in_reasonable_time_and_exactly(self) -> None:
        many = [held(f"K{n}", start=-n, plates=(f"ON K{n}",)) for n in range(1, 300)]
        given(opened(capacity=299), *many).when(buying()).then(ZoneFull)
        assert given(opened(capacity=300), *many).when(buying()).events
