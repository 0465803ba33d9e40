"""What stands against a citation at the end does not depend on how late its facts were posted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as some

from commands.ledger import CitationLedger, balance, due, evolve_ledger, next_due, refundable, stage
from events.appeals import AppealDecided, AppealFiled, LateFilingAccepted, LateFilingRequested
from events.base import Event
from events.citations import CitationServed
from events.envelope import Recorded
from events.payments import (
    ChargebackLost,
    ChargebackOpened,
    ChargebackWon,
    PaymentDishonoured,
    PaymentReceived,
    PaymentRefunded,
)
from tests.commands.cases import ZONE, cents, cited, t

ISSUED = cited("2026-03-05 09:00")
END = t("2026-06-15")
DAYS = some.integers(0, 50)


def day(number: int) -> datetime:
    return t("2026-03-05 12:00") + timedelta(days=number)


@some.composite
def stories(draw: some.DrawFn) -> list[Event]:
    """Return facts of one citation that could have happened, in the order in which they did."""
    told: list[Event] = []
    if draw(some.booleans()):
        told.append(CitationServed(at=day(draw(some.integers(0, 10))), citation="C-1"))
    for number in range(draw(some.integers(0, 2))):
        told += draw(_payment(f"P-{number}"))
    if draw(some.booleans()):
        told += draw(_appeal())
    return sorted(told, key=lambda fact: fact.at)


@some.composite
def _payment(draw: some.DrawFn, payment: str) -> list[Event]:
    made = draw(DAYS)
    amount = cents(draw(some.sampled_from([1000, 3000, 6000, 8500])))
    told: list[Event] = [PaymentReceived(at=day(made), payment=payment, amount=amount, citation="C-1")]
    later = day(made + draw(some.integers(1, 20)))
    ended = later + timedelta(days=draw(some.integers(1, 20)))
    opened = ChargebackOpened(at=later, payment=payment)
    endings: list[list[Event]] = [
        [],
        [PaymentDishonoured(at=later, payment=payment)],
        [PaymentRefunded(at=later, payment=payment, amount=amount)],
        [opened, ChargebackWon(at=ended, payment=payment)],
        [opened, ChargebackLost(at=ended, payment=payment)],
    ]
    return told + draw(some.sampled_from(endings))


@some.composite
def _appeal(draw: some.DrawFn) -> list[Event]:
    filed = draw(some.integers(0, 35))
    told: list[Event] = [AppealFiled(at=day(filed), appeal="A-1", citation="C-1")]
    if draw(some.booleans()):
        told += [
            LateFilingRequested(at=day(filed + 1), appeal="A-1", citation="C-1"),
            LateFilingAccepted(at=day(filed + 3), appeal="A-1", citation="C-1"),
        ]
    outcome = draw(some.sampled_from(["upheld", "reduced", "dismissed"]))
    amount = cents(2000) if outcome == "reduced" else None
    decided = day(filed + 4 + draw(some.integers(0, 15)))
    return [
        *told,
        AppealDecided(at=decided, appeal="A-1", citation="C-1", outcome=outcome, amount=amount),
    ]


def played(facts: Sequence[tuple[datetime, Event]]) -> CitationLedger:
    """Return the docket at the end, automation acting at each instant that falls due and after each fact."""
    entries: list[Recorded[Event]] = []
    state = CitationLedger("C-1")

    def append(event: Event, now: datetime) -> None:
        nonlocal state
        entries.append(Recorded(len(entries) + 1, now, event, "", "", UUID(int=0)))
        state = reduce(evolve_ledger, entries, CitationLedger("C-1"))  # type: ignore[arg-type]

    def settle(now: datetime) -> None:
        for _ in range(20):
            owed = due(state, now)
            if not owed:
                return
            for event in owed:
                append(event, now)
        raise AssertionError(f"automation found no rest at {now}")

    append(ZONE, ZONE.at)
    for now, fact in [*sorted(facts, key=lambda f: f[0]), (END, None)]:
        while (instant := next_due(state)) is not None and instant <= now:
            before = len(entries)
            settle(instant)
            if len(entries) == before:
                break
        if fact is not None:
            append(fact, now)
        settle(now)
    return state


@given(stories(), some.data())
@settings(max_examples=60, deadline=None)
def test_facts_that_are_posted_late_leave_the_balance_that_they_would_have_left_in_time(
    story: list[Event], data: some.DataObject
) -> None:
    in_time = played([(ISSUED.at, ISSUED), *((fact.at, fact) for fact in story)])
    delays = some.sampled_from([0, 0, 3, 15, 40]).map(lambda days: timedelta(days=days))
    of_appeal = data.draw(delays)
    posted = [f.at + (of_appeal if "appeal" in type(f).model_fields else data.draw(delays)) for f in story]
    late = played([(ISSUED.at, ISSUED), *zip(posted, story, strict=True)])
    for of in (balance, refundable, stage):
        assert of(late, END) == of(in_time, END), of.__name__
    for instant in (day(number) for number in range(0, 100, 3)):
        assert balance(late, instant) == balance(in_time, instant), instant
