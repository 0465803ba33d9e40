"""Citations: issued unless the log at its head forbids it, and served.

An online citation is refused with the reason that would undo it later. An offline one happened already: it
is accepted, and its finding says what it was worth.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from commands.assessment import Assessment, assess, observed_at, rule_for
from commands.decider import Command, Decider, Refusal, fact_of
from commands.evidence import Evidence, World, evolve_evidence, world
from commands.evidence_boundary import citing_boundary
from commands.reads import NoSuchRead
from commands.zones import NoSuchZone, Zone
from events.base import Event
from events.boundary import Boundary, on
from events.citations import CitationIssued, CitationKind, CitationServed, CitationVoided, one_or_many
from events.envelope import Recorded
from events.reads import PlaceSaid
from events.vocabulary import (
    Amount,
    Cents,
    CitationId,
    DeviceId,
    Instant,
    PlateText,
    ReadId,
    Word,
    ZoneId,
)

USUAL_CODE = "NO_PERMIT"
"""The violation code of a citation that names none, where no rule in force names one either."""


class IssueCitation(Command):
    """Cite a vehicle, or warn it, on the reads of `basis`; the rules pin the fine and the policy version."""

    citation: CitationId
    plate: PlateText
    zone: ZoneId
    code: Word | None = None
    kind: CitationKind = "citation"
    fine: Amount | None = None
    basis: Annotated[tuple[ReadId, ...], BeforeValidator(one_or_many), Field(max_length=50)] = ()
    device: DeviceId | None = None
    online: Annotated[bool, Field(strict=True)] = True
    device_time: Instant | None = None
    officer: Word | None = None
    place: PlaceSaid | None = None


class ServeCitation(Command):
    """Tell that the citation reached the vehicle or its owner; its clocks count from that local date."""

    citation: CitationId
    how: Word | None = None


class RightInForce(Refusal):
    """The vehicle had a valid right when it was observed."""


class WithinGrace(Refusal):
    """The right or limit ended so shortly before the observation that the grace was still running."""


class ExemptFromCitation(Refusal):
    """The vehicle was exempt from citation when it was observed."""


class RuleNotInForce(Refusal):
    """The rule that the violation code stands for was not in force when the vehicle was observed."""


class DuplicateCitation(Refusal):
    """The vehicle was cited for this continuing violation before."""


class StayWithinLimit(Refusal):
    """The vehicle's stay was within the time limit, or had begun anew."""


class StayNotObserved(Refusal):
    """No observation shows since when the vehicle stood there."""


class NoSuchCitation(Refusal):
    """The log holds no citation of that number."""


class CitationNumberTaken(Refusal):
    """Another citation has that number."""


class AlreadyVoided(Refusal):
    """The citation was voided."""


class AlreadyServed(Refusal):
    """The citation was served before, at another time or in another way."""


BARS: Mapping[str, type[Refusal]] = {
    "VALID_RIGHT_AT_OBSERVATION": RightInForce,
    "WITHIN_GRACE": WithinGrace,
    "EXEMPT_FROM_CITATION": ExemptFromCitation,
    "RULE_NOT_IN_FORCE": RuleNotInForce,
    "DUPLICATE": DuplicateCitation,
    "STAY_RESTARTED": StayWithinLimit,
    "WITHIN_LIMIT": StayWithinLimit,
    "STAY_NOT_OBSERVED": StayNotObserved,
}
"""The refusal for each reason for which citing would be improper."""


def _draft(command: IssueCitation, code: str, **pinned: object) -> CitationIssued:
    return fact_of(command, CitationIssued, code=code, **pinned)


def _boundary(command: IssueCitation, evidence: Evidence) -> Boundary[Event]:
    known = world(evidence.entries)
    wanted = citing_boundary(_draft(command, _code(command, known)), evidence)
    return wanted | on(CitationIssued, CitationVoided, citation=command.citation)


def _decide(command: IssueCitation, evidence: Evidence) -> Sequence[Event]:
    known = world(evidence.entries)
    if _issued_already(command, known):
        return ()
    drafted = _draft(command, _code(command, known))
    policy = known.policy_for(drafted)
    fine = command.fine if command.fine is not None else policy.fine_for(drafted.code)
    if command.kind == "warning":
        fine = Cents(0)
    issued = _draft(command, drafted.code, fine=fine, policy=policy.version)
    _refuse_unknown_zone(command, known)
    if command.online:
        _refuse_unknown_reads(command, known)
        _refuse_improper(assess(known, issued))
    return (issued,)


def _code(command: IssueCitation, known: World) -> str:
    """Return the code named, else that of the rule in force, a required right's before any other."""
    if command.code is not None:
        return command.code
    drafted = _draft(command, USUAL_CODE)
    zone = known.zones.get(command.zone, Zone(command.zone))
    _, rule = rule_for(zone, USUAL_CODE, observed_at(known, drafted))
    return rule.code if rule is not None else USUAL_CODE


def _issued_already(command: IssueCitation, known: World) -> bool:
    case = known.cases.get(command.citation)
    if case is None:
        return False
    said = {"citation", "plate", "zone", "kind", "basis"} | ({"code"} if command.code else set())
    if any(getattr(case.issued, name) != getattr(command, name) for name in said):
        raise CitationNumberTaken(f"Another citation has the number {command.citation!r}.")
    return True


def _refuse_unknown_zone(command: IssueCitation, known: World) -> None:
    zone = known.zones.get(command.zone)
    if zone is None or zone.opened is None or (command.online and not zone.is_open(command.at)):
        raise NoSuchZone(f"No zone {command.zone!r} is open.", zone=command.zone)


def _refuse_unknown_reads(command: IssueCitation, known: World) -> None:
    for read in command.basis:
        if read not in known.observations:
            raise NoSuchRead(f"The log holds no plate read {read!r}.", read=read)


def _refuse_improper(found: Assessment) -> None:
    if found.proper:
        return
    right = found.standing.right.right if found.standing.right is not None else None
    raise BARS[found.reason](
        _sentence(found, right),
        right=right,
        grace_until=found.standing.grace_until,
        citation=found.duplicate_of,
    )


def _sentence(found: Assessment, right: str | None) -> str:
    """Return the refusal's own sentence with what it rests on here."""
    about = {
        "VALID_RIGHT_AT_OBSERVATION": f" The right is {right}.",
        "WITHIN_GRACE": f" The right is {right}." if right else "",
        "EXEMPT_FROM_CITATION": f" The exemption is {right}." if right else "",
        "DUPLICATE": f" The citation is {found.duplicate_of}.",
    }.get(found.reason, "")
    return f"{(BARS[found.reason].__doc__ or '').strip()}{about}"


type Service = tuple[Recorded[CitationIssued | CitationServed | CitationVoided], ...]


def _service_boundary(
    command: ServeCitation, _: Service
) -> Boundary[CitationIssued | CitationServed | CitationVoided]:
    return on(CitationIssued, CitationServed, CitationVoided, citation=command.citation)


def _nothing() -> Service:
    return ()


def _evolve_service(
    facts: Service, entry: Recorded[CitationIssued | CitationServed | CitationVoided]
) -> Service:
    return (*facts, entry)


def _serve(command: ServeCitation, facts: Service) -> Sequence[Event]:
    events = [entry.event for entry in facts if entry.event.citation == command.citation]
    if not any(isinstance(event, CitationIssued) for event in events):
        raise NoSuchCitation(f"The log holds no citation {command.citation!r}.")
    served = fact_of(command, CitationServed)
    before = [event for event in events if isinstance(event, CitationServed)]
    if served in before:
        return ()
    if before:
        raise AlreadyServed
    if any(isinstance(event, CitationVoided) for event in events):
        raise AlreadyVoided
    return (served,)


ISSUE_CITATION = Decider(IssueCitation, _boundary, Evidence, evolve_evidence, _decide)
SERVE_CITATION = Decider(ServeCitation, _service_boundary, _nothing, _evolve_service, _serve)
DECIDERS = (ISSUE_CITATION, SERVE_CITATION)
