"""The plates of a permit: added, removed, selected as active, and corrected where the clerk got one wrong."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from commands.capacity import Window
from commands.decider import Command, Decider, Refusal, fact_of
from commands.permit_facts import (
    PermitFact,
    PermitFacts,
    PermitNotInForce,
    evolve_permit_facts,
    is_over,
    own_boundary,
)
from commands.plates_permitted import TooManyPlates, permitted_boundary, refuse_permitted, refuse_unreadable
from commands.right_facts import Right, evolve_right, unless_said
from commands.right_intervals import nominal_spans
from commands.right_plates import carried_plates, plates_at
from events.base import Event
from events.boundary import Boundary
from events.envelope import Recorded
from events.permits import ActivePlateSelected, PlateAdded, PlateAssociationCorrected, PlateRemoved
from events.vocabulary import Instant, PermitId, PlateTag, Text, Word


class AddPlate(Command):
    """Let the permit carry one more plate from `effective_from`, or now."""

    permit: PermitId
    plate: PlateTag
    effective_from: Instant | None = None


class RemovePlate(Command):
    """Let the permit no longer carry the plate from `effective_from`, or now."""

    permit: PermitId
    plate: PlateTag
    effective_from: Instant | None = None


class SelectActivePlate(Command):
    """Make the plate the active one of its permit from now."""

    permit: PermitId
    plate: PlateTag


class CorrectPlateAssociation(Command):
    """Say which plate the permit should have carried; `corrects` is the wrong event's position, or plate."""

    permit: PermitId
    plate: PlateTag
    corrects: Annotated[int, Field(strict=True)] | Word | None = None
    effective_from: Instant | None = None
    reason: Text | None = None
    approved_by: Word | None = None


class PlateNotOnPermit(Refusal):
    """The permit does not carry this plate then."""


_LAST, _NOBODY = 2**62, UUID(int=0)
"""After every position, and by nobody: what a command would tell, before it is told."""

_PUTS_ON = {"bought", "added", "corrected"}

type _OnPlates = AddPlate | RemovePlate | SelectActivePlate | CorrectPlateAssociation


def _own_boundary(command: _OnPlates, facts: PermitFacts) -> Boundary[PermitFact]:
    boundary: Boundary[PermitFact] = own_boundary(command.permit, facts)
    return boundary


def _carrying_boundary(
    command: AddPlate | CorrectPlateAssociation, facts: PermitFacts
) -> Boundary[PermitFact]:
    return _own_boundary(command, facts) | permitted_boundary((command.plate,), facts.known)


def _carries(right: Right, plate: str, at: datetime) -> bool:
    return plate in plates_at(right, at)[0]


def _still_carries(right: Right, plate: str, at: datetime) -> bool:
    """Tell whether the permit carries the plate at the instant or will later."""
    return any(end is None or at < end for _, end in carried_plates(right).get(plate, ()))


def _add(command: AddPlate, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    since = command.effective_from or command.at
    new = unless_said(right, fact_of(command, PlateAdded, effective_from=since))
    if not new or _carries(right, command.plate, since):
        return ()
    _refuse_over(right, since)
    _refuse_too_many(right, new[0], since, facts)
    _refuse_elsewhere(right, command.plate, since, facts)
    return new


def _refuse_too_many(
    right: Right, new: PlateAdded | PlateAssociationCorrected, since: datetime, facts: PermitFacts
) -> None:
    """Let the permit carry no more plates than it may, at the instant and at those that are told of later."""
    offer = facts.known.offer(right.permit_type, new.at) if right.permit_type is not None else None
    most = offer.max_plates if offer is not None else facts.known.policy(new.at).max_plates
    after = evolve_right(right, Recorded(_LAST, new.at, new, "", "", _NOBODY))
    starts = {start for spans in carried_plates(after).values() for start, _ in spans if start > since}
    for instant in {since} | starts:
        carried = len(plates_at(after, instant)[0])
        if most < carried > len(plates_at(right, instant)[0]):
            raise TooManyPlates(f"This permit carries at most {most} plates.", permit=right.right)


def _refuse_elsewhere(right: Right, plate: str, since: datetime, facts: PermitFacts) -> None:
    """Let a plate be put on a permit unless another carries it there while this one runs."""
    refuse_unreadable(plate)
    for start, end, _ in nominal_spans(right):
        if end is None or since < end:
            window = Window(max(start, since), end)
            refuse_permitted(plate, right.zones, window, facts.known, besides=right.right)


def _remove(command: RemovePlate, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    since = command.effective_from or command.at
    if not any(command.plate in fact.plates for fact in right.facts if fact.what in _PUTS_ON):
        raise PlateNotOnPermit(f"{command.permit!r} never carried {command.plate}.")
    if not _still_carries(right, command.plate, since):
        return ()
    return unless_said(right, fact_of(command, PlateRemoved, effective_from=since))


def _select(command: SelectActivePlate, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    new = unless_said(right, fact_of(command, ActivePlateSelected))
    if not new:
        return ()
    if not _carries(right, command.plate, command.at):
        raise PlateNotOnPermit(f"{command.permit!r} does not carry {command.plate} then.")
    _refuse_over(right, command.at)
    if command.plate in plates_at(right, command.at, facts.known.max_active(right))[1]:
        return ()
    return new


def _correct(command: CorrectPlateAssociation, facts: PermitFacts) -> Sequence[Event]:
    right = facts.permit(command.permit)
    since = command.effective_from or command.at
    said = (since, (command.plate,), command.corrects)
    if any(f.what == "corrected" and (f.since, f.plates, f.corrects) == said for f in right.facts):
        return ()
    _refuse_elsewhere(right, command.plate, since, facts)
    new = fact_of(command, PlateAssociationCorrected, effective_from=since)
    _refuse_too_many(right, new, since, facts)
    return (new,)


def _refuse_over(right: Right, at: datetime) -> None:
    if is_over(right, at):
        raise PermitNotInForce(f"The permit {right.right!r} is over by then.", permit=right.right)


ADD_PLATE = Decider(AddPlate, _carrying_boundary, PermitFacts, evolve_permit_facts, _add)
REMOVE_PLATE = Decider(RemovePlate, _own_boundary, PermitFacts, evolve_permit_facts, _remove)
SELECT_ACTIVE_PLATE = Decider(SelectActivePlate, _own_boundary, PermitFacts, evolve_permit_facts, _select)
CORRECT_PLATE = Decider(
    CorrectPlateAssociation, _carrying_boundary, PermitFacts, evolve_permit_facts, _correct
)
DECIDERS = (ADD_PLATE, REMOVE_PLATE, SELECT_ACTIVE_PLATE, CORRECT_PLATE)
