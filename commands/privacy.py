"""Privacy: who looked at a person's or a plate's data, and for what purpose.

Looking something up is itself a fact that goes to the log before the answer is given (DOMAIN §3,
California Civil Code 1798.90.52).
"""

from collections.abc import Sequence

from commands.decider import Command, Decider, Refusal
from commands.policy import policy_at
from events.base import Event
from events.boundary import Boundary, on
from events.envelope import Recorded
from events.policies import PolicyAdopted
from events.privacy import RecordAccessed
from events.vocabulary import AccountId, CitationId, PlateText, Text, Word

UNSTATED = "unstated"
"""The purpose that is recorded where the policy demands none and none was given."""


class RecordAccess(Command):
    """Note that `who` asked `query` about a plate, an account or a citation."""

    who: Word
    query: Text
    purpose: Word | None = None
    plate: PlateText | None = None
    account: AccountId | None = None
    citation: CitationId | None = None


class PurposeRequired(Refusal):
    """The office's policy demands that the purpose of this look-up is stated."""


type Evidence = PolicyAdopted
type Facts = tuple[PolicyAdopted, ...]


def boundary(command: RecordAccess, facts: Facts) -> Boundary[Evidence]:
    """Return the policies: whether a purpose is demanded rests on nothing else."""
    del command, facts
    return on(PolicyAdopted)


def evolve(facts: Facts, entry: Recorded[Evidence]) -> Facts:
    """Return the policies adopted so far."""
    return (*facts, entry.event)


def decide(command: RecordAccess, facts: Facts) -> Sequence[Event]:
    """Return the access as a fact; each look-up is one, also where the same was looked up before."""
    if not command.purpose and policy_at(facts, command.at).purpose_required:
        raise PurposeRequired
    return [
        RecordAccessed(
            at=command.at,
            who=command.who,
            query=command.query,
            purpose=command.purpose or UNSTATED,
            plate=command.plate,
            account=command.account,
            citation=command.citation,
        )
    ]


record_access: Decider[RecordAccess, Evidence, Facts] = Decider(RecordAccess, boundary, tuple, evolve, decide)
