"""What stands against a citation at an instant, what settles it, and what the office owes back.

Balance = fine and fees less what was paid. Paying what the discount window asks inside the window settles
the citation. Voided, dismissed and warnings owe nothing, and what was paid on them is refundable
(DOMAIN §4). Everything is in minor units and evaluated at a business instant on what the docket knows.
"""

from datetime import datetime

from commands.deadlines import deadlines
from commands.docket import CitationLedger, Fee
from commands.holds import Step
from commands.money import allocations, refunds_by_citation


def paid_parts(state: CitationLedger) -> tuple[tuple[datetime, int], ...]:
    """Return `(counted from, cents)` of every allocation to the citation, in order of time."""
    made = (
        (a.effective_at, a.amount)
        for payment in state.payments.values()
        for a in allocations(payment)
        if a.citation == state.citation
    )
    return tuple(sorted(made))


def refunded_by(state: CitationLedger, at: datetime) -> int:
    """Return the cents given back on the citation by an instant."""
    return sum(
        refund.amount
        for payment in state.payments.values()
        for refund in refunds_by_citation(payment)
        if refund.citation == state.citation and refund.at <= at
    )


def paid(state: CitationLedger, at: datetime) -> int:
    """Return the cents paid on the citation by an instant, less refunds."""
    return sum(amount for instant, amount in paid_parts(state) if instant <= at) - refunded_by(state, at)


def decisions(state: CitationLedger, at: datetime) -> list[Step]:
    """Return the decisions that stand at an instant, in the order in which they were made."""
    made = [a.decision_at(at) for a in state.appeals.values()]
    return sorted((d for d in made if d is not None), key=lambda d: (d.at, d.position))


def fine_at(state: CitationLedger, at: datetime) -> int:
    """Return the fine that stands at an instant: 0 where the citation asks for nothing."""
    if state.issued_at is None or at < state.issued_at or asks_nothing(state, at):
        return 0
    fine = state.fine if state.fine is not None else state.policy.fine_for(state.code)
    for decision in decisions(state, at):
        if decision.outcome == "reduced" and decision.amount is not None:
            fine = decision.amount
    return fine


def is_voided(state: CitationLedger, at: datetime) -> bool:
    """Tell whether the citation was voided by an instant."""
    return state.void is not None and state.void.at <= at


def is_dismissed(state: CitationLedger, at: datetime) -> bool:
    """Tell whether an appeal dismissed the citation, and no later decision let it stand again."""
    made = decisions(state, at)
    return bool(made) and made[-1].outcome == "dismissed"


def asks_nothing(state: CitationLedger, at: datetime) -> bool:
    """Tell whether the citation is a warning, voided or dismissed."""
    return state.kind == "warning" or is_voided(state, at) or is_dismissed(state, at)


def late_fee_at(state: CitationLedger, at: datetime) -> int:
    """Return the late fee that stands at an instant.

    There is one late fee: assessing it twice is one fee. A reversal or reinstatement that names what it
    corrects acts from that event's own instant, one that names nothing from its own.
    """
    acting = {f.position: acts_from(state, f) for f in state.fees}
    marks = sorted(state.fees, key=lambda f: (acting[f.position], f.position))
    assessed = standing = 0
    for fee in marks:
        if acting[fee.position] > at:
            continue
        if fee.word == "assessed":
            assessed = standing = max(assessed, fee.amount)
        elif fee.word == "reversed":
            standing = max(0, standing - fee.amount)
        elif fee.word == "reinstated":
            assessed = max(assessed, fee.amount)
            standing = min(assessed, standing + fee.amount)
    return standing


def acts_from(state: CitationLedger, fee: Fee) -> datetime:
    """Return the instant that a fee event acts from: that of the first one that it corrects, else its own."""
    by_position = {f.position: f for f in state.fees if f.word != "returned_item"}
    seen: set[int] = set()
    while fee.corrects in by_position and fee.corrects not in seen:
        seen.add(fee.corrects)
        fee = by_position[fee.corrects]
    return fee.at


def returned_fees_at(state: CitationLedger, at: datetime) -> int:
    """Return the fees for returned payments by an instant: one for each payment that was returned."""
    fees = sorted((f for f in state.fees if f.word == "returned_item"), key=lambda f: (f.at, f.position))
    dishonoured = sum(
        p.returned is not None and p.returned.word == "dishonoured" for p in state.payments.values()
    )
    return sum(f.amount for f in fees[: max(1, dishonoured)] if f.at <= at)


def fees_at(state: CitationLedger, at: datetime) -> int:
    """Return all fees that stand at an instant."""
    return 0 if asks_nothing(state, at) else late_fee_at(state, at) + returned_fees_at(state, at)


def discounted_at(state: CitationLedger, at: datetime) -> int:
    """Return what takes the place of the fine inside the discount window."""
    return min(fine_at(state, at), state.policy.discounted_fine_for(state.code))


def in_discount_window(state: CitationLedger, at: datetime) -> bool:
    """Tell whether the discount is on offer at an instant; a held clock keeps it on offer."""
    if state.issued_at is None:
        return False
    end = deadlines(state).discount
    return end is None or at < end


def earned_discount(state: CitationLedger, at: datetime) -> bool:
    """Tell whether payments inside the window came to what the discount asks, not given back by `at`.

    Refunds take what was paid after the window first: who paid twice and is given one payment back has
    settled the citation all the same.
    """
    parts = [part for part in paid_parts(state) if part[0] <= at]
    inside = [part for part in parts if in_discount_window(state, part[0])]
    after = sum(amount for _, amount in parts) - sum(amount for _, amount in inside)
    total = -max(0, refunded_by(state, at) - after)
    for instant, amount in inside:
        total += amount
        if total >= discounted_at(state, at) + fees_at(state, instant):
            return True
    return False


def charges(state: CitationLedger, at: datetime) -> int:
    """Return what the citation asks for in all at an instant, before payments."""
    fine = discounted_at(state, at) if earned_discount(state, at) else fine_at(state, at)
    return fine + fees_at(state, at)


def balance(state: CitationLedger, at: datetime) -> int:
    """Return what stands against the citation: fine and fees less allocated payments, never below 0."""
    return max(0, charges(state, at) - paid(state, at))


def payable(state: CitationLedger, at: datetime) -> int:
    """Return what settles the citation at an instant, the discount included."""
    owed = balance(state, at)
    if owed and in_discount_window(state, at):
        return max(0, discounted_at(state, at) + fees_at(state, at) - paid(state, at))
    return owed


def refundable(state: CitationLedger, at: datetime) -> int:
    """Return what was paid on the citation beyond what it asks for."""
    return max(0, paid(state, at) - charges(state, at))


def stage(state: CitationLedger, at: datetime) -> str | None:
    """Return where the citation stands in its life; `None` before it was issued.

    One of open, paid, late, notice, hold, boot, tow, collections, court, voided, dismissed.
    """
    if state.issued_at is None or at < state.issued_at:
        return None
    if is_voided(state, at):
        return "voided"
    if is_dismissed(state, at):
        return "dismissed"
    if state.kind == "citation" and balance(state, at) == 0:
        return "paid"
    reached = [e.stage for e in state.escalations if e.at <= at]
    if reached:
        return reached[-1]
    return "late" if is_late(state, at) else "open"


def is_late(state: CitationLedger, at: datetime) -> bool:
    """Tell whether the late fee's day has come for what is unpaid, also where the fee was waived or is 0."""
    if state.policy.late_fee_for(state.code) == 0:
        day = deadlines(state).late_fee
        return day is not None and day <= at
    corrected = {f.corrects for f in state.fees if f.word == "reversed" and late_fee_at(state, at) == 0}
    return any(f.word == "assessed" and f.at <= at and f.position not in corrected for f in state.fees)
