"""Money is conserved: every cent paid settles a citation, is held, or was given back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as some

from commands.citations import IssueCitation
from commands.decider import Command, Refusal
from commands.ledger import (
    LEDGER_EVENTS,
    PAYMENT_EVENTS,
    CitationLedger,
    Payment,
    balance,
    charges,
    due,
    evolve_ledger,
    evolve_payment,
    payable,
    refundable,
    unallocated,
)
from commands.money import allocations, refunded, refunds_by_citation
from commands.payment_life import (
    AllocatePayment,
    DishonourPayment,
    LoseChargeback,
    OpenChargeback,
    RefundPayment,
    WinChargeback,
)
from commands.payments import AuthorisePayment, ReceivePayment
from commands.registry import COMMANDS
from commands.voids import VoidCitation
from event_store.memory import MemoryLog
from events.base import Event
from events.citations import CitationIssued
from events.envelope import Append, Recorded
from tests.commands.cases import CAR, PERMITS_ONLY, ZONE, cents, t
from write_api.execute import execute

CITATIONS = ("C-1", "C-2", "C-3")
PAYMENTS = ("P-1", "P-2", "P-3")
START = t("2026-03-05 09:00")

citations = some.sampled_from(CITATIONS)
payments = some.sampled_from(PAYMENTS)
amounts = some.sampled_from([500, 1000, 2000, 3000, 6000]).map(cents)
instants = some.integers(0, 40 * 24).map(lambda hours: START + timedelta(hours=hours))

wishes: some.SearchStrategy[Command] = some.one_of(
    some.builds(
        IssueCitation,
        at=instants,
        citation=citations,
        plate=some.just(str(CAR)),
        zone=some.just("F"),
        online=some.just(value=False),
    ),
    some.builds(AuthorisePayment, at=instants, payment=payments, amount=amounts, citation=citations),
    some.builds(ReceivePayment, at=instants, payment=payments, amount=amounts),
    some.builds(AllocatePayment, at=instants, payment=payments, citation=citations, amount=amounts),
    some.builds(RefundPayment, at=instants, payment=payments, amount=amounts | some.none()),
    some.builds(DishonourPayment, at=instants, payment=payments),
    some.builds(OpenChargeback, at=instants, payment=payments),
    some.builds(WinChargeback, at=instants, payment=payments),
    some.builds(LoseChargeback, at=instants, payment=payments),
    some.builds(
        VoidCitation,
        at=instants,
        citation=citations,
        reason=some.just("duplicate"),
        duplicate_of=citations | some.none(),
    ),
)


def history(commands: Sequence[Command]) -> MemoryLog:
    """Return the log of a run of commands, each decided twice, with what falls due after each."""
    log = MemoryLog()
    log.append(Append((ZONE, PERMITS_ONLY), UUID(int=1)))
    for number, command in enumerate(commands, start=1):
        decider = COMMANDS[type(command).__name__]
        try:
            execute(log, decider, command, UUID(int=number * 1000))
        except Refusal:
            continue
        twice = execute(log, decider, command, UUID(int=number * 1000 + 1))
        assert twice.events == (), f"{command!r} decided twice"
        for ordinal, citation in enumerate(CITATIONS, start=2):
            for again in range(2):
                events = due(docket(entries(log), citation), command.at)
                if events:
                    log.append(Append(tuple(events), UUID(int=number * 1000 + ordinal * 10 + again)))
            assert due(docket(entries(log), citation), command.at) == ()
    return log


def entries(log: MemoryLog) -> Sequence[Recorded[Event]]:
    return log.read().entries


def docket(known: Sequence[Recorded[Event]], citation: str) -> CitationLedger:
    state = CitationLedger(citation)
    for entry in known:
        event = entry.event
        if isinstance(event, PAYMENT_EVENTS) or (
            isinstance(event, LEDGER_EVENTS) and getattr(event, "citation", citation) == citation
        ):
            state = evolve_ledger(
                state, Recorded(entry.position, entry.recorded, event, "", "", entry.command_id)
            )
    return state


@settings(max_examples=150, deadline=None)
@given(some.lists(wishes, min_size=2, max_size=16))
def test_every_cent_paid_settles_a_citation_is_held_or_was_given_back(commands: list[Command]) -> None:
    known = entries(history(commands))
    for position in range(len(known) + 1):
        conserved(known[:position])


def conserved(known: Sequence[Recorded[Event]]) -> None:
    issued = {e.event.citation for e in known if isinstance(e.event, CitationIssued)}
    folded: dict[str, Payment] = {}
    for entry in known:
        if isinstance(entry.event, PAYMENT_EVENTS):
            name = entry.event.payment
            folded[name] = evolve_payment(folded.get(name, Payment(name)), entry)
    for payment in folded.values():
        if payment.returned is not None:
            assert allocations(payment) == ()
            assert unallocated(payment, issued) == 0
            continue
        placed = sum(a.amount for a in allocations(payment) if a.citation in issued)
        back = sum(r.amount for r in refunds_by_citation(payment) if r.citation in issued)
        held = unallocated(payment, issued)
        assert (placed - back) + held + refunded(payment) == payment.amount


@settings(max_examples=100, deadline=None)
@given(some.lists(wishes, min_size=2, max_size=16), instants)
def test_a_citation_never_owes_and_is_owed_at_once(commands: list[Command], instant: datetime) -> None:
    known = entries(history(commands))

    for citation in CITATIONS:
        state = docket(known, citation)
        owed, back = balance(state, instant), refundable(state, instant)
        assert min(owed, back) == 0
        assert 0 <= payable(state, instant) <= owed <= charges(state, instant)
