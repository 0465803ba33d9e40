"""Questions about one citation's money, deadlines and stage: its docket, as far as it was known."""

from typing import Any

from commands.docket import CitationLedger
from commands.ledger import (
    APPEAL_EVENTS,
    balance,
    deadlines_by_name,
    in_time,
    payable,
    refundable,
    stage,
    unallocated,
)
from commands.ledger_boundary import payment_events
from commands.money import Payment, evolve_payment
from commands.prices import permit_refundable
from events.boundary import on
from events.citations import CitationIssued, CitationVoided
from projections.cases import dockets
from replay.scenario.ask_rights import evidence
from replay.scenario.asking import Asked, NoSuchThing, query, tagged

DEADLINES = ("discount", "first_appeal", "second_level", "late_fee")


def docket_of(asked: Asked, citation: str | None = None) -> CitationLedger:
    """Return the docket of the citation that is asked about, as known then.

    Raises:
        NoSuchThing: if the citation was not in the log.

    """
    name = citation or asked.text("citation")
    (docket,) = dockets(asked.world.log, [name], upto=asked.known())
    if docket.issued_at is None:
        raise NoSuchThing(f"citation {name}")
    return docket


@query("balance", needs="citation", may="at known")
def _balance(asked: Asked) -> int:
    return balance(docket_of(asked), asked.instant())


@query("payable", needs="citation", may="at known")
def _payable(asked: Asked) -> int:
    return payable(docket_of(asked), asked.instant())


@query("stage", needs="citation", may="at known")
def _stage(asked: Asked) -> str | None:
    return stage(docket_of(asked), asked.instant())


@query("exists", needs="citation")
def _exists(asked: Asked) -> bool:
    try:
        docket_of(asked)
    except NoSuchThing:
        return False
    return True


@query("deadline", needs="citation of")
def _deadline(asked: Asked) -> Any:
    of = asked.one_of("of", DEADLINES)
    return deadlines_by_name(docket_of(asked))[of]


@query("refundable", may="citation permit at known")
def _refundable(asked: Asked) -> int:
    if asked.given("citation"):
        return refundable(docket_of(asked), asked.instant())
    known, name = evidence(asked), asked.text("permit")
    right = known.rights.right("permit", name)
    if right is None:
        raise NoSuchThing(f"permit {name}")
    zone = known.zones.get(right.zones[0]) if right.zones else None
    timezone = zone.timezone if zone is not None else asked.world.scenario.timezone
    return permit_refundable(right, known.rights.payments, asked.instant(), timezone)


@query("unallocated", needs="payment")
def _unallocated(asked: Asked) -> int:
    log, upto = asked.world.log, asked.known()
    payment = Payment(asked.text("payment"))
    for entry in log.read(payment_events(payment.payment), upto=upto).entries:
        payment = evolve_payment(payment, entry)
    if payment.made_at is None:
        raise NoSuchThing(f"payment {payment.payment}")
    issued = {e.event.citation for e in log.read(on(CitationIssued), upto=upto).entries}
    return unallocated(payment, issued)


@query("duplicates", needs="citation")
def _duplicates(asked: Asked) -> list[str]:
    """Answer with those voided as its duplicates, and as duplicates of these before they were voided too."""
    log, upto = asked.world.log, asked.known()
    found: set[str] = set()
    kept = {asked.text("citation")}
    while kept:
        name = kept.pop()
        for entry in log.read(on(CitationVoided, citation=name), upto=upto).entries:
            if entry.event.duplicate_of == name and entry.event.citation not in found:
                found.add(entry.event.citation)
                kept.add(entry.event.citation)
    return sorted(found)


@query("appeal", may="appeal citation known", answers="state level in_time outcome")
def _appeal(asked: Asked) -> dict[str, Any]:
    docket = docket_of(asked, _appealed(asked))
    wanted = asked.text("appeal") if asked.given("appeal") else None
    filed = [a for a in docket.appeals.values() if wanted in {None, a.appeal}]
    if not filed:
        raise NoSuchThing("the appeal")
    last = max(filed, key=lambda a: (a.level, a.steps[0].position))
    decision = last.decision
    return {
        "state": last.state,
        "level": last.level,
        "in_time": in_time(docket, last),
        "outcome": decision.outcome if decision else None,
    }


def _appealed(asked: Asked) -> str:
    """Return the citation that the question's appeal is about."""
    if asked.given("citation"):
        return asked.text("citation")
    name = asked.text("appeal")
    for entry in asked.world.log.read(tagged(APPEAL_EVENTS, appeal=name), upto=asked.known()).entries:
        citation = getattr(entry.event, "citation", None)
        if citation is not None:
            return str(citation)
    raise NoSuchThing(f"appeal {name}")
