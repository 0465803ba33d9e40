"""Why citations were wrong: the finding on each, from the evidence that the log held at a position.

A finding looks at every right, read and rule around a citation, so it is worked out from the log, for many
citations at once, and is exact at every position.
"""

from collections.abc import Mapping, Sequence
from itertools import batched

from commands.findings import finding
from event_store.log import Log
from projections.cases import evidence_of_each

AT_ONCE = 200


def causes(log: Log, citations: Sequence[str], upto: int) -> Mapping[str, str]:
    """Return those of the citations that were wrong, each with its cause."""
    found: dict[str, str] = {}
    for some in batched(citations, AT_ONCE):
        for name, evidence in evidence_of_each(log, some, upto).items():
            told = finding(evidence, name)
            if told is not None and told.cause is not None:
                found[name] = told.cause.kind
    return found
