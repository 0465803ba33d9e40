"""Why citations were wrong: the finding on each, from the evidence that the log held at a position.

A finding looks at every right, read and rule around a citation, so it is worked out from the log, in rounds
for many citations at once, and is exact at every position.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any

from commands.evidence import Entry, Evidence
from commands.evidence_boundary import evidence_boundary
from commands.findings import finding
from event_store.log import Log, Reading

AT_ONCE = 200


def causes(log: Log, citations: Sequence[str], upto: int) -> Mapping[str, int]:
    """Return how many of the citations were wrong by each cause, the most frequent first."""
    found: Counter[str] = Counter()
    for some in batched(citations, AT_ONCE):
        for name, evidence in _evidence(log, some, upto).items():
            told = finding(evidence, name)
            if told is not None and told.cause is not None:
                found[told.cause.kind] += 1
    return dict(found.most_common())


def _evidence(log: Log, citations: Sequence[str], upto: int) -> dict[str, Evidence]:
    """Return the evidence of each citation, read in rounds until none of their boundaries grows any more."""
    known: dict[str, dict[int, Entry]] = {name: {} for name in citations}
    evidence = {name: Evidence() for name in citations}
    asked: dict[str, frozenset[Any]] = {name: frozenset() for name in citations}
    growing = list(citations)
    while growing:
        wanted = {name: evidence_boundary(name, evidence[name]) for name in growing}
        fresh = {n: b.criteria - asked[n] for n, b in wanted.items() if b.criteria - asked[n]}
        readings = [Reading(type(wanted[n])(criteria), upto=upto) for n, criteria in fresh.items()]
        for name, part in zip(fresh, log.read_many(readings) if readings else (), strict=True):
            asked[name] |= fresh[name]
            known[name].update((entry.position, entry) for entry in part.entries)
            evidence[name] = Evidence.of(known[name][at] for at in sorted(known[name]))
        growing = list(fresh)
    return evidence
