"""Erasure: a person asks that what the office holds of them can be read no longer (DOMAIN §3, privacy).

What stands in words is sealed under keys of its subject, and erasing the subject ends these keys for good.
Facts stay, under the account's number alone: that a permit was sold, a citation paid. A request is refused,
with its reason, while the office still needs what it would erase: a permit in force, money owed, an appeal
or incident that is open, a legal hold.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from commands.charges import balance, is_voided
from commands.decider import Command, Decider, Refusal, fact_of
from commands.dues import is_disputed
from commands.erasure_facts import (
    AccountFact,
    AccountFile,
    account_boundary,
    evolve_account,
    naming,
    plates_of,
)
from commands.permit_facts import is_over
from commands.retention import UnderLegalHold
from events.base import Event
from events.boundary import Boundary
from events.privacy import ErasureRefused, SubjectErased
from events.security import IncidentClosed
from events.vocabulary import AccountId, Text


class EraseSubject(Command):
    """Make unreadable for good what stands in words of the account, or about it."""

    account: AccountId
    reason: Text | None = None


class RefuseErasure(Command):
    """Note that a request of the account was refused, and why."""

    account: AccountId
    reason: Annotated[Text, Field(min_length=1)]


class NoSuchAccount(Refusal):
    """The log holds nothing of that account."""


class PermitInForce(Refusal):
    """The account has a permit that is not over; it may be cancelled first."""


class DuesOutstanding(Refusal):
    """A citation of the account is unpaid, or its payment is disputed."""


class AppealUndecided(Refusal):
    """An appeal against a citation of the account is not decided."""


class IncidentOpen(Refusal):
    """An incident that names the account is not closed."""


def _erasing(command: EraseSubject, file: AccountFile) -> Boundary[AccountFact]:
    return account_boundary(command.account, file)


def _refusing(command: RefuseErasure, _: AccountFile) -> Boundary[AccountFact]:
    return naming(command.account)


def _erase(command: EraseSubject, file: AccountFile) -> Sequence[Event]:
    if not file.names(command.account):
        raise NoSuchAccount(account=command.account)
    if _is_erased(command.account, file):
        return ()
    _refuse_held(command, file)
    _refuse_permits(command, file)
    _refuse_citations(command, file)
    _refuse_incidents(command, file)
    return (fact_of(command, SubjectErased),)


def _is_erased(account: str, file: AccountFile) -> bool:
    """Tell whether the account was erased, and no words were added since."""
    erased = [e.position for e in file.answers(account) if isinstance(e.event, SubjectErased)]
    return bool(erased) and all(entry.position < erased[-1] for entry in file.words(account))


def _refuse_held(command: EraseSubject, file: AccountFile) -> None:
    permits = file.permits(command.account)
    cited = file.citations(command.account)
    kept = {command.account, *cited, *file.incidents(command.account)}
    kept |= {permit.right for permit in permits}
    kept |= {plate for permit in permits for plate in plates_of(permit)}
    kept |= {appeal for citation in cited for appeal in file.docket(citation).appeals}
    if not kept.isdisjoint(file.retained.covered):
        raise UnderLegalHold("A legal hold covers what the office holds of the account.")


def _refuse_permits(command: EraseSubject, file: AccountFile) -> None:
    for permit in file.permits(command.account):
        if permit.holder(command.at) == command.account and not is_over(permit, command.at):
            raise PermitInForce(
                f"The permit {permit.right!r} of the account is not over; it may be cancelled first.",
                permit=permit.right,
            )


def _refuse_citations(command: EraseSubject, file: AccountFile) -> None:
    for citation in file.citations(command.account):
        docket = file.docket(citation)
        if is_voided(docket, command.at):
            continue
        if any(appeal.is_open for appeal in docket.appeals.values()):
            raise AppealUndecided(
                f"The appeal against the citation {citation!r} is not decided.", citation=citation
            )
        if balance(docket, command.at) > 0 or is_disputed(docket, command.at):
            raise DuesOutstanding(
                f"The citation {citation!r} is unpaid, or its payment is disputed.", citation=citation
            )


def _refuse_incidents(command: EraseSubject, file: AccountFile) -> None:
    for incident, entries in file.incidents(command.account).items():
        if not any(isinstance(event, IncidentClosed) for event in entries):
            raise IncidentOpen(f"The incident {incident!r} names the account, and is open.")


def _refuse(command: RefuseErasure, file: AccountFile) -> Sequence[Event]:
    if not file.names(command.account):
        raise NoSuchAccount(account=command.account)
    answered = file.answers(command.account)
    last = answered[-1].event if answered else None
    if isinstance(last, ErasureRefused) and last.reason == command.reason:
        return ()
    return (fact_of(command, ErasureRefused),)


def cases_of(account: str, file: AccountFile) -> Sequence[str]:
    """Return the cases whose words are the account's alone: `citation:…`, `incident:…`."""
    citations = [f"citation:{citation}" for citation in file.citations(account)]
    incidents = [
        f"incident:{incident}"
        for incident, entries in file.incidents(account).items()
        if {event.account for event in entries} <= {None, account}
    ]
    return [*citations, *incidents]


ERASE_SUBJECT = Decider(EraseSubject, _erasing, AccountFile, evolve_account, _erase)
REFUSE_ERASURE = Decider(RefuseErasure, _refusing, AccountFile, evolve_account, _refuse)
DECIDERS = (ERASE_SUBJECT, REFUSE_ERASURE)
