from datetime import datetime, timedelta

from commands.eligibility import NotEligible
from commands.permit_facts import (
    NoSuchPermitType,
    PermitFacts,
    PermitTypeSoldOut,
    evolve_permit_facts,
)
from commands.permits import PurchasePermit
from commands.waitlist import (
    AcceptWaitlistPlace,
    JoinWaitlist,
    LapseWaitlistPlace,
    LeaveWaitlist,
    NotNextInLine,
    NotYourOffer,
    OfferLapsed,
    OfferStillOpen,
    OfferWaitlistPlace,
    due,
    next_instant,
    waiting,
)
from events.base import Event
from events.permits import (
    PermitCancelled,
    PermitPurchased,
    PermitTypeOffered,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPlaceAccepted,
    WaitlistPlaceLapsed,
    WaitlistPlaceOffered,
)
from events.zones import ZoneOpened
from tests.commands.given_when_then import given, recorded
from tests.commands.right_stories import at

HOURS_48 = 48 * 60
ZONE = ZoneOpened(at=at(-1000), zone="F", name="F", timezone="America/Toronto")
TYPE = PermitTypeOffered(at=at(-900), permit_type="R", zones=("F",), price=1, term_days=30, capacity=1)
SOLD = PermitPurchased(
    at=at(-800), permit="K", permit_type="R", zones=("F",), valid_from=at(-800), valid_until=at(90_000)
)
FREED = PermitCancelled(at=at(30), permit="K", effective_at=at(30))


def joined(account: str, minutes: float) -> WaitlistJoined:
    return WaitlistJoined(at=at(minutes), account=account, permit_type="R")


def offered(account: str, minutes: float) -> WaitlistPlaceOffered:
    return WaitlistPlaceOffered(
        at=at(minutes), account=account, permit_type="R", expires=at(minutes + HOURS_48)
    )


def folded(*facts: Event) -> PermitFacts:
    known = PermitFacts()
    for entry in recorded(facts):
        known = evolve_permit_facts(known, entry)
    return known


def to_do(now: datetime, *facts: Event) -> list[tuple[str, str]]:
    return [(type(c).__name__, c.account) for c in due("R", now, folded(*facts))]


ANN, BOB = joined("ann", 0), joined("bob", 10)


def test_an_account_joins_once() -> None:
    command = JoinWaitlist(at=at(0), account="ann", permit_type="R")
    given(TYPE).when(command).then(ANN)
    given(TYPE, ANN).when(command.model_copy(update={"at": at(5)})).then()
    given().when(command).then(NoSuchPermitType)
    given(TYPE.model_copy(update={"eligibility": "staff"})).when(command).then(NotEligible)


def test_who_left_or_bought_may_join_again() -> None:
    again = JoinWaitlist(at=at(50), account="ann", permit_type="R")
    left = WaitlistLeft(at=at(5), account="ann", permit_type="R")
    assert given(TYPE, ANN, left).when(again).events
    purchase = SOLD.model_copy(update={"at": at(5), "account": "ann"})
    assert given(TYPE, ANN, purchase).when(again).events


def test_a_freed_place_is_offered_to_who_joined_first_whoever_arrived_first() -> None:
    assert to_do(at(20), TYPE, SOLD, BOB, ANN) == []
    assert to_do(at(30), TYPE, SOLD, BOB, ANN, FREED) == [("OfferWaitlistPlace", "ann")]
    given(TYPE, SOLD, BOB, ANN, FREED).when(
        OfferWaitlistPlace(at=at(30), account="bob", permit_type="R")
    ).then(NotNextInLine)
    given(TYPE, SOLD, BOB, ANN, FREED).when(
        OfferWaitlistPlace(at=at(30), account="ann", permit_type="R")
    ).then(offered("ann", 30))


def test_a_place_that_is_taken_is_not_offered() -> None:
    command = OfferWaitlistPlace(at=at(20), account="ann", permit_type="R")
    given(TYPE, SOLD, ANN).when(command).then(PermitTypeSoldOut)


def test_an_offer_keeps_the_place_for_its_holder_alone() -> None:
    facts = (TYPE, SOLD, ANN, BOB, FREED, offered("ann", 30))
    assert to_do(at(40), *facts) == []
    decided = given(TYPE, ANN, BOB, offered("ann", 30))
    decided.when(AcceptWaitlistPlace(at=at(40), account="bob", permit_type="R")).then(NotYourOffer)
    decided.when(AcceptWaitlistPlace(at=at(40), account="eve", permit_type="R")).then(NotYourOffer)
    decided.when(AcceptWaitlistPlace(at=at(40), account="ann", permit_type="R")).then(
        WaitlistPlaceAccepted(at=at(40), account="ann", permit_type="R")
    )


def test_an_offer_lapses_at_its_expiry_and_goes_to_the_next() -> None:
    expiry = at(30 + HOURS_48)
    facts = (TYPE, SOLD, ANN, BOB, FREED, offered("ann", 30))
    assert next_instant("R", at(30), folded(*facts)) == expiry
    assert to_do(expiry - timedelta(seconds=1), *facts) == []
    assert to_do(expiry, *facts) == [("LapseWaitlistPlace", "ann"), ("OfferWaitlistPlace", "bob")]
    lapse = LapseWaitlistPlace(at=expiry, account="ann", permit_type="R")
    lapsed = WaitlistPlaceLapsed(at=expiry, account="ann", permit_type="R")
    given(TYPE, ANN, BOB, offered("ann", 30)).when(lapse).then(lapsed)
    early = lapse.model_copy(update={"at": at(31)})
    given(TYPE, ANN, BOB, offered("ann", 30)).when(early).then(OfferStillOpen)
    assert [one.account for one in waiting("R", expiry, folded(*facts, lapsed))] == ["bob"]


def test_an_offer_that_ran_out_is_not_accepted() -> None:
    expiry = at(30 + HOURS_48)
    command = AcceptWaitlistPlace(at=expiry, account="ann", permit_type="R")
    given(TYPE, ANN, offered("ann", 30)).when(command).then(OfferLapsed)
    lapsed = WaitlistPlaceLapsed(at=expiry, account="ann", permit_type="R")
    given(TYPE, ANN, offered("ann", 30), lapsed).when(command).then(OfferLapsed)


def test_the_place_goes_to_who_was_offered_it_and_to_nobody_else() -> None:
    facts = (ZONE, TYPE, SOLD, FREED, ANN, BOB, offered("ann", 30))

    def buying(account: str) -> PurchasePermit:
        return PurchasePermit(at=at(40), permit="T", account=account, permit_type="R")

    given(*facts).when(buying("bob")).then(PermitTypeSoldOut)
    given(*facts).when(buying("eve")).then(PermitTypeSoldOut)
    (event,) = given(*facts).when(buying("ann")).and_nothing_more().events
    assert [one.account for one in waiting("R", at(41), folded(*facts, event))] == ["bob"]
    assert to_do(at(41), *facts, event) == []


def test_a_place_frees_when_a_permit_expires() -> None:
    ends = SOLD.model_copy(update={"valid_until": at(100)})
    assert next_instant("R", at(0), folded(TYPE, ends, ANN)) == at(100)
    assert to_do(at(99), TYPE, ends, ANN) == []
    assert to_do(at(100), TYPE, ends, ANN) == [("OfferWaitlistPlace", "ann")]


def test_who_waits_may_leave() -> None:
    command = LeaveWaitlist(at=at(5), account="ann", permit_type="R")
    given(TYPE, ANN).when(command).then(WaitlistLeft(at=at(5), account="ann", permit_type="R"))
    given(TYPE).when(command).then()
