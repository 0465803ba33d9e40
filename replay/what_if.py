"""History under another policy: which citations, findings and sums would be otherwise.

What happened stays as it happened: reads, rights, payments, appeals and their decisions. What follows from
the policy is derived twice by the same functions, under the office's policies and under the same with some
values put over them: the finding on each citation, its fine where that was the policy's own, late fees and
fees for returned payments as automation would have told them, and what stands against it. A citation whose
finding would no longer uphold it would not have been written. Who would have been cited besides, or would
have paid otherwise, is in no log, and is not guessed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from commands.charges import asks_nothing, balance, fine_at, late_fee_at, returned_fees_at
from commands.docket import Adopted, CitationLedger, Fee, evolve_ledger
from commands.dues import due
from commands.evidence import Evidence
from commands.findings import Finding, finding
from commands.policy import STANDARD_1, Policy, Value
from event_store.log import Log
from events.citations import CitationIssued
from events.envelope import Recorded
from events.policies import PolicyAdopted
from projections.cases import dockets, evidence_of

TOGETHER = 256
ROUNDS = 20
_EVER = datetime(1, 1, 1, tzinfo=UTC)
_NOBODY = UUID(int=0)
_EVIDENT = frozenset({"grace_minutes", "max_active", "max_plates", "duplicate_window_minutes"})
"""The keys that findings depend on; where none of them is named, no finding can change."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows for one citation under one policy; cents. `stands` is whether it would be written."""

    disposition: str | None
    reason: str | None
    stands: bool
    fine: int
    late_fee: int
    returned_fees: int
    balance: int

    @property
    def fees(self) -> int:
        """All fees."""
        return self.late_fee + self.returned_fees


@dataclass(frozen=True, slots=True)
class Changed:
    """A citation for which something would be otherwise."""

    citation: str
    zone: str
    issued_at: datetime
    before: Outcome
    after: Outcome


@dataclass(slots=True)
class Sums:
    """What would change in one zone: numbers of citations, and cents, after less before."""

    citations: int = 0
    changed: int = 0
    findings: int = 0
    not_written: int = 0
    fines: int = 0
    fees: int = 0
    balance: int = 0


@dataclass(slots=True)
class WhatIf:
    """What another policy would change, at an instant, by what is known at a position."""

    at: datetime
    known: int
    zones: dict[str, Sums] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)

    @property
    def total(self) -> Sums:
        """All zones together."""
        whole = Sums()
        for sums in self.zones.values():
            for name in Sums.__dataclass_fields__:
                setattr(whole, name, getattr(whole, name) + getattr(sums, name))
        return whole


class OtherPolicy:
    """The office's policies with some values put over each of them."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        """Take the values.

        Raises:
            UnknownPolicyKey, PolicyValueOutOfRange: where one cannot be decided by.

        """
        Policy.of(values)
        self.values = dict(values)

    @property
    def touches_findings(self) -> bool:
        """Whether a finding may change."""
        return not _EVIDENT.isdisjoint(self.values)

    def docket(self, state: CitationLedger) -> CitationLedger:
        """Return a docket as it would be decided; a fine that was the policy's own follows the policy."""
        base = Adopted(STANDARD_1, _EVER, _EVER, self.values)
        merged = [replace(a, values={**a.values, **self.values}) for a in state.adopted]
        other = replace(state, adopted=(base, *merged))
        own = state.fine is not None and state.fine == state.policy.fine_for(state.code)
        return replace(other, fine=other.policy.fine_for(state.code)) if own else other

    def evidence(self, evidence: Evidence) -> Evidence:
        """Return evidence as it would be judged."""
        base = PolicyAdopted(at=_EVER, policy=STANDARD_1, effective_from=_EVER, values=self.values)
        entries = [self._merged(entry) for entry in evidence.entries]
        return Evidence.of([Recorded(0, _EVER, base, "", "", _NOBODY), *entries])

    def _merged(self, entry: Recorded[Any]) -> Recorded[Any]:
        event = entry.event
        if not isinstance(event, PolicyAdopted):
            return entry
        merged = event.model_copy(update={"values": {**event.values, **self.values}})
        return Recorded(entry.position, entry.recorded, merged, entry.actor, entry.channel, entry.command_id)


def what_if(
    log: Log,
    other: OtherPolicy,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    at: datetime | None = None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> WhatIf:
    """Return what would change for the citations issued within `[since, until)`, as it stands at `at` (now).

    Nothing is written. `tell(done, of)` hears how many citations were looked at.
    """
    head = log.head()
    found = WhatIf(at or datetime.now(UTC), head)
    names = [issued.citation for issued in _issued(log, head, since, until)]
    done = 0
    for some in batched(names, TOGETHER):
        for docket in dockets(log, some, head):
            _take(found, log, docket, other)
        done += len(some)
        tell(done, len(names))
    return found


def _issued(log: Log, head: int, since: datetime | None, until: datetime | None) -> Iterator[CitationIssued]:
    """Yield the citations in question, each once, in the order of the log."""
    seen: set[str] = set()
    for page in log.pages(types={"CitationIssued"}, upto=head):
        for row in page:
            event = log.codec.revive(row).event
            if not isinstance(event, CitationIssued):
                continue
            inside = (since is None or event.at >= since) and (until is None or event.at < until)
            if inside and event.citation not in seen:
                seen.add(event.citation)
                yield event


def _take(found: WhatIf, log: Log, docket: CitationLedger, other: OtherPolicy) -> None:
    """Judge one citation twice, and note what differs."""
    if docket.issued_at is None:
        return
    before_finding, after_finding = _findings(log, docket.citation, other, found.known)
    before = outcome(docket, before_finding, found.at)
    after = outcome(other.docket(docket), after_finding, found.at, was=before)
    sums = found.zones.setdefault(docket.zone, Sums())
    sums.citations += 1
    if before == after:
        return
    found.changed.append(Changed(docket.citation, docket.zone, docket.issued_at, before, after))
    sums.changed += 1
    sums.findings += (before.disposition, before.reason) != (after.disposition, after.reason)
    sums.not_written += before.stands and not after.stands
    sums.fines += after.fine - before.fine
    sums.fees += after.fees - before.fees
    sums.balance += after.balance - before.balance


def _findings(
    log: Log, citation: str, other: OtherPolicy, known: int
) -> tuple[Finding | None, Finding | None]:
    if not other.touches_findings:
        return None, None
    evidence = evidence_of(log, citation, known)
    return finding(evidence, citation), finding(other.evidence(evidence), citation)


def outcome(
    docket: CitationLedger, found: Finding | None, at: datetime, *, was: Outcome | None = None
) -> Outcome:
    """Return what follows for a citation; `was` tells what follows from it under the office's policies.

    A citation that would be written no longer, though it was, asks for nothing.
    """
    proper = found is None or found.disposition not in {"DISMISSED", "VOID"}
    disposition, reason = (found.disposition, found.reason) if found else (None, None)
    if was is not None and was.stands and not proper:
        return Outcome(disposition, reason, stands=False, fine=0, late_fee=0, returned_fees=0, balance=0)
    settled_docket = with_dues(docket, at)
    late, returned = late_fee_at(settled_docket, at), returned_fees_at(settled_docket, at)
    if asks_nothing(settled_docket, at):
        late = returned = 0
    return Outcome(
        disposition,
        reason,
        stands=proper,
        fine=fine_at(settled_docket, at),
        late_fee=late,
        returned_fees=returned,
        balance=balance(settled_docket, at),
    )


def with_dues(docket: CitationLedger, at: datetime) -> CitationLedger:
    """Return a docket with the fees that automation would tell of it by an instant, told anew.

    A fee that a person waived (a reversal that names nothing) stays waived.
    """
    waived = next((f for f in docket.fees if f.word == "reversed" and f.corrects is None), None)
    state = replace(docket, fees=())
    position = _newest(docket)
    for _ in range(ROUNDS):
        events = due(state, at)
        if not events:
            break
        for event in events:
            position += 1
            state = evolve_ledger(state, Recorded(position, at, event, "", "", _NOBODY))
        if waived is not None and late_fee_at(state, at):
            state = replace(state, fees=(*state.fees, _waiver(waived, position + 1)))
            position += 1
    return state


def _waiver(waived: Fee, position: int) -> Fee:
    return Fee("reversed", waived.amount, waived.at, position)


def _newest(docket: CitationLedger) -> int:
    """Return a position behind everything that the docket holds."""
    payments = docket.payments.values()
    positions: list[Sequence[int]] = [
        [docket.issued_position],
        [position for _, position in docket.services],
        [fee.position for fee in docket.fees],
        [void.position for void in docket.voids],
        [step.position for appeal in docket.appeals.values() for step in appeal.steps],
        [payment.made_position for payment in payments],
        [one.position for payment in payments for one in payment.explicit],
        [one.position for payment in payments for one in payment.refunds],
        [mark.position for payment in payments for mark in payment.chargeback],
        [payment.returned.position for payment in payments if payment.returned],
    ]
    return max(position for some in positions for position in (*some, 0))
