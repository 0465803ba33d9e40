"""Citations, permits and payments from CSV."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from events.citations import CitationIssued
from events.envelope import Append
from events.payments import PaymentAuthorised, PaymentReceived
from events.permits import PermitPurchased
from events.reads import PlateRead
from write_api.imports.local_time import LocalClock, Unreadable

type Import = Callable[..., Any]

TORONTO = {"timezone": "America/Toronto"}
HEADER = "Ticket number,Issue Date,Issue time,Marked Time,Plate,State,Lot,Violation,Fine amount\n"
ROW = "T-1,2026-03-05T00:00:00,1251,,CKTR482,ON,F,OVERTIME,63\n"


def test_a_citation_keeps_its_number_time_code_and_fine_in_cents(import_: Import) -> None:
    (issued,) = import_("citations", HEADER + ROW, **TORONTO).only(CitationIssued)
    assert (issued.citation, issued.code, issued.fine, issued.zone) == ("T-1", "OVERTIME", 6300, "F")
    assert issued.at == datetime(2026, 3, 5, 17, 51, tzinfo=UTC)
    assert issued.basis == ()


def test_a_marked_time_is_the_first_read_of_a_stay_that_the_citation_rests_on(import_: Import) -> None:
    done = import_("citations", HEADER + ROW.replace("1251,,", "1251,1040,"), **TORONTO)
    first, second = done.only(PlateRead)
    (issued,) = done.only(CitationIssued)
    assert (first.at.hour, first.at.minute) == (15, 40)
    assert second.at == issued.at
    assert first.read != second.read
    assert issued.basis == (first.read, second.read)
    assert {first.plate, second.plate, issued.plate} == {"ON CKTR482"}


def test_a_mark_later_in_the_day_than_the_issue_is_of_the_day_before(import_: Import) -> None:
    done = import_("citations", HEADER + ROW.replace("1251,,", "10,2350,"), **TORONTO)
    first, second = done.only(PlateRead)
    assert (second.at - first.at).total_seconds() == 20 * 60


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5", "00:05"),
        ("59", "00:59"),
        ("100", "01:00"),
        ("1251", "12:51"),
        ("1251.0", "12:51"),
        ("0", "00:00"),
    ],
)
def test_integers_are_hours_and_minutes(text: str, shown: str) -> None:
    assert LocalClock.clock(text).isoformat("minutes") == shown


@pytest.mark.parametrize("text", ["60", "960", "2400", "12:60", "25:00", "13:00 PM", "noon", "12512"])
def test_what_no_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        LocalClock.clock(text)


def test_a_row_without_a_time_is_rejected_unless_it_is_said_which_to_take(import_: Import) -> None:
    content = HEADER + ROW.replace(",1251,", ",,")
    done = import_("citations", content, **TORONTO)
    assert done.reasons == [(2, "Issue time is empty; --time-unknown 00:00 takes such rows")]
    done = import_("citations", content, time_unknown=LocalClock.clock("0"), **TORONTO)
    assert done.only(CitationIssued)[0].at == datetime(2026, 3, 5, 5, tzinfo=UTC)


def test_the_same_number_with_other_content_is_rejected(import_: Import) -> None:
    import_("citations", HEADER + ROW, **TORONTO)
    done = import_("citations", HEADER + ROW.replace(",63", ",73"), **TORONTO)
    assert (done.result.taken, done.result.rejected) == (0, 1)
    assert "with other content" in done.reasons[0][1]
    assert len(done.only(CitationIssued)) == 1


def test_what_came_in_by_another_door_is_known(import_: Import, memory: Any) -> None:
    (issued,) = import_("citations", HEADER + ROW, **TORONTO).only(CitationIssued)
    other = issued.model_copy(update={"citation": "T-2"})
    memory.append(Append([other], UUID(int=7)))
    done = import_("citations", HEADER + ROW.replace("T-1", "T-2"), **TORONTO)
    assert (done.result.taken, done.result.known_already) == (0, 1)


@pytest.mark.parametrize("amount", ["-5", "1e9", "12.345", "many", "inf", "nan x"])
def test_an_absurd_fine_is_rejected(import_: Import, amount: str) -> None:
    done = import_("citations", HEADER + ROW.replace(",63", f",{amount}"), **TORONTO)
    assert done.result.rejected == 1
    assert "Fine amount" in done.reasons[0][1]


def test_a_permit_s_last_day_counts_through_its_end(import_: Import) -> None:
    content = (
        "Permit,Account,Type,Lots,Plates,State,Start,End,Price\n"
        "P-1,ann,GOLD,A;B,CKTR482;QC X12,ON,2026-03-01,2026-03-31,$240.00\n"
    )
    (bought,) = import_("permits", content, **TORONTO).only(PermitPurchased)
    assert bought.zones == ("A", "B")
    assert bought.plates == ("ON CKTR482", "QC X12")
    assert bought.valid_from == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert bought.valid_until == datetime(2026, 4, 1, 4, tzinfo=UTC)
    assert (bought.at, bought.price) == (bought.valid_from, 24000)


def test_a_permit_may_end_in_the_future_but_not_before_it_begins(import_: Import) -> None:
    content = (
        "permit,valid_from,valid_until,plate,zone\n"
        "P-1,2026-03-01,2031-03-01,A1,F\n"
        "P-2,2026-03-01,2026-02-01,A1,F\n"
    )
    done = import_("permits", content, **TORONTO)
    assert done.result.taken == 1
    assert done.reasons == [(3, "the permit ends before it begins")]


def test_payments_are_authorised_or_received_by_their_method(import_: Import) -> None:
    content = (
        "Receipt,Payment Date,Payment Time,Amount,Method,Ticket\n"
        "R-1,3/5/2026,9:02 AM,30.00,Credit Card,T-1\n"
        "R-2,3/5/2026,9:03 AM,30.00,cheque,T-2\n"
        "R-3,3/5/2026,9:04,0,cash,\n"
        "R-4,3/5/2026,9:04,10,cash,4111111111111111\n"
    )
    done = import_("payments", content, **TORONTO)
    (card,), (cheque,) = done.only(PaymentAuthorised), done.only(PaymentReceived)
    assert (card.payment, card.amount, card.citation) == ("R-1", 3000, "T-1")
    assert (cheque.payment, cheque.method) == ("R-2", "cheque")
    assert [line for line, _ in done.reasons] == [4, 5]
