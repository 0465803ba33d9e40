"""The ledger of a citation: its docket folded, and what follows from it at an instant.

    state = CitationLedger("PV-50001")
    for entry in entries:                       # those of ledger_boundary, up to the position that is known
        state = evolve_ledger(state, entry)
    balance(state, at), payable(state, at), refundable(state, at), stage(state, at), deadlines(state)
    due(state, now)                             # what automation owes the log by now

`known` is the position up to which entries were folded; `at` is the business instant that is asked for.
"""

from commands.charges import (
    balance,
    charges,
    decisions,
    fine_at,
    in_discount_window,
    is_dismissed,
    is_voided,
    paid,
    payable,
    refundable,
    stage,
)
from commands.deadlines import Deadlines, deadlines, deadlines_by_name, in_time
from commands.docket import (
    CITATION_EVENTS,
    LEDGER_EVENTS,
    CitationLedger,
    LedgerEvent,
    evolve_ledger,
)
from commands.dues import DueEvent, due, is_disputed, late_fee_instant, next_due
from commands.holds import APPEAL_EVENTS, Appeal, evolve_appeal
from commands.ledger_boundary import appeal_events, ledger_boundary
from commands.money import PAYMENT_EVENTS, Payment, evolve_payment, unallocated

__all__ = [
    "APPEAL_EVENTS",
    "CITATION_EVENTS",
    "LEDGER_EVENTS",
    "PAYMENT_EVENTS",
    "Appeal",
    "CitationLedger",
    "Deadlines",
    "DueEvent",
    "LedgerEvent",
    "Payment",
    "appeal_events",
    "balance",
    "charges",
    "deadlines",
    "deadlines_by_name",
    "decisions",
    "due",
    "evolve_appeal",
    "evolve_ledger",
    "evolve_payment",
    "fine_at",
    "in_discount_window",
    "in_time",
    "is_dismissed",
    "is_disputed",
    "is_voided",
    "late_fee_instant",
    "ledger_boundary",
    "next_due",
    "paid",
    "payable",
    "refundable",
    "stage",
    "unallocated",
]
