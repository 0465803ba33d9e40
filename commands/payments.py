"""Payments taken: authorised or received, for a citation, a permit, a session, or held until one turns up.

A payment for a citation is refused where it is more than what settles it at the instant that the payment
counts from. Money for a citation that is not in the log yet is held, and allocated when it arrives.
"""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from commands.case_rules import AlreadySettled
from commands.charges import is_voided, payable
from commands.citations import AlreadyVoided
from commands.decider import Command, Decider, Refusal, fact_of
from commands.docket import CitationLedger, LedgerEvent, evolve_ledger
from commands.ledger_boundary import ledger_boundary, payment_events
from commands.money import Payment
from events.base import Event
from events.boundary import Boundary
from events.payments import Last4, PaymentAllocated, PaymentAuthorised, PaymentReceived
from events.vocabulary import (
    AccountId,
    CitationId,
    PaymentId,
    PermitId,
    PositiveAmount,
    SessionId,
    Word,
    looks_like_card_number,
)


class TakePayment(Command):
    """Money for a citation, a permit or a session; a card is known by token, reference and last digits."""

    payment: PaymentId
    amount: PositiveAmount
    method: Word = Field(default="card", description="how it was paid: card, wallet, cash, cheque, transfer")
    reference: Word | None = None
    last4: Last4 | None = None
    citation: CitationId | None = None
    permit: PermitId | None = None
    session: SessionId | None = None
    account: AccountId | None = None


class AuthorisePayment(TakePayment):
    """A card issuer or wallet authorised the amount."""


class ReceivePayment(TakePayment):
    """Cash, a cheque or a transfer was received."""

    method: Word = Field(default="cash", description="how it was paid: cash, cheque, transfer, card, wallet")


class CardNumberRefused(Refusal):
    """A field holds what looks like a card number; send a token and the last four digits instead."""


class PaymentNumberTaken(Refusal):
    """Another payment has that number."""


class AmountExceedsPayable(Refusal):
    """The amount is more than what settles the citation at that instant."""


def refuse_card_numbers(command: BaseModel) -> None:
    """Refuse a command or a reported fact any of whose texts holds a card number.

    Raises:
        CardNumberRefused: naming the field.

    """
    for name, value in command:
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and looks_like_card_number(text) for text in texts):
            raise CardNumberRefused(f"The field {name!r} holds what looks like a card number.", field=name)


def _boundary(command: TakePayment, state: CitationLedger) -> Boundary[LedgerEvent]:
    wanted: Boundary[LedgerEvent] = payment_events(command.payment)
    return wanted | ledger_boundary(command.citation, state) if command.citation else wanted


def _taken(
    command: TakePayment, state: CitationLedger, event: type[PaymentAuthorised | PaymentReceived]
) -> Sequence[Event]:
    refuse_card_numbers(command)
    taken = fact_of(command, event)
    known = state.payments.get(command.payment)
    if known is not None and known.made_at is not None:
        _refuse_other(command, known)
        return ()
    if command.citation is None or state.issued_at is None:
        return (taken,)
    _refuse_unpayable(command, state)
    allocated = PaymentAllocated(
        at=command.at,
        payment=command.payment,
        citation=command.citation,
        amount=command.amount,
        effective_at=command.at,
    )
    return (taken, allocated)


def _refuse_other(command: TakePayment, known: Payment) -> None:
    """Refuse another payment under a number that was used; the same one again is fulfilled already."""
    for name in ("amount", "citation", "permit", "session", "account", "reference", "last4"):
        if getattr(command, name) != getattr(known, name):
            raise PaymentNumberTaken(f"Another payment has the number {command.payment!r}.")


def _refuse_unpayable(command: TakePayment, state: CitationLedger) -> None:
    if is_voided(state, command.at):
        raise AlreadyVoided(f"The citation {command.citation!r} was voided.", citation=command.citation)
    instant = max(command.at, state.issued_at) if state.issued_at else command.at
    owed = payable(state, instant)
    if owed == 0:
        raise AlreadySettled(f"Nothing is left to pay on {command.citation!r}.")
    if command.amount > owed:
        raise AmountExceedsPayable(
            f"{command.amount} is more than the {owed} that settle {command.citation!r}.", payable=owed
        )


def _authorise(command: AuthorisePayment, state: CitationLedger) -> Sequence[Event]:
    return _taken(command, state, PaymentAuthorised)


def _receive(command: ReceivePayment, state: CitationLedger) -> Sequence[Event]:
    return _taken(command, state, PaymentReceived)


AUTHORISE_PAYMENT = Decider(AuthorisePayment, _boundary, CitationLedger, evolve_ledger, _authorise)
RECEIVE_PAYMENT = Decider(ReceivePayment, _boundary, CitationLedger, evolve_ledger, _receive)
DECIDERS = (AUTHORISE_PAYMENT, RECEIVE_PAYMENT)
