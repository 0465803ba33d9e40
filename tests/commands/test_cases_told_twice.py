"""A case told in any order, dated as one likes: what was told once changes nothing when it is told again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.appeals import (
    AcceptLateFiling,
    DecideAppeal,
    FileAppeal,
    RefuseLateFiling,
    ReinstateAppeal,
    RequestLateFiling,
    WithdrawAppeal,
)
from commands.citations import ServeCitation
from commands.decider import Command, Refusal
from commands.escalation import EscalateCitation, RecordOwnerLookup, RequireReview
from commands.hearings import AdjournHearing, HoldHearing, ScheduleHearing
from commands.payment_life import (
    DishonourPayment,
    LoseChargeback,
    OpenChargeback,
    RefundPayment,
    WinChargeback,
)
from commands.payments import AuthorisePayment
from commands.registry import COMMANDS
from commands.voids import VoidCitation
from event_store.memory import MemoryLog
from events.envelope import Append
from tests.commands.cases import ZONE, cents, cited, t
from write_api.execute import execute

DAYS = ("2026-03-05 09:30", "2026-03-06 10:00", "2026-03-06 10:01", "2026-03-20", "2026-04-10")
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "at": st.sampled_from(DAYS).map(t),
    "citation": st.just("C-1"),
    "appeal": st.sampled_from(["A-1", "A-2"]),
    "level": st.sampled_from([1, 2]),
    "outcome": st.sampled_from(["upheld", "reduced", "dismissed"]),
    "amount": st.sampled_from([None, 0, 500, 3000]).map(lambda n: None if n is None else cents(n)),
    "hearing_at": st.sampled_from([None, t("2026-04-20"), t("2026-04-21")]),
    "stage": st.sampled_from(["notice", "hold", "tow", "court"]),
    "result": st.sampled_from(["found", "unknown"]),
    "reason": st.sampled_from(["error", "duplicate"]),
    "payment": st.sampled_from(["P-1", "P-2"]),
}
PAID = {"amount": st.sampled_from([500, 3000, 6000]).map(cents)}
KINDS: tuple[type[Command], ...] = (
    *(FileAppeal, RequestLateFiling, AcceptLateFiling, RefuseLateFiling),
    *(DecideAppeal, WithdrawAppeal, ReinstateAppeal),
    *(ScheduleHearing, AdjournHearing, HoldHearing),
    *(ServeCitation, EscalateCitation, RecordOwnerLookup, RequireReview, VoidCitation),
    *(AuthorisePayment, RefundPayment, DishonourPayment, OpenChargeback, WinChargeback, LoseChargeback),
)


def _of(kind: type[Command]) -> st.SearchStrategy[Command]:
    fields = {name: FIELDS[name] for name in kind.model_fields if name in FIELDS}
    if kind in {AuthorisePayment, RefundPayment}:
        fields |= PAID
    return st.fixed_dictionaries(fields).map(lambda said: kind(**said))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(KINDS).flatmap(_of), min_size=2, max_size=25))
def test_what_was_told_once_changes_nothing_when_it_is_told_again(story: Sequence[Command]) -> None:
    log = MemoryLog()
    log.append(Append((ZONE, cited()), UUID(int=1)))
    for number, command in enumerate(story, start=1):
        decider = COMMANDS[type(command).__name__]
        try:
            execute(log, decider, command, UUID(int=10 * number))
        except Refusal:
            continue
        again = execute(log, decider, command, UUID(int=10 * number + 1))
        assert list(again.events) == [], f"{command!r} was not done by its own outcome"
