"""A checker of recorded histories: is there an order of all appends that explains what everybody was told?

The log claims that its positions are that order. A history is legal when, in it,

- every accepted append found nothing newer in its boundary than what it named as known (its condition held
  at its own place in the order);
- every refused one had been refused at some moment between its call and its answer: an event after the one
  that it knew lay inside its boundary before it was answered;
- whoever was answered before another called stands before it (real time);
- positions are gapless and nobody's events lie between another's.

Each condition depends only on what stands before the append, so checking it at every place is complete: no
search over orders is needed, as it would be where the order is hidden (Herlihy and Wing 1990, Lowe 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from events.boundary import Boundary
from events.envelope import Append


@dataclass(frozen=True, slots=True)
class Call:
    """An append as its caller saw it; `position` is its last, or `None` where it was refused."""

    append: Append
    called: float
    answered: float
    position: int | None


def contradictions(history: Sequence[Call]) -> list[str]:
    """Return what in a history no order explains; empty for a linearizable one."""
    accepted = sorted((c for c in history if c.position is not None), key=lambda c: c.position or 0)
    refused = [c for c in history if c.position is None]
    return [
        *_gaps(accepted),
        *_broken_conditions(accepted),
        *_groundless_refusals(accepted, refused),
        *_against_time(accepted),
    ]


def _gaps(accepted: Sequence[Call]) -> list[str]:
    found, head = [], 0
    for call in accepted:
        if call.position != head + len(call.append.events):
            found.append(f"an append ends at {call.position}, its events begin after {head}")
        head = call.position or 0
    return found


def _broken_conditions(accepted: Sequence[Call]) -> list[str]:
    found = []
    for place, call in enumerate(accepted):
        newest = _newest_inside(call.append.boundary, accepted[:place])
        if newest > call.append.after:
            found.append(f"accepted at {call.position} although {newest} moved its boundary")
    return found


def _groundless_refusals(accepted: Sequence[Call], refused: Sequence[Call]) -> list[str]:
    found = []
    for call in refused:
        before = [other for other in accepted if other.called < call.answered]
        if _newest_inside(call.append.boundary, before) <= call.append.after:
            found.append(f"refused, but nothing after {call.append.after} lay in its boundary")
    return found


def _against_time(accepted: Sequence[Call]) -> list[str]:
    found: list[str] = []
    earliest_later = float("inf")
    for call in reversed(accepted):
        if call.called > earliest_later:
            found.append(f"{call.position} was called after one behind it was answered")
        earliest_later = min(earliest_later, call.answered)
    return found


def _newest_inside(boundary: Boundary[object] | None, accepted: Sequence[Call]) -> int:  # type: ignore[type-var]
    newest = 0
    for call in accepted:
        first = (call.position or 0) - len(call.append.events) + 1
        for position, event in enumerate(call.append.events, first):
            if boundary is not None and boundary.covers(event):
                newest = max(newest, position)
    return newest
