"""A permit after it was bought: renewed, suspended, revoked, cancelled, reinstated, transferred, lost.

A stop acts from its effective time, which a notice may set ahead. A reinstatement is prospective unless it
says since when it reaches back. A lost permit keeps its right, which is the plates'.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from commands.calendar import after_days
from commands.capacity import Window
from commands.decider import Command, Decider, Refusal, fact_of
from commands.permit_facts import (
    PermitFact,
    PermitFacts,
    PermitNotInForce,
    account_boundary,
    evolve_permit_facts,
    is_over,
    own_boundary,
    refuse_full_zones,
    refuse_ineligible,
    refuse_sold_out,
    room_boundary,
)
from commands.plates_permitted import permitted_boundary, refuse_other_permits
from commands.prices import prorated
from commands.right_facts import Right, unless_said
from commands.right_intervals import given_up, nominal_until, stop_at, stopped_from
from commands.right_plates import carried_plates
from commands.waitlist import kept_from
from commands.zones import zones_boundary
from events.base import Event
from events.boundary import Boundary
from events.permits import (
    PermitCancelled,
    PermitReinstated,
    PermitRenewed,
    PermitReportedLost,
    PermitRevoked,
    PermitSuspended,
    PermitTransferred,
)
from events.vocabulary import AccountId, Amount, Cents, Instant, PaymentId, PermitId, Text

LONGEST_RENEWAL = timedelta(days=3660)


class RenewPermit(Command):
    """Let the permit run until `valid_until`, or a term longer, for `price` or the price of its type."""

    permit: PermitId
    valid_until: Instant | None = None
    price: Amount | None = None
    payment: PaymentId | None = None


class SuspendPermit(Command):
    """Let the right rest from `effective_at`, or now, until it is reinstated."""

    permit: PermitId
    effective_at: Instant | None = None
    reason: Text | None = None


class RevokePermit(Command):
    """Take the right away as of `effective_at`, or now."""

    permit: PermitId
    effective_at: Instant | None = None
    reason: Text | None = None


class CancelPermit(Command):
    """Give the right back as of `effective_at`, or now."""

    permit: PermitId
    effective_at: Instant | None = None
    reason: Text | None = None


class ReinstatePermit(Command):
    """Let the right stand again from `effective_at`, or now; from `retroactive_to` where that is given."""

    permit: PermitId
    effective_at: Instant | None = None
    retroactive_to: Instant | None = None


class TransferPermit(Command):
    """Let the permit belong to another account."""

    permit: PermitId
    account: AccountId


class ReportPermitLost(Command):
    """Report the permit lost or stolen."""

    permit: PermitId
    account: AccountId | None = None


class RenewalEndsTooSoon(Refusal):
    """A renewal lets the permit run longer than it does, by at most ten years."""


type _OnPermit = (
    RenewPermit
    | SuspendPermit
    | RevokePermit
    | CancelPermit
    | ReinstatePermit
    | TransferPermit
    | ReportPermitLost
)


def _own_boundary(command: _OnPermit, facts: PermitFacts) -> Boundary[PermitFact]:
    boundary: Boundary[PermitFact] = own_boundary(command.permit, facts)
    return boundary


def _renewing_boundary(command: RenewPermit, facts: PermitFacts) -> Boundary[PermitFact]:
    boundary = _own_boundary(command, facts)
    right = facts.known.right("permit", command.permit)
    if right is None:
        return boundary
    window = Window(_old_end(right), _new_end(command, right, facts))
    account = account_boundary(right.holder(command.at), right.permit_type, command.at, facts)
    others = permitted_boundary(carried_plates(right), facts.known)
    return boundary | room_boundary(right.zones, right.permit_type, window, facts) | account | others


def _reinstating_boundary(command: ReinstatePermit, facts: PermitFacts) -> Boundary[PermitFact]:
    boundary = _own_boundary(command, facts)
    right = facts.known.right("permit", command.permit)
    if right is None:
        return boundary
    boundary |= zones_boundary(right.zones)
    for window in _again(command, right):
        boundary |= room_boundary(right.zones, right.permit_type, window, facts)
    return boundary | permitted_boundary(carried_plates(right), facts.known)


def _transferring_boundary(command: TransferPermit, facts: PermitFacts) -> Boundary[PermitFact]:
    boundary = _own_boundary(command, facts)
    right = facts.known.right("permit", command.permit)
    permit_type = right.permit_type if right is not None else None
    return boundary | account_boundary(command.account, permit_type, command.at, facts)


def _old_end(right: Right) -> datetime:
    end = nominal_until(right)
    assert end is not None  # noqa: S101 - only exemptions have no end
    return end


def _new_end(command: RenewPermit, right: Right, facts: PermitFacts) -> datetime:
    if command.valid_until is not None:
        return command.valid_until
    offer = facts.known.offer(right.permit_type, command.at) if right.permit_type is not None else None
    if offer is None:
        return _old_end(right)
    return after_days(max(_old_end(right), command.at), offer.term_days, _timezone(right, facts))


def _timezone(right: Right, facts: PermitFacts) -> str:
    return facts.zones[right.zones[0]].timezone if right.zones and right.zones[0] in facts.zones else "UTC"


def _since(command: ReinstatePermit) -> datetime:
    return command.retroactive_to or max(command.effective_at or command.at, command.at)


def _again(command: ReinstatePermit, right: Right) -> list[Window]:
    """Return when the permit would take a place again: what is past needs none, and what it kept it has."""
    since, end = max(_since(command), command.at), _old_end(right)
    gone = ((max(start, since), until or end) for start, until in given_up(right))
    return [Window(start, min(until, end)) for start, until in gone if start < min(until, end)]


def _renew(command: RenewPermit, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    end, until = _old_end(right), _new_end(command, right, facts)
    renewed = [fact for fact in right.facts if fact.what == "renewed"]
    if any(
        f.until == command.valid_until or (command.valid_until is None and f.at == command.at)
        for f in renewed
    ):
        return ()
    if stop_at(right, max(end, command.at)) in {"revocation", "cancellation"}:  # a notice is enough
        raise PermitNotInForce(f"The permit {command.permit!r} was revoked or cancelled.")
    if not timedelta() < until - max(end, command.at) <= LONGEST_RENEWAL:
        raise RenewalEndsTooSoon
    refuse_ineligible(right.holder(command.at), right.permit_type, command.at, facts)
    _refuse_no_room(right, Window(max(end, command.at), until), command.at, facts)
    price = command.price if command.price is not None else _price(command, right, facts)
    place = {"zones": right.zones, "permit_type": right.permit_type}
    return (fact_of(command, PermitRenewed, valid_until=until, price=price, **place),)


def _price(command: RenewPermit, right: Right, facts: PermitFacts) -> Cents | None:
    offer = facts.known.offer(right.permit_type, command.at) if right.permit_type is not None else None
    if offer is None or command.valid_until is None:
        return offer.price if offer is not None else None
    start = max(_old_end(right), command.at)
    return prorated(offer.price, offer.term_days, start, command.valid_until, _timezone(right, facts))


def _suspend(command: SuspendPermit, facts: PermitFacts) -> Sequence[Event]:
    return _stop(command, facts, PermitSuspended, "suspension")


def _revoke(command: RevokePermit, facts: PermitFacts) -> Sequence[Event]:
    return _stop(command, facts, PermitRevoked, "revocation")


def _cancel(command: CancelPermit, facts: PermitFacts) -> Sequence[Event]:
    return _stop(command, facts, PermitCancelled, "cancellation")


def _stop(
    command: SuspendPermit | RevokePermit | CancelPermit,
    facts: PermitFacts,
    event: type[PermitSuspended | PermitRevoked | PermitCancelled],
    stopped_by: str,
) -> Sequence[Event]:
    right = facts.permit(command.permit)
    effective = command.effective_at or command.at
    new = unless_said(right, fact_of(command, event, effective_at=effective))
    if not new or stop_at(right, effective) == stopped_by:
        return ()
    if is_over(right, effective):
        raise PermitNotInForce(f"The permit {command.permit!r} is over by then.", permit=command.permit)
    return new


def _reinstate(command: ReinstatePermit, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    place = {"zones": right.zones, "permit_type": right.permit_type}
    effective = command.effective_at or command.at
    new = unless_said(right, fact_of(command, PermitReinstated, effective_at=effective, **place))
    if not new or not stopped_from(right, _since(command)):
        return ()
    if _old_end(right) <= _since(command):
        raise PermitNotInForce(f"The permit {command.permit!r} expired by then.", permit=command.permit)
    for window in _again(command, right):
        _refuse_no_room(right, window, command.at, facts)
    return new


def _refuse_no_room(right: Right, window: Window, at: datetime, facts: PermitFacts) -> None:
    """Let a permit that was over run again only where nobody else has got, or waits for, its place."""
    key, kept = (right.kind, right.right), 0
    if right.permit_type is not None and is_over(right, at):
        kept = kept_from(right.holder(at), right.permit_type, at, facts)
    refuse_other_permits(right, window, facts.known)
    refuse_sold_out(right.permit_type, window, facts, kept=kept, besides=key)
    refuse_full_zones(right.zones, window, facts, besides=key)


def _transfer(command: TransferPermit, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    new = unless_said(right, fact_of(command, PermitTransferred))
    if not new or right.holder(command.at) == command.account:
        return ()
    if is_over(right, command.at):
        raise PermitNotInForce(f"The permit {command.permit!r} is over.", permit=command.permit)
    refuse_ineligible(command.account, right.permit_type, command.at, facts)
    return new


def _report_lost(command: ReportPermitLost, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    known = any(fact.what == "lost" and fact.at == command.at for fact in right.facts)
    account = command.account or right.holder(command.at)
    return () if known else (fact_of(command, PermitReportedLost, account=account),)


RENEW = Decider(RenewPermit, _renewing_boundary, PermitFacts, evolve_permit_facts, _renew)
SUSPEND = Decider(SuspendPermit, _own_boundary, PermitFacts, evolve_permit_facts, _suspend)
REVOKE = Decider(RevokePermit, _own_boundary, PermitFacts, evolve_permit_facts, _revoke)
CANCEL = Decider(CancelPermit, _own_boundary, PermitFacts, evolve_permit_facts, _cancel)
REINSTATE = Decider(ReinstatePermit, _reinstating_boundary, PermitFacts, evolve_permit_facts, _reinstate)
TRANSFER = Decider(TransferPermit, _transferring_boundary, PermitFacts, evolve_permit_facts, _transfer)
REPORT_LOST = Decider(ReportPermitLost, _own_boundary, PermitFacts, evolve_permit_facts, _report_lost)
DECIDERS = (RENEW, SUSPEND, REVOKE, CANCEL, REINSTATE, TRANSFER, REPORT_LOST)
