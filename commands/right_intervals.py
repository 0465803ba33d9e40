"""From the facts of a right to the intervals in which it was valid: one truth for everyone who asks.

A right is valid from the later of its start and the instant its payment was authorised or received; a
purchase without a payment does not reach back before it occurred. It rests or ends by what stopped it, at
the stop's effective time; of two such facts the one that occurred later decides, whichever arrived first.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from commands.right_facts import Fact, Kind, Right
from commands.right_payments import Payment
from commands.right_plates import Span, active_spans

type EndedBy = Literal[
    "",
    "expiry",
    "deselection",
    "plate_removed",
    "correction",
    "suspension",
    "revocation",
    "cancellation",
    "session_end",
    "exemption_end",
]

_STOPS: Mapping[str, EndedBy] = {
    "suspended": "suspension",
    "revoked": "revocation",
    "cancelled": "cancellation",
    "ended": "session_end",
}
_NO_PAYMENTS: Mapping[str, Payment] = {}


class Interval(msgspec.Struct, frozen=True, order=False):
    """`[start, end)` in which a right lets a plate stand in a zone, and how that ended.

    `zone` is `None` for every zone; `end` is `None` where it is open, and `ended_by` is then empty.
    """

    right: str
    kind: Kind
    plate: str
    zone: str | None
    start: datetime
    end: datetime | None
    ended_by: str


def intervals(
    right: Right, payments: Mapping[str, Payment] = _NO_PAYMENTS, *, max_active: int = 1
) -> tuple[Interval, ...]:
    """Return the intervals of a right, sorted by plate, zone and start; none of one plate and zone overlap.

    `payments` holds the state of the payments in `right.payments`, by id; one that is missing is unknown so
    far, and what it pays is not valid yet. `max_active` is what the permit's type or the policy allows.
    """
    in_force = spans_in_force(right, payments)
    zones: tuple[str | None, ...] = (None,) if right.every_zone else right.zones
    if not in_force or not zones:
        return ()
    return tuple(
        Interval(right.right, right.kind, plate, zone, start, end, ended_by)
        for plate, active in active_spans(right, max_active).items()
        for zone in zones
        for start, end, ended_by in _both(in_force, active)
    )


def spans_in_force(right: Right, payments: Mapping[str, Payment] = _NO_PAYMENTS) -> tuple[Span, ...]:
    """Return when the right itself is in force, whichever of its plates is active."""
    beginning = _only_beginning(right)
    if beginning is not None:
        return _only_bought(right, beginning, payments)
    terms = _terms(right, payments)
    stops = tuple(_stops(right))
    return tuple(_less(terms, stops)) if stops else tuple(terms)


def _only_beginning(right: Right) -> Fact | None:
    """Return how the right began, if else only the payment that this names is known of it, as of most."""
    beginning: Fact | None = None
    for fact in right.facts:
        if fact.what == "bought" and beginning is None:
            beginning = fact
        elif fact.what != "paid":
            return None
    if beginning is None or len(right.facts) == 1:
        return beginning
    named = beginning.payment
    return beginning if all(fact.payment == named for fact in right.facts) else None


def _only_bought(right: Right, fact: Fact, payments: Mapping[str, Payment]) -> tuple[Span, ...]:
    """Return when such a right is in force."""
    begin: datetime | None = fact.since if right.kind == "exemption" else fact.at
    if fact.payment is not None:
        payment = payments.get(fact.payment)
        begin = payment.counts_from if payment is not None else None
    if begin is None or (fact.until is not None and fact.until <= max(begin, fact.since)):
        return ()
    reason = "exemption_end" if right.kind == "exemption" else "expiry"
    return ((max(begin, fact.since), fact.until, reason if fact.until is not None else ""),)


def nominal_spans(right: Right) -> tuple[Span, ...]:
    """Return the spans in which the right takes a place: paid for or not, and kept while it is suspended.

    A renewal after the end takes its place from when it occurred.
    """
    told = zip(_term_facts(right), _nominal_terms(right), strict=True)
    terms = _joined(((max(s, f.at) if f.what == "renewed" else s, e) for f, (s, e) in told), right)
    return tuple(_less(terms, tuple(_stops(right, but="suspended"))))


def given_up(right: Right) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield the spans of its terms in which the right takes no place, since it was revoked or cancelled."""
    told = _term_facts(right)
    begin = min((fact.since for fact in told), default=None)
    for start, end, _ in _stops(right, but="suspended"):
        if begin is not None and (end is None or begin < end):
            yield max(start, begin), end


def nominal_until(right: Right) -> datetime | None:
    """Return until when the right was last said to run, stopped or not; `None` where that is open."""
    ends = [fact.until for fact in right.facts if fact.what in {"bought", "renewed"}]
    return None if None in ends else max((end for end in ends if end is not None), default=None)


def paid_terms(
    right: Right, payments: Mapping[str, Payment]
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return the term `[start, until)` that each payment of a permit pays for: the purchase's or a renewal's.

    A payment that only names the permit pays for the first term that names no payment, in the order in which
    such payments count; one that is left pays for all of the permit's time. `None` is open.
    """
    told = list(zip(_term_facts(right), _nominal_terms(right), strict=True))
    terms = [
        (fact.payment, max(start, fact.at) if fact.what == "renewed" else start, end)
        for fact, (start, end) in told
    ]
    paid = {name: (start, end) for name, start, end in terms if name is not None}
    counted = sorted((p.counts_from, name) for name, p in payments.items() if p.counts_from is not None)
    untold = [name for _, name in counted if name not in paid]
    unpaid = [(start, end) for name, start, end in terms if name is None]
    whole = (min((start for _, start, _ in terms), default=None), nominal_until(right))
    return dict.fromkeys(payments, whole) | dict(zip(untold, unpaid, strict=False)) | paid


def stop_at(right: Right, at: datetime) -> str:
    """Return what stops the right at the instant: `suspension`, `revocation` and so on; empty for nothing."""
    for start, end, stopped_by in _stops(right):
        if start <= at and (end is None or at < end):
            return stopped_by
    return ""


def stopped_from(right: Right, at: datetime) -> bool:
    """Tell whether anything stops the right at the instant or is set to stop it later."""
    return any(end is None or at < end for _, end, _ in _stops(right))


def _term_facts(right: Right) -> list[Fact]:
    bought = [fact for fact in right.facts if fact.what == "bought"]
    return bought + [fact for fact in right.facts if fact.what == "renewed"] if bought else []


def _nominal_terms(right: Right) -> Iterator[tuple[datetime, datetime | None]]:
    until: datetime | None = None
    for fact in _term_facts(right):
        yield (fact.since if fact.what == "bought" or until is None else until), fact.until
        until = max(until, fact.until) if until and fact.until else until or fact.until


def _terms(right: Right, payments: Mapping[str, Payment]) -> list[Span]:
    facts = _term_facts(right)
    if not facts:
        return []
    begins = _begins(facts, right, payments)
    valid: list[tuple[datetime, datetime | None]] = []
    for (start, end), begin in zip(_nominal_terms(right), begins, strict=True):
        if begin is not None:
            valid.append((max(start, begin), end))
    return _joined(valid, right)


def _begins(facts: list[Fact], right: Right, payments: Mapping[str, Payment]) -> list[datetime | None]:
    """Return from when each term is paid for; `None` for one whose payment is unknown or was never made."""
    linked = _linked(facts, right, payments)
    begins: list[datetime | None] = []
    for fact in facts:
        named = payments.get(fact.payment) if fact.payment else None
        paid = named.counts_from if named is not None else None
        others = linked.get(fact.position, [])
        if paid is None and others:
            paid = min((instant for instant in others if instant is not None), default=None)
        unpaid = fact.payment is not None or others
        begins.append(paid if unpaid else (fact.since if right.kind == "exemption" else fact.at))
    return begins


def _linked(
    facts: list[Fact], right: Right, payments: Mapping[str, Payment]
) -> dict[int, list[datetime | None]]:
    """Return the instants of payments that name the right but that no term names, by the term's position.

    Such a payment is for the term that occurred nearest to it, the earlier of two.
    """
    named = {fact.payment for fact in facts}
    linked: dict[int, list[datetime | None]] = {}
    for paid in right.facts:
        if paid.what == "paid" and paid.payment is not None and paid.payment not in named:
            term = min(facts, key=lambda fact: (abs(fact.at - paid.at), fact.at))
            payment = payments.get(paid.payment)
            counts = payment.counts_from if payment is not None else None
            linked.setdefault(term.position, []).append(counts)
    return linked


def _joined(terms: Iterable[tuple[datetime, datetime | None]], right: Right) -> list[Span]:
    """Return the terms in order, those that touch or overlap as one."""
    reason = "exemption_end" if right.kind == "exemption" else "expiry"
    spans: list[Span] = []
    for start, end in sorted(terms, key=lambda term: term[0]):
        if end is not None and end <= start:
            continue
        if spans and (spans[-1][1] is None or start <= spans[-1][1]):
            begin, before, _ = spans.pop()
            last = None if before is None or end is None else max(before, end)
            spans.append((begin, last, reason if last is not None else ""))
        else:
            spans.append((start, end, reason if end is not None else ""))
    return spans


def _stops(right: Right, but: str = "") -> Iterator[Span]:
    """Yield when the right was stopped, and by what (`but` that); a reinstatement lets it stand again."""
    changes = [
        (fact.since, order, fact.what)
        for order, fact in enumerate(right.facts)
        if fact.what != but and (fact.what in _STOPS or fact.what == "reinstated")
    ]
    decisive, stopped_at, stopped_by = -1, None, ""
    for since, order, what in sorted(changes):
        if order < decisive:
            continue
        decisive = order
        if stopped_at is not None and stopped_at < since:
            yield stopped_at, since, stopped_by
        stopped_at, stopped_by = (None, "") if what == "reinstated" else (since, _stop(what, right))
    if stopped_at is not None:
        yield stopped_at, None, stopped_by


def _stop(what: str, right: Right) -> str:
    return "exemption_end" if right.kind == "exemption" else _STOPS[what]


def _less(spans: Iterable[Span], stops: tuple[Span, ...]) -> Iterator[Span]:
    """Yield the spans without what the stops take away; a span that a stop cuts ended by that stop."""
    for begin, end, ended_by in spans:
        start = begin
        for since, until, stopped_by in stops:
            if (end is not None and since >= end) or (until is not None and until <= start):
                continue
            if start < since:
                yield start, since, stopped_by
            if until is None:
                break
            start = max(start, until)
        else:
            if end is None or start < end:
                yield start, end, ended_by


def _both(in_force: tuple[Span, ...], active: tuple[Span, ...]) -> Iterator[Span]:
    """Yield where the right is in force and the plate is active; what ends first says how it ended."""
    for start, end, ended_by in in_force:
        for since, until, left_by in active:
            begin = max(start, since)
            if until is None or (end is not None and end <= until):
                if end is None or begin < end:
                    yield begin, end, ended_by
            elif begin < until:
                yield begin, until, left_by
