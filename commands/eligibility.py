"""Eligibility: which account may buy what, granted and withdrawn, each with its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from commands.decider import Command, Decider, Refusal, fact_of
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.permits import EligibilityGranted, EligibilityWithdrawn
from events.vocabulary import AccountId, Instant, Word


class GrantEligibility(Command):
    """Let the account buy what requires this eligibility, until `until` where it is given."""

    account: AccountId
    eligibility: Word
    until: Instant | None = None


class WithdrawEligibility(Command):
    """Let the account no longer buy what requires this eligibility."""

    account: AccountId
    eligibility: Word


class NotEligible(Refusal):
    """The account does not have the eligibility that this permit type requires."""


type EligibilityEvent = EligibilityGranted | EligibilityWithdrawn


@dataclass(frozen=True, slots=True)
class Eligibilities:
    """What was granted to accounts and withdrawn from them, by account, sorted by when it occurred."""

    by_account: Mapping[str, tuple[EligibilityEvent, ...]] = field(default_factory=dict)

    def last(self, account: str, eligibility: str, at: datetime) -> EligibilityEvent | None:
        """Return what was said last by the instant of an account's eligibility."""
        said = [e for e in self.by_account.get(account, ()) if e.eligibility == eligibility and e.at <= at]
        return said[-1] if said else None

    def holds(self, account: str | None, eligibility: str, at: datetime) -> bool:
        """Tell whether the account has the eligibility at the instant."""
        last = self.last(account, eligibility, at) if account is not None else None
        return isinstance(last, EligibilityGranted) and (last.until is None or at < last.until)


def evolve_eligibilities(known: Eligibilities, entry: Recorded[EligibilityEvent]) -> Eligibilities:
    """Return the eligibilities after one more event, in whatever order they arrive."""
    event = entry.event
    said = tuple(sorted((*known.by_account.get(event.account, ()), event), key=lambda e: e.at))
    return Eligibilities({**known.by_account, event.account: said})


def eligibility_boundary(account: str) -> Boundary[EligibilityEvent]:
    """Return what tells of an account's eligibilities."""
    return on(EligibilityGranted, EligibilityWithdrawn, account=account)


def _boundary(
    command: GrantEligibility | WithdrawEligibility, _: Eligibilities
) -> Boundary[EligibilityEvent]:
    return eligibility_boundary(command.account)


def _grant(command: GrantEligibility, known: Eligibilities) -> Sequence[Event]:
    last = known.last(command.account, command.eligibility, command.at)
    if isinstance(last, EligibilityGranted) and last.until == command.until:
        return ()
    return (fact_of(command, EligibilityGranted),)


def _withdraw(command: WithdrawEligibility, known: Eligibilities) -> Sequence[Event]:
    last = known.last(command.account, command.eligibility, command.at)
    return (fact_of(command, EligibilityWithdrawn),) if isinstance(last, EligibilityGranted) else ()


GRANT_ELIGIBILITY = Decider(GrantEligibility, _boundary, Eligibilities, evolve_eligibilities, _grant)
WITHDRAW_ELIGIBILITY = Decider(WithdrawEligibility, _boundary, Eligibilities, evolve_eligibilities, _withdraw)
DECIDERS = (GRANT_ELIGIBILITY, WITHDRAW_ELIGIBILITY)
