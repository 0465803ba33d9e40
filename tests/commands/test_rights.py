from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.rights import (
    PERMIT_EVENTS,
    RIGHT_EVENTS,
    Interval,
    Payment,
    Right,
    active_spans,
    evolve_right,
    intervals,
    keys_of,
    max_active_of,
    permit_boundary,
    plates_at,
    spans_in_force,
)
from events.base import CATALOGUE, Event
from events.payments import (
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    PaymentAuthorised,
    PaymentDishonoured,
    PaymentReceived,
    PaymentRefunded,
)
from events.permits import (
    ActivePlateSelected,
    PermitCancelled,
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
from events.policies import PolicyAdopted
from events.sessions import (
    ExemptionEnded,
    ExemptionGranted,
    SessionEnded,
    SessionExtended,
    SessionStarted,
)
from tests.commands.given_when_then import recorded
from tests.commands.right_stories import A, B, C, at, bought, folded, lives

type Told = list[tuple[str, float, float | None, str]]


def told(*facts: Event, max_active: int = 1) -> Told:
    """Return `(plate, start, end, ended_by)` of each interval, in minutes of the story."""
    right, payments = folded(facts)
    return [_in_minutes(i) for i in intervals(right, payments, max_active=max_active)]


def _in_minutes(i: Interval) -> tuple[str, float, float | None, str]:
    minute = timedelta(minutes=1)
    end = None if i.end is None else (i.end - at(0)) / minute
    return i.plate, (i.start - at(0)) / minute, end, i.ended_by


def paid(minutes: float, payment: str = "P", **more: str) -> PaymentAuthorised:
    return PaymentAuthorised(at=at(minutes), payment=payment, amount=24000, **more)


class TestPaidRights:
    def test_a_right_that_names_no_payment_is_valid_from_its_start(self) -> None:
        assert told(bought()) == [(A, 0, 1000, "expiry")]

    def test_a_purchase_does_not_reach_back(self) -> None:
        assert told(bought(30, start=0)) == [(A, 30, 1000, "expiry")]

    def test_a_paid_right_is_valid_from_the_later_of_its_start_and_its_payment(self) -> None:
        assert told(bought(payment="P"), paid(2)) == [(A, 2, 1000, "expiry")]
        assert told(bought(5, start=10, payment="P"), paid(2)) == [(A, 10, 1000, "expiry")]

    def test_posting_lag_does_not_count_against_the_parker(self) -> None:
        assert told(bought(31, start=0, payment="P"), paid(2)) == [(A, 2, 1000, "expiry")]

    def test_a_payment_that_is_not_known_yet_leaves_the_right_invalid(self) -> None:
        assert told(bought(payment="P")) == []

    def test_a_payment_received_counts_like_one_authorised(self) -> None:
        cash = PaymentReceived(at=at(7), payment="P", amount=24000)
        assert told(cash, bought(payment="P")) == [(A, 7, 1000, "expiry")]

    @pytest.mark.parametrize("undone", [PaymentDishonoured, ChargebackLost])
    def test_a_payment_that_was_undone_was_never_made(self, undone: type[Event]) -> None:
        assert told(bought(payment="P"), paid(2), undone(at=at(500), payment="P")) == []

    def test_a_disputed_payment_counts_until_the_dispute_is_lost(self) -> None:
        opened, won = ChargebackOpened(at=at(3), payment="P"), ChargebackWon(at=at(4), payment="P")
        assert told(bought(payment="P"), paid(2), opened, won) == [(A, 2, 1000, "expiry")]

    def test_a_refund_leaves_the_right_alone(self) -> None:
        refund = PaymentRefunded(at=at(3), payment="P", amount=24000)
        assert told(bought(payment="P"), paid(2), refund) == [(A, 2, 1000, "expiry")]

    def test_a_dishonoured_payment_that_is_made_again_counts_from_then(self) -> None:
        again = (paid(2), PaymentDishonoured(at=at(50), payment="P"), paid(60))
        assert told(bought(payment="P"), *again) == [(A, 60, 1000, "expiry")]

    def test_another_payment_for_the_permit_takes_the_place_of_a_dishonoured_one(self) -> None:
        other = (paid(2), PaymentDishonoured(at=at(50), payment="P"), paid(60, "Q", permit="T"))
        assert told(bought(payment="P"), *other) == [(A, 60, 1000, "expiry")]

    def test_a_payment_may_name_the_permit_instead_of_being_named_by_it(self) -> None:
        assert told(bought(), paid(2, permit="T")) == [(A, 2, 1000, "expiry")]

    def test_a_payment_for_a_renewal_does_not_undo_the_purchase(self) -> None:
        renewed = PermitRenewed(at=at(900), permit="T", valid_until=at(2000))
        assert told(bought(), renewed, paid(901, permit="T")) == [(A, 0, 2000, "expiry")]


class TestTerms:
    def test_a_renewal_in_time_extends_without_a_gap(self) -> None:
        assert told(bought(), PermitRenewed(at=at(900), permit="T", valid_until=at(2000))) == [
            (A, 0, 2000, "expiry")
        ]

    def test_a_renewal_after_the_end_does_not_reach_back(self) -> None:
        assert told(bought(), PermitRenewed(at=at(1100), permit="T", valid_until=at(2000))) == [
            (A, 0, 1000, "expiry"),
            (A, 1100, 2000, "expiry"),
        ]

    def test_a_renewal_counts_from_its_payment(self) -> None:
        renewed = PermitRenewed(at=at(900), permit="T", valid_until=at(2000), payment="Q")
        assert told(bought(), renewed) == [(A, 0, 1000, "expiry")]
        assert told(bought(), renewed, paid(1005, "Q")) == [
            (A, 0, 1000, "expiry"),
            (A, 1005, 2000, "expiry"),
        ]

    def test_facts_without_the_purchase_give_no_interval(self) -> None:
        assert told(PermitRenewed(at=at(900), permit="T", valid_until=at(2000))) == []

    def test_every_zone_of_the_permit_has_its_interval(self) -> None:
        right, _ = folded([bought(zones=("F", "G"))])
        assert [i.zone for i in intervals(right)] == ["F", "G"]


class TestStops:
    def test_a_revocation_acts_from_its_effective_time(self) -> None:
        revoked = PermitRevoked(at=at(100), permit="T", effective_at=at(200))
        assert told(bought(), revoked) == [(A, 0, 200, "revocation")]

    def test_a_reinstatement_is_prospective(self) -> None:
        stopped = PermitSuspended(at=at(100), permit="T", effective_at=at(100))
        again = PermitReinstated(at=at(300), permit="T", effective_at=at(300))
        assert told(bought(), stopped, again) == [(A, 0, 100, "suspension"), (A, 300, 1000, "expiry")]

    def test_a_reinstatement_reaches_back_only_where_it_says_so(self) -> None:
        stopped = PermitRevoked(at=at(100), permit="T", effective_at=at(100))
        again = PermitReinstated(at=at(300), permit="T", effective_at=at(300), retroactive_to=at(100))
        assert told(bought(), stopped, again) == [(A, 0, 1000, "expiry")]
        part = again.model_copy(update={"retroactive_to": at(200)})
        assert told(bought(), stopped, part) == [(A, 0, 100, "revocation"), (A, 200, 1000, "expiry")]

    def test_a_notice_that_was_taken_back_before_its_time_never_acts(self) -> None:
        notice = PermitRevoked(at=at(100), permit="T", effective_at=at(500))
        again = PermitReinstated(at=at(200), permit="T", effective_at=at(200))
        assert told(bought(), notice, again) == [(A, 0, 1000, "expiry")]

    def test_a_cancelled_permit_says_how_it_ended(self) -> None:
        cancelled = PermitCancelled(at=at(100), permit="T", effective_at=at(100))
        assert told(bought(), cancelled) == [(A, 0, 100, "cancellation")]

    def test_a_permit_revoked_before_it_began_was_never_valid(self) -> None:
        assert told(bought(start=50), PermitRevoked(at=at(10), permit="T", effective_at=at(20))) == []

    def test_a_lost_or_transferred_permit_keeps_its_right(self) -> None:
        lost = PermitReportedLost(at=at(10), permit="T")
        moved = PermitTransferred(at=at(20), permit="T", account="new")
        assert told(bought(account="old"), lost, moved) == [(A, 0, 1000, "expiry")]
        right, _ = folded([bought(account="old"), moved])
        assert (right.holder(at(19)), right.holder(at(20))) == ("old", "new")


def selected(minutes: float, plate: str) -> ActivePlateSelected:
    return ActivePlateSelected(at=at(minutes), permit="T", plate=plate)


def added(minutes: float, plate: str) -> PlateAdded:
    return PlateAdded(at=at(minutes), permit="T", plate=plate, effective_from=at(minutes))


def removed(minutes: float, plate: str) -> PlateRemoved:
    return PlateRemoved(at=at(minutes), permit="T", plate=plate, effective_from=at(minutes))


class TestPlates:
    def test_of_several_plates_none_is_active_until_one_is_selected(self) -> None:
        assert told(bought(plates=(A, B))) == []
        assert told(bought(plates=(A, B)), selected(10, B)) == [(B, 10, 1000, "expiry")]

    def test_selecting_another_plate_deselects_the_one_before(self) -> None:
        assert told(bought(plates=(A, B)), selected(10, A), selected(50, B)) == [
            (A, 10, 50, "deselection"),
            (B, 50, 1000, "expiry"),
        ]

    def test_the_only_plate_stays_active_when_another_is_added_until_that_is_selected(self) -> None:
        assert told(bought(), added(100, B)) == [(A, 0, 1000, "expiry")]
        assert told(bought(), added(100, B), selected(200, B)) == [
            (A, 0, 200, "deselection"),
            (B, 200, 1000, "expiry"),
        ]

    def test_the_last_plate_left_is_active_without_a_selection(self) -> None:
        assert told(bought(plates=(A, B)), selected(10, A), removed(100, A)) == [
            (A, 10, 100, "plate_removed"),
            (B, 100, 1000, "expiry"),
        ]

    def test_as_many_plates_as_allowed_are_active_the_last_selected_ones(self) -> None:
        three = bought(plates=(A, B, C))
        assert told(three, selected(10, A), selected(20, B), selected(30, C), max_active=2) == [
            (A, 10, 30, "deselection"),
            (B, 20, 1000, "expiry"),
            (C, 30, 1000, "expiry"),
        ]
        assert told(bought(plates=(A, B)), max_active=2) == [(A, 0, 1000, "expiry"), (B, 0, 1000, "expiry")]

    def test_a_selection_waits_for_a_plate_that_is_carried_later(self) -> None:
        assert told(bought(), selected(10, B), added(20, B)) == [
            (A, 0, 20, "deselection"),
            (B, 20, 1000, "expiry"),
        ]

    def test_a_wrong_plate_is_replaced_from_when_the_correction_says(self) -> None:
        def corrected(wrong: int | str | None) -> PlateAssociationCorrected:
            return PlateAssociationCorrected(
                at=at(500), permit="T", plate=B, corrects=wrong, effective_from=at(0)
            )

        for wrong in (1, A, None, "a step that is no plate"):
            assert told(bought(), corrected(wrong)) == [(B, 0, 1000, "expiry")]

    def test_of_several_plates_of_the_wrong_event_the_one_spelt_most_alike_was_the_mistake(self) -> None:
        purchase = bought(plates=("ON CKTR48Z", "ON WXYZ99"))
        correction = PlateAssociationCorrected(
            at=at(5), permit="T", plate="ON CKTR482", corrects=1, effective_from=at(0)
        )
        right, _ = folded([purchase, correction])
        assert plates_at(right, at(5))[0] == ("ON CKTR482", "ON WXYZ99")

    def test_the_right_plate_is_active_where_the_wrong_one_was_selected(self) -> None:
        correction = PlateAssociationCorrected(
            at=at(500), permit="T", plate=C, corrects=A, effective_from=at(0)
        )
        assert told(bought(plates=(A, B)), selected(10, A), correction) == [(C, 10, 1000, "expiry")]

    def test_a_corrected_selection_leaves_the_plate_that_was_selected_on_the_permit(self) -> None:
        correction = PlateAssociationCorrected(
            at=at(500), permit="T", plate=B, corrects=2, effective_from=at(10)
        )
        facts = (bought(plates=(A, B)), selected(10, A), correction)
        assert told(*facts) == [(B, 10, 1000, "expiry")]
        assert plates_at(folded(facts)[0], at(600)) == ((A, B), (B,))

    def test_how_many_may_be_active_is_what_was_offered_when_the_permit_was_bought(self) -> None:
        right, _ = folded([bought(10, permit_type="R")])
        terms = {"permit_type": "R", "zones": ("F",), "price": 1, "term_days": 30, "max_plates": 3}
        offers = [PermitTypeOffered(at=at(m), max_active=n, **terms) for m, n in ((0, 2), (20, 3))]
        assert max_active_of(right, offers, []) == 2
        policy = PolicyAdopted(at=at(0), policy="p", effective_from=at(0), values={"max_active": 4})
        assert max_active_of(folded([bought(10)])[0], offers, [policy]) == 4


class TestTemporaryRights:
    def test_a_session_is_extended_and_ended_early(self) -> None:
        session = SessionStarted(at=at(0), session="S", plate=A, zone="F", start=at(0), until=at(60))
        longer = SessionExtended(at=at(50), session="S", until=at(120))
        assert told(session, longer) == [(A, 0, 120, "expiry")]
        ended = SessionEnded(at=at(90), session="S")
        assert told(session, longer, ended) == [(A, 0, 90, "session_end")]

    def test_a_session_counts_from_its_payment(self) -> None:
        session = SessionStarted(
            at=at(0), session="S", plate=A, zone="F", start=at(0), until=at(60), payment="P"
        )
        assert told(session) == []
        assert told(session, paid(5)) == [(A, 5, 60, "expiry")]

    def test_an_exemption_without_times_holds_from_when_it_was_granted_in_every_zone(self) -> None:
        right, _ = folded([ExemptionGranted(at=at(5), exemption="E", plate=A)])
        assert intervals(right) == (Interval("E", "exemption", A, None, at(5), None, ""),)

    def test_an_exemption_ends_by_its_end_and_by_being_ended(self) -> None:
        grant = ExemptionGranted(at=at(5), exemption="E", plate=A, zone="F", start=at(10), until=at(90))
        assert told(grant) == [(A, 10, 90, "exemption_end")]
        assert told(grant, ExemptionEnded(at=at(30), exemption="E")) == [(A, 10, 30, "exemption_end")]
        later = ExemptionEnded(at=at(30), exemption="E", until=at(40))
        assert told(grant, later) == [(A, 10, 40, "exemption_end")]

    def test_a_session_over_the_fall_back_lasts_its_elapsed_time(self) -> None:
        start = datetime.fromisoformat("2026-11-01T00:30:00-04:00").astimezone(UTC)
        session = SessionStarted(
            at=start, session="S", plate=A, zone="F", start=start, until=start + timedelta(minutes=120)
        )
        right, _ = folded([session])
        assert intervals(right)[0].end == datetime.fromisoformat("2026-11-01T01:30:00-05:00")


@given(lives, st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_order_of_arrival_gives_the_same_intervals(facts: list[Event], random: object, most: int) -> None:
    shuffled = facts.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    told_in_order, told_shuffled = folded(facts), folded(shuffled)
    assert intervals(*told_in_order, max_active=most) == intervals(*told_shuffled, max_active=most)


@given(lives, st.integers(1, 3))
def test_intervals_of_one_plate_and_zone_never_overlap_and_are_never_empty(
    facts: list[Event], most: int
) -> None:
    found = intervals(*folded(facts), max_active=most)
    assert all(i.end is None or i.start < i.end for i in found)
    for one, other in pairwise(found):
        if (one.plate, one.zone) == (other.plate, other.zone):
            assert one.end is not None
            assert one.end <= other.start


@given(lives, st.integers(1, 3))
def test_no_more_plates_are_active_at_once_than_allowed_and_only_while_the_right_is_in_force(
    facts: list[Event], most: int
) -> None:
    right, payments = folded(facts)
    found, in_force = intervals(right, payments, max_active=most), spans_in_force(right, payments)
    for instant in {i.start for i in found}:
        assert sum(i.start <= instant and (i.end is None or instant < i.end) for i in found) <= most
        assert any(start <= instant and (end is None or instant < end) for start, end, _ in in_force)


@given(lives, st.integers(1, 3))
def test_plates_at_an_instant_agree_with_the_spans(facts: list[Event], most: int) -> None:
    right, _ = folded(facts)
    spans = active_spans(right, most)
    for minute in range(0, 420, 35):
        carried, active = plates_at(right, at(minute), most)
        assert set(active) <= set(carried)
        assert set(active) == {
            plate
            for plate, found in spans.items()
            if any(start <= at(minute) and (end is None or at(minute) < end) for start, end, _ in found)
        }


@given(lives)
def test_a_right_survives_being_stored(facts: list[Event]) -> None:
    right, payments = folded(facts)
    stored = msgspec.json.encode((right, payments))
    assert msgspec.json.decode(stored, type=tuple[Right, dict[str, Payment]]) == (right, payments)


def test_every_event_that_names_a_right_is_folded_into_it() -> None:
    named = {
        name
        for name, event in CATALOGUE.items()
        if {"permit", "session", "exemption"} & {tag for _, tag, _ in event.tagged}
    }
    assert named == {e.__name__ for e in RIGHT_EVENTS} | {"PaymentAuthorised", "PaymentReceived"}
    (criterion,) = permit_boundary("T").criteria
    assert criterion.types >= {e.__name__ for e in PERMIT_EVENTS}


def test_a_payment_for_a_permit_and_a_session_belongs_to_both() -> None:
    payment = paid(0, permit="T", session="S")
    assert keys_of(payment) == (("permit", "T"), ("session", "S"))
    (entry,) = recorded([payment])
    assert evolve_right(Right("session", "S"), entry).payments == {"P"}
