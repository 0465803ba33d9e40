"""Which plates a permit may carry: so many at most, and none that another permit carries in the same zone."""

from collections.abc import Iterable, Iterator

from commands.capacity import Window
from commands.decider import Refusal
from commands.right_boundaries import plates_boundary
from commands.right_collection import KnownRights, RightsEvent
from commands.right_facts import Right
from commands.right_intervals import nominal_spans
from commands.right_plates import carried_plates
from events.boundary import Boundary
from events.vocabulary import Plate, is_readable


class TooManyPlates(Refusal):
    """The permit may not carry so many plates."""


class PlateAlreadyPermitted(Refusal):
    """Another permit carries this plate in the same zone at the same time."""


class PlateUnreadable(Refusal):
    """A permit carries plates that are known, not one that nobody could read."""


def permitted_boundary(plates: Iterable[str], known: KnownRights) -> Boundary[RightsEvent]:
    """Return what decides whether these plates are carried by other permits."""
    return plates_boundary(plates, known)


def refuse_unreadable(plate: str) -> None:
    """Let a permit carry plates that somebody read.

    Raises:
        PlateUnreadable: if the plate is none.

    """
    if not is_readable(Plate(plate)):
        raise PlateUnreadable(f"{plate!r} is not a plate that was read.")


def refuse_permitted(
    plate: str, zones: Iterable[str], window: Window, known: KnownRights, besides: str
) -> None:
    """Let a plate be carried by one permit of a zone at a time; `besides` is the permit that is asked for.

    Raises:
        PlateUnreadable: if the plate is none that could be read.
        PlateAlreadyPermitted: if another permit carries it in one of the zones within the window.

    """
    refuse_unreadable(plate)
    wanted = set(zones)
    for right in known.of_plate(plate):
        if right.kind != "permit" or right.right == besides or not wanted.intersection(right.zones):
            continue
        if any(window.meets(span.start, span.end) for span in _carrying(right, plate)):
            raise PlateAlreadyPermitted(
                f"The permit {right.right!r} carries {plate} there at that time.", permit=right.right
            )


def refuse_other_permits(right: Right, window: Window, known: KnownRights) -> None:
    """Let a permit run on, or again, only where no other permit has got one of its plates meanwhile.

    Raises:
        PlateAlreadyPermitted: if another permit carries one of them in the same zone within the window.

    """
    for plate, spans in carried_plates(right).items():
        for since, until in spans:
            if window.meets(since, until) and is_readable(Plate(plate)):
                ends = [end for end in (window.end, until) if end is not None]
                carried = Window(max(window.start, since), min(ends, default=None))
                refuse_permitted(plate, right.zones, carried, known, besides=right.right)


def _carrying(right: Right, plate: str) -> Iterator[Window]:
    """Yield when the permit takes its place and carries the plate, active or not."""
    for since, until in carried_plates(right).get(plate, ()):
        for start, end, _ in nominal_spans(right):
            carried = Window(since, until)
            if carried.meets(start, end):
                last = end if until is None else until if end is None else min(end, until)
                yield Window(max(start, since), last)
