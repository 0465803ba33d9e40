"""How figures are measured: ours and the other's by turns in one run, and reported as a ratio.

A machine is never equally fast twice, so the two are measured in interleaved rounds, in alternating order,
and the figure is the median of the rounds' ratios. A line of JSON is printed for each figure:
`{bench, figure, ours, other, other_name, unit, ratio, goal, holds, rounds}`.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

type Sample = Mapping[str, float]
"""What one round measured, by the name of the figure."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure shall come to: a ratio of at least, or of at most, `bound`."""

    relation: Literal[">=", "<="]
    bound: float

    def holds(self, ratio: float) -> bool:
        """Tell whether a ratio is good enough."""
        return ratio >= self.bound if self.relation == ">=" else ratio <= self.bound

    def __str__(self) -> str:
        return f"{self.relation} {self.bound:g}"


def at_least(bound: float) -> Goal:
    """Return the goal of a ratio that shall be at least `bound`."""
    return Goal(">=", bound)


def at_most(bound: float) -> Goal:
    """Return the goal of a ratio that shall be at most `bound`."""
    return Goal("<=", bound)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a benchmark: medians of ours and the other's, and the median ratio of the rounds."""

    bench: str
    figure: str
    ours: float
    other: float | None
    other_name: str | None
    unit: str
    ratio: float | None
    goal: str | None
    holds: bool | None
    rounds: int


def interleaved(
    ours: Callable[[], Sample], other: Callable[[], Sample], rounds: int
) -> list[tuple[Sample, Sample]]:
    """Return what ours and the other measured, round by round, taking turns at going first."""
    pairs: list[tuple[Sample, Sample]] = []
    for turn in range(rounds):
        if turn % 2 == 0:
            mine = ours()
            pairs.append((mine, other()))
        else:
            theirs = other()
            pairs.append((ours(), theirs))
    return pairs


def figure(
    bench: str,
    name: str,
    pairs: Sequence[tuple[Sample, Sample]],
    measured: str,
    *,
    unit: str,
    other_name: str,
    goal: Goal | None = None,
) -> Figure:
    """Return the figure of what the rounds measured under the name `measured`."""
    ours = [mine[measured] for mine, _ in pairs]
    other = [theirs[measured] for _, theirs in pairs]
    ratio = median(a / b for a, b in zip(ours, other, strict=True))
    return Figure(
        bench, name, rounded(median(ours)), rounded(median(other)), other_name, unit, rounded(ratio),
        str(goal) if goal else None, goal.holds(ratio) if goal else None, len(pairs),
    )  # fmt: skip


def alone(bench: str, name: str, samples: Iterable[float], *, unit: str) -> Figure:
    """Return a figure that has no peer, such as the memory of a process."""
    values = list(samples)
    return Figure(bench, name, rounded(median(values)), None, None, unit, None, None, None, len(values))


def emit(found: Figure) -> Figure:
    """Print the figure's line at once, so that a long run shows what it has."""
    print(json.dumps(asdict(found)), flush=True)
    return found


def note(text: str) -> None:
    """Tell on standard error what the run is doing."""
    print(text, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def rounded(value: float) -> float:
    """Return a value to four significant digits."""
    return float(f"{value:.4g}")
