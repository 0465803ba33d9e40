"""What must be true after a year, whatever happened in it; each check says how much it looked at."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import batched

from commands.money import (
    PAYMENT_EVENTS,
    Payment,
    PaymentEvent,
    allocations,
    evolve_payment,
    refunded,
    refunds_by_citation,
    remaining,
    unallocated,
)
from commands.right_boundaries import plates_boundary
from commands.right_collection import KnownRights
from event_store.postgres import PostgresLog
from event_store.verifying import verify
from event_store.widening import settled
from events.boundary import Boundary, Criterion, on
from events.citations import CitationIssued
from events.envelope import Recorded
from events.permits import PermitCancelled, PermitPurchased, PermitRevoked, PermitTypeOffered
from events.reads import PlateRead
from projections.connection import connect
from projections.refold import drift
from projections.registry import PROJECTIONS

_PAYMENTS: Boundary[PaymentEvent] = Boundary(
    frozenset({Criterion(frozenset(kind.__name__ for kind in PAYMENT_EVENTS), frozenset())})
)
TOGETHER = 200
"""Keys that are folded again at a time."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be true: over how many cases it was looked at, and what is wrong, if anything."""

    name: str
    looked_at: int
    wrong: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def checks(dsn: str, log: PostgresLog, most: int) -> Iterator[Check]:
    """Yield each check; those that refold look at up to `most` cases of a kind."""
    yield log_stands(dsn)
    yield money_is_conserved(log)
    yield nothing_is_oversold(log)
    yield rows_equal_a_refold(dsn, log, most)
    yield screens_answered_what_was_known(log, most)


def log_stands(dsn: str) -> Check:
    """Look at every entry: no gap, no step back in time, every payload as it was written."""
    found = verify(dsn)
    wrong = () if found.holds else (f"position {found.position}: {found.reason}",)
    return Check("the log stands as it was written", found.count, wrong)


def money_is_conserved(log: PostgresLog) -> Check:
    """Add up every payment: each cent is allocated, held, kept for a right, or was given back."""
    payments: dict[str, Payment] = {}
    issued = {entry.event.citation for entry in log.read(on(CitationIssued)).entries}
    entries: Sequence[Recorded[PaymentEvent]] = log.read(_PAYMENTS).entries
    for entry in entries:
        name = entry.event.payment
        payments[name] = evolve_payment(payments.get(name, Payment(name)), entry)
    wrong = [name for name, payment in payments.items() if not _conserved(payment, issued)]
    return Check("every cent is allocated, held, kept or given back", len(payments), wrong[:10])


def _conserved(payment: Payment, issued: set[str]) -> bool:
    """Tell whether the parts of a payment add up to it, none of them below nothing."""
    if payment.returned is not None:
        return not allocations(payment) and remaining(payment) == 0
    placed = [one.amount for one in allocations(payment) if one.citation in issued]
    taken = sum(one.amount for one in refunds_by_citation(payment) if one.citation in issued)
    for_right = bool(payment.permit or payment.session) and not payment.explicit and not payment.citation
    held = payment.amount - refunded(payment) if for_right else unallocated(payment, issued)
    parts = (sum(placed) - taken, held, refunded(payment))
    return sum(parts) == payment.amount and min(parts, default=0) >= 0


def nothing_is_oversold(log: PostgresLog) -> Check:
    """Count the permits of each type in force at the fullest instant against its places."""
    capacity = {
        entry.event.permit_type: entry.event.capacity
        for entry in log.read(on(PermitTypeOffered)).entries
        if entry.event.capacity is not None
    }
    changes: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    ended = {
        entry.event.permit: entry.event.effective_at
        for entry in log.read(on(PermitCancelled, PermitRevoked)).entries
    }
    count = 0
    for kind in capacity:
        for entry in log.read(on(PermitPurchased, permit_type=kind)).entries:
            bought = entry.event
            until = min(bought.valid_until, ended.get(bought.permit, bought.valid_until))
            changes[kind] += [(bought.valid_from.timestamp(), 1), (until.timestamp(), -1)]
            count += 1
    wrong = [kind for kind, limit in capacity.items() if _fullest(changes[kind]) > limit]
    return Check("no permit type is oversold", count, wrong)


def _fullest(changes: Sequence[tuple[float, int]]) -> int:
    taken = fullest = 0
    for _, change in sorted(changes):
        taken += change
        fullest = max(fullest, taken)
    return fullest


def rows_equal_a_refold(dsn: str, log: PostgresLog, most: int) -> Check:
    """Compare rows of every read model with those that the log leads to."""
    wrong: list[str] = []
    count = 0
    with closing(connect(dsn)) as connection:
        for model in PROJECTIONS:
            row = connection.execute(
                "SELECT position FROM views.progress WHERE name = %s AND live", [model.name]
            ).fetchone()
            position = row[0] if row else 0
            distinct = f"SELECT DISTINCT key FROM views.{model.table_name}"
            query = f"SELECT key FROM ({distinct}) k ORDER BY md5(key) LIMIT %s"
            keys = [one[0] for one in connection.execute(query.encode(), [most]).fetchall()]
            for some in batched(keys, TOGETHER):
                found = drift(connection, model, position, set(some), log.codec)
                wrong += [f"{model.name} {one.key}" for one in found[:3]]
                count += len(some)
    return Check("rows of the read models equal a refold of the log", count, wrong[:10])


def screens_answered_what_was_known(log: PostgresLog, most: int) -> Check:
    """Compare what screens showed with what follows from the log at the position that each rested on.

    A possible match is a plate without a right that looks like one with a right.
    """
    reads = [entry for entry in log.read(on(PlateRead, device="H1")).entries if entry.event.shown is not None]
    step = max(1, len(reads) // most)
    wrong: list[str] = []
    looked_at = reads[::step]
    for entry in looked_at:
        seen = entry.event
        shown = seen.shown
        if shown is None:
            continue
        known = _rights_at(log, seen.plate, shown.position)
        again = known.standing(seen.plate, seen.zone, seen.at).answer
        if again != (shown.answer if shown.answer != "possible_match" else "no_right"):
            wrong.append(
                f"{seen.read}: {shown.answer} was shown, {again} follows from position {shown.position}"
            )
    return Check("screens answered what was known", len(looked_at), wrong[:10])


def _rights_at(log: PostgresLog, plate: str, position: int) -> KnownRights:
    """Return the rights of a plate as known at a position."""
    return settled(log, lambda known: plates_boundary([plate], known), KnownRights().grown, position)
