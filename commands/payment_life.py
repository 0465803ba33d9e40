"""What becomes of a payment: captured, settled, allocated, refunded, returned by the bank, charged back."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

from commands.case_rules import AlreadySettled
from commands.charges import is_voided, payable
from commands.citations import AlreadyVoided, NoSuchCitation
from commands.decider import Command, Decider, Refusal, fact_of
from commands.docket import CitationLedger, LedgerEvent, evolve_ledger
from commands.ledger_boundary import ledger_boundary, payment_events
from commands.money import Payment, allocations, disputed_at, remaining, unallocated
from commands.payments import AmountExceedsPayable, refuse_card_numbers
from events.base import Event
from events.boundary import Boundary, on
from events.citations import CitationIssued
from events.envelope import Recorded
from events.payments import (
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    PaymentAllocated,
    PaymentCaptured,
    PaymentDishonoured,
    PaymentRefunded,
    PaymentSettled,
)
from events.vocabulary import Cents, CitationId, Instant, PaymentId, PositiveAmount, Text


class OnPayment(Command):
    """An act on one payment."""

    payment: PaymentId


class CapturePayment(OnPayment):
    """Record that the processor captured it."""


class SettlePayment(OnPayment):
    """Record that the money reached the office's account."""


class AllocatePayment(OnPayment):
    """Let held money settle a citation: all that is held and payable where no amount is given."""

    citation: CitationId
    amount: PositiveAmount | None = None
    effective_at: Instant | None = None


class RefundPayment(OnPayment):
    """Give money back: all that is left of the payment where no amount is given."""

    amount: PositiveAmount | None = None
    citation: CitationId | None = None


class DishonourPayment(OnPayment):
    """Record that the bank returned it: it counts as never made."""

    reason: Text | None = None


class OpenChargeback(OnPayment):
    """Record that the cardholder disputes it."""


class WinChargeback(OnPayment):
    """Record that the dispute ended for the office."""


class LoseChargeback(OnPayment):
    """Record that the dispute ended for the cardholder: the payment counts as never made."""


class NoSuchPayment(Refusal):
    """The log holds no payment of that number."""


class PaymentReturned(Refusal):
    """The payment was returned, and counts as never made."""


class NothingToRefund(Refusal):
    """So much of the payment is not left to give back."""


class AmountExceedsRemaining(Refusal):
    """The amount is more than what is left of the payment."""


class PaymentDisputed(Refusal):
    """A chargeback of the payment is open: until it ends nothing is given back besides."""


class NoOpenChargeback(Refusal):
    """No chargeback of the payment is open."""


type Facts = tuple[Recorded[LedgerEvent], ...]
"""The entries of the payment and, where one is named, of the citation's docket."""


def _nothing() -> Facts:
    return ()


def _evolve(facts: Facts, entry: Recorded[LedgerEvent]) -> Facts:
    return (*facts, entry)


def _boundary(command: OnPayment, _: Facts) -> Boundary[LedgerEvent]:
    return payment_events(command.payment)


def _payment(command: OnPayment, facts: Facts) -> Payment:
    known = reduce(evolve_ledger, facts, CitationLedger()).payments.get(command.payment)
    if known is None or known.made_at is None:
        raise NoSuchPayment(f"The log holds no payment {command.payment!r}.", payment=command.payment)
    return known


def _kept(command: OnPayment, facts: Facts) -> Payment:
    known = _payment(command, facts)
    if known.returned is not None:
        raise PaymentReturned(f"The payment {command.payment!r} was returned.", payment=command.payment)
    return known


def _capture(command: CapturePayment, facts: Facts) -> Sequence[Event]:
    known = _payment(command, facts)
    return () if known.captured else (fact_of(_valid(command, facts), PaymentCaptured),)


def _settle(command: SettlePayment, facts: Facts) -> Sequence[Event]:
    known = _payment(command, facts)
    return () if known.settled else (fact_of(_valid(command, facts), PaymentSettled),)


def _valid[C: OnPayment](command: C, facts: Facts) -> C:
    _kept(command, facts)
    return command


def _refund(command: RefundPayment, facts: Facts) -> Sequence[Event]:
    """Refund once at one instant: the same refund again, at the same instant, is fulfilled already."""
    known = _payment(command, facts)
    if known.returned is not None:
        raise NothingToRefund(f"{command.payment!r} was returned: as never made.", payment=command.payment)
    if any(r.at == command.at and command.amount in {None, r.amount} for r in known.refunds):
        return ()
    if disputed_at(known, command.at):
        raise PaymentDisputed(f"A chargeback of {command.payment!r} is open.", payment=command.payment)
    left = remaining(known)
    if left == 0 or (known.made_at is not None and command.at < known.made_at):
        raise NothingToRefund(f"Nothing is left of {command.payment!r}.", payment=command.payment)
    amount = command.amount if command.amount is not None else Cents(left)
    if amount > left:
        raise NothingToRefund(f"Only {left} of {command.payment!r} are left.", remaining=left)
    return (fact_of(command, PaymentRefunded, amount=amount),)


def _dishonour(command: DishonourPayment, facts: Facts) -> Sequence[Event]:
    refuse_card_numbers(command)
    returned = _payment(command, facts).returned
    return () if returned is not None else (fact_of(command, PaymentDishonoured),)


def _open(command: OpenChargeback, facts: Facts) -> Sequence[Event]:
    known = _payment(command, facts)
    if _chargeback(known, command.at) == "opened":
        return ()
    return (fact_of(_valid(command, facts), ChargebackOpened),)


def _win(command: WinChargeback, facts: Facts) -> Sequence[Event]:
    return _closed(command, facts, "won", ChargebackWon)


def _lose(command: LoseChargeback, facts: Facts) -> Sequence[Event]:
    return _closed(command, facts, "lost", ChargebackLost)


def _closed(
    command: OnPayment, facts: Facts, word: str, event: type[ChargebackWon | ChargebackLost]
) -> Sequence[Event]:
    last = _chargeback(_payment(command, facts), command.at)
    if last == word:
        return ()
    if last != "opened":
        raise NoOpenChargeback(f"No chargeback of {command.payment!r} is open.", payment=command.payment)
    return (fact_of(command, event),)


def _chargeback(payment: Payment, at: datetime) -> str | None:
    """Return what was last said of a chargeback by an instant: opened, won or lost."""
    said = [mark.word for mark in payment.chargeback if mark.at <= at]
    return said[-1] if said else None


def _allocating(command: AllocatePayment, facts: Facts) -> Boundary[LedgerEvent]:
    state = reduce(evolve_ledger, facts, CitationLedger(command.citation))
    wanted = _boundary(command, facts) | ledger_boundary(command.citation, state)
    for payment in state.payments.values():
        if payment.citation is not None:
            wanted |= on(CitationIssued, citation=payment.citation)
    return wanted


def _allocate(command: AllocatePayment, facts: Facts) -> Sequence[Event]:
    known = _kept(command, facts)
    if _allocated_already(command, known):
        return ()
    state = reduce(evolve_ledger, facts, CitationLedger(command.citation))
    if state.issued_at is None:
        raise NoSuchCitation(f"The log holds no citation {command.citation!r}.", citation=command.citation)
    if is_voided(state, command.at):
        raise AlreadyVoided(f"The citation {command.citation!r} was voided.", citation=command.citation)
    effective = command.effective_at or known.made_at or command.at
    amount = _allocatable(command, facts, known, payable(state, max(effective, state.issued_at)))
    return (fact_of(command, PaymentAllocated, amount=amount, effective_at=effective),)


def _allocated_already(command: AllocatePayment, known: Payment) -> bool:
    """Tell whether this allocation was made before, or all of the payment settles that citation anyway."""
    if any(a.citation == command.citation and a.at == command.at for a in known.explicit):
        return True
    placed = sum(a.amount for a in allocations(known) if a.citation == command.citation)
    return bool(known.explicit) and placed == known.amount and command.amount in {None, placed}


def _allocatable(command: AllocatePayment, facts: Facts, known: Payment, owed: int) -> Cents:
    issued = {e.event.citation for e in facts if isinstance(e.event, CitationIssued)}
    held = unallocated(known, issued)
    if owed == 0:
        raise AlreadySettled(f"Nothing is left to pay on {command.citation!r}.")
    amount = command.amount if command.amount is not None else Cents(min(held, owed))
    if amount > held or amount == 0:
        raise AmountExceedsRemaining(f"{command.payment!r} holds {held} for no citation yet.", remaining=held)
    if amount > owed:
        raise AmountExceedsPayable(f"{amount} is more than the {owed} that settle it.", payable=owed)
    return amount


CAPTURE_PAYMENT = Decider(CapturePayment, _boundary, _nothing, _evolve, _capture)
SETTLE_PAYMENT = Decider(SettlePayment, _boundary, _nothing, _evolve, _settle)
ALLOCATE_PAYMENT = Decider(AllocatePayment, _allocating, _nothing, _evolve, _allocate)
REFUND_PAYMENT = Decider(RefundPayment, _boundary, _nothing, _evolve, _refund)
DISHONOUR_PAYMENT = Decider(DishonourPayment, _boundary, _nothing, _evolve, _dishonour)
OPEN_CHARGEBACK = Decider(OpenChargeback, _boundary, _nothing, _evolve, _open)
WIN_CHARGEBACK = Decider(WinChargeback, _boundary, _nothing, _evolve, _win)
LOSE_CHARGEBACK = Decider(LoseChargeback, _boundary, _nothing, _evolve, _lose)
DECIDERS = (
    CAPTURE_PAYMENT,
    SETTLE_PAYMENT,
    ALLOCATE_PAYMENT,
    REFUND_PAYMENT,
    DISHONOUR_PAYMENT,
    OPEN_CHARGEBACK,
    WIN_CHARGEBACK,
    LOSE_CHARGEBACK,
)
