"""What falls due on a citation by itself: late fees, their reversal and return, fees for returned payments.

`due(state, now)` is pure: it tells the events that automation owes the log by `now`, on what the docket
knows. Appending them and asking again yields nothing, or once what had to wait for them, and then nothing: so
each happens exactly once however often, and from wherever, it is asked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from commands.charges import acts_from, asks_nothing, balance, late_fee_at
from commands.deadlines import deadlines
from commands.docket import CitationLedger, Fee
from commands.money import Payment, allocations, dispute_end, disputed_at, refunds_by_citation
from events.citations import (
    LateFeeAssessed,
    LateFeeReinstated,
    LateFeeReversed,
    ReturnedItemFeeAssessed,
)
from events.payments import PaymentAllocated
from events.vocabulary import Cents

type DueEvent = (
    LateFeeAssessed | LateFeeReversed | LateFeeReinstated | ReturnedItemFeeAssessed | PaymentAllocated
)

INSTANT_BEFORE = timedelta(microseconds=1)


def due(state: CitationLedger, now: datetime) -> Sequence[DueEvent]:
    """Return what automation has to append for the citation by `now`; none of it twice.

    Fees wait while a chargeback is open (DOMAIN §4: disputed, no new fees).
    """
    if state.issued_at is None or state.issued_at > now:
        return ()
    fees = () if is_disputed(state, now) else _fees(state, now)
    return (*_held_money(state), *moved_money(state, now), *fees)


def _fees(state: CitationLedger, now: datetime) -> Sequence[DueEvent]:
    """Return the fees due; none is taken back before it is known what a returned payment costs."""
    returned, late = _returned_items(state), _late_fee(state, now)
    taken_back = any(isinstance(event, LateFeeReversed) for event in late)
    return returned if returned and taken_back else (*returned, *late)


def next_due(state: CitationLedger) -> datetime | None:
    """Return the next instant at which something falls due by the passing of time alone."""
    instant = late_fee_instant(state) if state.issued_at is not None else None
    if instant is None or not _may_fall_due(state, instant):
        return None
    return instant if _owed_before(state, instant) else None


def is_disputed(state: CitationLedger, at: datetime) -> bool:
    """Tell whether a chargeback of one of the citation's payments is open at an instant."""
    return any(disputed_at(p, at) for p in state.payments.values() if _settles(p, state.citation))


def late_fee_instant(state: CitationLedger) -> datetime | None:
    """Return when the late fee falls: 00:00 of its day, or when the last chargeback open then was closed."""
    return undisputed_from(state, deadlines(state).late_fee)


def undisputed_from(state: CitationLedger, instant: datetime | None) -> datetime | None:
    """Return the instant, or when the last chargeback open then was closed; `None` while one is open."""
    while instant is not None:
        open_now = [
            p for p in state.payments.values() if disputed_at(p, instant) and _named(p, state.citation)
        ]
        if not open_now:
            return instant
        ends = [dispute_end(p, instant) for p in open_now]
        instant = None if None in ends else max(end for end in ends if end is not None)
    return None


def _settles(payment: Payment, citation: str) -> bool:
    return any(a.citation == citation for a in allocations(payment))


def _named(payment: Payment, citation: str) -> bool:
    """Tell whether the payment was ever meant for the citation, returned or not."""
    return payment.citation == citation or any(a.citation == citation for a in payment.explicit)


def _owed_before(state: CitationLedger, instant: datetime) -> int:
    """Return what the citation asked for just before an instant, late fee apart."""
    before = instant - INSTANT_BEFORE
    return max(0, balance(state, before) - late_fee_at(state, before))


def _owes_at(state: CitationLedger, instant: datetime) -> bool:
    """Tell whether something was owed when the fee fell due, whatever became of the citation later."""
    return not asks_nothing(state, instant) and _owed_before(state, instant) > 0


def _late_fee(state: CitationLedger, now: datetime) -> Sequence[DueEvent]:
    instant = late_fee_instant(state)
    falls_due = instant is not None and instant <= now
    if late_fee_at(state, now) > 0:
        reversal = _reversal(state, _last_mark(state), now)
        if not reversal or instant is None or not falls_due:
            return reversal
        if _stands_early(state, instant):
            owed = _owes_at(_without_late_fee(state), instant)
            return (*reversal, *_assessed(state, instant)) if owed else reversal
        return () if _owes_at(state, instant) else reversal
    if instant is None or not falls_due or not _owes_at(state, instant):
        return ()
    if _may_fall_due(state, instant):
        return _assessed(state, instant)
    return _reinstatement(state, _last_mark(state), now)


def _without_late_fee(state: CitationLedger) -> CitationLedger:
    """Return the docket as if no late fee had been assessed: what was paid meanwhile met the fine alone."""
    return replace(state, fees=tuple(fee for fee in state.fees if fee.word == "returned_item"))


def _assessed(state: CitationLedger, instant: datetime) -> Sequence[DueEvent]:
    amount = Cents(state.policy.late_fee_for(state.code))
    return (LateFeeAssessed(at=instant, citation=state.citation, amount=amount),) if amount else ()


def _stands_early(state: CitationLedger, instant: datetime) -> bool:
    """Tell whether the fee stands from a day that a fact which arrived after it has moved on."""
    last = _last_mark(state)
    return last is not None and acts_from(state, last) < instant


def _last_mark(state: CitationLedger) -> Fee | None:
    """Return the newest of what was said of the late fee."""
    return max((f for f in state.fees if f.word != "returned_item"), key=lambda f: f.position, default=None)


def _may_fall_due(state: CitationLedger, instant: datetime) -> bool:
    """Tell whether the late fee is still to come: never assessed, or taken back because its day moved on."""
    last = _last_mark(state)
    if last is None:
        return True
    moved_on = all(f.at < instant for f in state.fees if f.word == "assessed")
    return last.word == "reversed" and last.corrects is not None and moved_on


def _reversal(state: CitationLedger, last: Fee | None, now: datetime) -> Sequence[DueEvent]:
    """Take the fee back where a fact that arrived after it shows that it did not fall due."""
    if last is None or _newest_fact(state) < last.position:
        return ()
    standing = Cents(late_fee_at(state, now))
    return (
        LateFeeReversed(
            at=now,
            citation=state.citation,
            amount=standing,
            reason="paid or held before it fell due",
            corrects=last.position,
        ),
    )


def _reinstatement(state: CitationLedger, last: Fee | None, now: datetime) -> Sequence[DueEvent]:
    """Bring the fee back where a fact that arrived after its reversal shows that it did fall due.

    A waived fee stays waived: unless the reversal names what it corrects, only a returned payment undoes it.
    """
    if last is None or last.word != "reversed" or last.position > _newest_undoing(state, last):
        return ()
    return (
        LateFeeReinstated(
            at=now,
            citation=state.citation,
            amount=Cents(last.amount),
            reason="unpaid and not held when it fell due, after all",
            corrects=last.position,
        ),
    )


def _newest_undoing(state: CitationLedger, reversal: Fee) -> int:
    """Return the position of the newest fact that can undo a reversal: money that went back, a hold's end."""
    payments = state.payments.values()
    returned = [p.returned.position for p in payments if p.returned is not None]
    if reversal.corrects is None:
        return max([*returned, 0])
    refunds = [refund.position for p in payments for refund in p.refunds]
    disputes = [mark.position for p in payments for mark in p.chargeback]
    steps = [s.position for a in state.appeals.values() for s in a.steps]
    return max([*returned, *refunds, *disputes, *steps, *(position for _, position in state.services), 0])


def _newest_fact(state: CitationLedger) -> int:
    """Return the position of the newest fact that can move or meet the late fee's day."""
    made = [p.made_position for p in state.payments.values()]
    placed = [a.position for p in state.payments.values() for a in p.explicit]
    steps = [s.position for a in state.appeals.values() for s in a.steps]
    served = [position for _, position in state.services]
    disputes = [mark.position for p in state.payments.values() for mark in p.chargeback]
    return max([*made, *placed, *steps, *served, *disputes, 0])


def _returned_items(state: CitationLedger) -> Sequence[DueEvent]:
    """Return a fee for each payment that the bank returned, on the citation that it was made for first.

    What counts is whether the citation asked for anything when the payment was returned, not when that was
    told: a fee of before its dismissal is answered as of then, in whatever order the facts came.
    """
    amount = Cents(state.policy.returned_item_fee)
    if amount == 0:
        return ()
    returned = [
        p.returned
        for p in state.payments.values()
        if p.returned is not None and p.returned.word == "dishonoured" and _made_for(p) == state.citation
    ]
    charged = [f.corrects for f in state.fees if f.word == "returned_item"]
    uncharged = (m for m in returned if m.position not in charged and not asks_nothing(state, m.at))
    open_marks = sorted(uncharged, key=lambda mark: mark.position)
    told = {mark.position for mark in returned}
    by_hand = sum(corrects not in told for corrects in charged)  # a reported fee need not say what it is for
    return tuple(
        ReturnedItemFeeAssessed(
            at=mark.at,
            citation=state.citation,
            amount=amount,
            reason="payment returned by the bank",
            corrects=mark.position,
        )
        for mark in open_marks[by_hand:]
    )


def _made_for(payment: Payment) -> str | None:
    """Return the citation that the payment was made for, or to which it moved from a voided duplicate."""
    citation = payment.citation or (payment.explicit[0].citation if payment.explicit else None)
    for made in payment.explicit:
        if made.moved_from is not None and made.moved_from == citation:
            citation = made.citation
    return citation


def _held_money(state: CitationLedger) -> Sequence[DueEvent]:
    """Allocate what was paid before the citation was in the log, now that it is."""
    return tuple(
        PaymentAllocated(
            at=max(made, state.issued_at) if state.issued_at else made,
            payment=payment.payment,
            citation=state.citation,
            amount=Cents(payment.amount),
            effective_at=made,
        )
        for payment in state.payments.values()
        if (made := payment.made_at) is not None
        and payment.citation == state.citation
        and not payment.explicit
        and payment.returned is None
        and payment.made_position < state.issued_position
    )


def moved_money(state: CitationLedger, now: datetime) -> Sequence[DueEvent]:
    """Move what was paid on a voided duplicate to the citation that was kept.

    It does not come back to where it was moved from: of duplicates that name each other none was kept.
    """
    if state.void is None or state.void.duplicate_of in {None, state.citation}:
        return ()
    kept = str(state.void.duplicate_of)
    moved: list[DueEvent] = []
    for payment in state.payments.values():
        if any(made.moved_from == kept for made in payment.explicit):
            continue
        gone = sum(r.amount for r in refunds_by_citation(payment) if r.citation == state.citation)
        for part in (a for a in allocations(payment) if a.citation == state.citation):
            amount = max(0, part.amount - gone)
            gone = max(0, gone - part.amount)
            if amount:
                moved.append(
                    PaymentAllocated(
                        at=max(now, part.at),  # told as of an earlier instant, it moves what came later, too
                        payment=payment.payment,
                        citation=kept,
                        amount=Cents(amount),
                        effective_at=part.effective_at,
                        moved_from=state.citation,
                    )
                )
    return tuple(moved)
