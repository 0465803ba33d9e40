"""What the log holds of an account: its permits, the citations it answers for, the incidents that name it.

A citation is the account's if a permit of theirs carried the plate when it was issued, and nobody else's did:
words that may be another person's are not theirs to erase.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from commands.docket import LEDGER_EVENTS, CitationLedger, LedgerEvent, evolve_ledger
from commands.ledger_boundary import ledger_boundary
from commands.retention import HoldFact, Retained, evolve_retained
from commands.right_boundaries import right_boundary
from commands.right_collection import KnownRights, Rights, RightsEvent
from commands.right_facts import RIGHT_EVENTS, Right
from commands.right_payments import PAYMENT_EVENTS
from commands.right_plates import plates_at
from events.appeals import AppealFiled, LateFilingRequested
from events.base import Event
from events.boundary import Boundary, on
from events.citations import CitationIssued
from events.envelope import Recorded
from events.payments import PaymentAuthorised, PaymentReceived
from events.permits import (
    EligibilityGranted,
    EligibilityWithdrawn,
    PermitPurchased,
    PermitReportedLost,
    PermitTransferred,
    PermitTypeOffered,
    PlateAdded,
    PlateAssociationCorrected,
    WaitlistJoined,
)
from events.policies import PolicyAdopted
from events.privacy import ErasureRefused, LegalHoldLifted, LegalHoldPlaced, SubjectErased
from events.security import (
    IncidentAmended,
    IncidentClosed,
    IncidentLinked,
    IncidentNoted,
    IncidentOpened,
)

type Answer = SubjectErased | ErasureRefused
type IncidentEvent = IncidentOpened | IncidentNoted | IncidentLinked | IncidentAmended | IncidentClosed
type Named = EligibilityGranted | EligibilityWithdrawn | WaitlistJoined
type AccountFact = Answer | IncidentEvent | Named | HoldFact | RightsEvent | LedgerEvent

_INCIDENTS = (IncidentOpened, IncidentNoted, IncidentLinked, IncidentAmended, IncidentClosed)
_WORDS = (AppealFiled, LateFilingRequested, *_INCIDENTS)
_HOLDS = (LegalHoldPlaced, LegalHoldLifted)
_ANSWERS = (SubjectErased, ErasureRefused)
_OF_RIGHTS: frozenset[type[Event]] = frozenset(
    {*RIGHT_EVENTS, *PAYMENT_EVENTS, PermitTypeOffered, PolicyAdopted}
)


@dataclass(frozen=True, slots=True)
class AccountFile:
    """The facts of an erasure, of whichever account is asked about."""

    entries: tuple[Recorded[AccountFact], ...] = ()
    rights: Rights = field(default_factory=Rights)
    retained: Retained = field(default_factory=Retained)

    def names(self, account: str) -> bool:
        """Tell whether any fact names the account."""
        return any(entry.event.__dict__.get("account") == account for entry in self.entries)

    def answers(self, account: str) -> Sequence[Recorded[Answer]]:
        """Return how earlier requests of the account were answered."""
        return [e for e in _of(self.entries, _ANSWERS) if e.event.account == account]

    def permits(self, account: str) -> Sequence[Right]:
        """Return the permits that the account ever held."""
        bought = (PermitPurchased, PermitTransferred)
        named = {e.event.permit for e in _of(self.entries, bought) if e.event.account == account}
        found = (self.rights.known.rights.get(("permit", permit)) for permit in sorted(named))
        return [right for right in found if right is not None]

    def citations(self, account: str) -> Sequence[str]:
        """Return the citations that the account alone has to answer for, in the order of their numbers."""
        issued = {e.event.citation: e.event for e in reversed([*_of(self.entries, (CitationIssued,))])}
        return sorted(c for c, event in issued.items() if _holders(self.rights.known, event) == {account})

    def docket(self, citation: str) -> CitationLedger:
        """Return the docket of a citation."""
        docket = CitationLedger(citation)
        for entry in _of(self.entries, LEDGER_EVENTS):
            of = entry.event.__dict__.get("citation")
            if of in {None, citation} or type(entry.event) in PAYMENT_EVENTS:
                docket = evolve_ledger(docket, entry)
        return docket

    def incidents(self, account: str) -> Mapping[str, Sequence[IncidentEvent]]:
        """Return the incidents with an entry that names the account, and all of their entries."""
        told = [entry.event for entry in _of(self.entries, _INCIDENTS)]
        named = sorted({event.incident for event in told if event.account == account})
        return {incident: [event for event in told if event.incident == incident] for incident in named}

    def words(self, account: str) -> Sequence[Recorded[Any]]:
        """Return the entries that repeat words of the account, or about it."""
        citations, incidents = set(self.citations(account)), set(self.incidents(account))
        return [
            entry
            for entry in _of(self.entries, _WORDS)
            if entry.event.__dict__.get("citation") in citations
            or entry.event.__dict__.get("incident") in incidents
        ]


def evolve_account(file: AccountFile, entry: Recorded[AccountFact]) -> AccountFile:
    """Return the facts after one more entry."""
    known: Recorded[Any] = entry
    grown = replace(file, entries=(*file.entries, entry))
    if isinstance(entry.event, _HOLDS):
        return replace(grown, retained=evolve_retained(file.retained, known))
    if type(entry.event) in _OF_RIGHTS:
        return replace(grown, rights=Rights((file.rights, known)))
    return grown


def naming(account: str) -> Boundary[AccountFact]:
    """Return the facts that name the account itself."""
    boundary: Boundary[AccountFact] = on(SubjectErased, ErasureRefused, account=account)
    boundary |= on(EligibilityGranted, EligibilityWithdrawn, WaitlistJoined, account=account)
    boundary |= on(PermitPurchased, PermitTransferred, PermitReportedLost, account=account)
    boundary |= on(PaymentAuthorised, PaymentReceived, account=account)
    return boundary | on(
        IncidentOpened, IncidentNoted, IncidentLinked, IncidentAmended, IncidentClosed, account=account
    )


def account_boundary(account: str, file: AccountFile) -> Boundary[AccountFact]:
    """Return what an erasure rests on, which widens from the account over its permits to their citations."""
    boundary: Boundary[AccountFact] = naming(account) | on(LegalHoldPlaced, LegalHoldLifted)
    for permit in file.permits(account):
        boundary |= right_boundary(permit)
        for plate in plates_of(permit):
            boundary |= on(CitationIssued, plate=plate)
            boundary |= on(PermitPurchased, PlateAdded, PlateAssociationCorrected, plate=plate)
            for other in file.rights.known.of_plate(plate):
                boundary |= right_boundary(other)
    for citation in file.citations(account):
        boundary |= ledger_boundary(citation, file.docket(citation))
    for incident in file.incidents(account):
        boundary |= on(
            IncidentOpened, IncidentNoted, IncidentLinked, IncidentAmended, IncidentClosed, incident=incident
        )
    return boundary


def plates_of(permit: Right) -> Sequence[str]:
    """Return every plate that a permit ever named, in alphabetical order."""
    return sorted({plate for fact in permit.facts for plate in fact.plates})


def _holders(known: KnownRights, issued: CitationIssued) -> set[str]:
    """Return who held permits that carried the cited plate at that instant."""
    return {
        holder
        for right in known.of_plate(issued.plate)
        if right.kind == "permit" and right.known and issued.plate in plates_at(right, issued.at)[0]
        if (holder := right.holder(issued.at)) is not None
    }


def _of(entries: Iterable[Recorded[AccountFact]], types: tuple[type[Event], ...]) -> Iterator[Recorded[Any]]:
    return (entry for entry in entries if isinstance(entry.event, types))
