"""Dockets of citations, read from the log by their boundaries."""

from collections.abc import Iterable, Sequence

from commands.ledger import CitationLedger, LedgerEvent, evolve_ledger, ledger_boundary
from event_store.log import Log, Reading
from events.envelope import Recorded


def dockets(log: Log, citations: Iterable[str], upto: int | None = None) -> Sequence[CitationLedger]:
    """Return the dockets of several citations as of one position (the head where none is given).

    Their boundaries are read together, in rounds, until none of them grows any more.
    """
    states = {name: CitationLedger(name) for name in citations}
    found: dict[str, dict[int, Recorded[LedgerEvent]]] = {name: {} for name in states}
    wanted = {name: ledger_boundary(name, state) for name, state in states.items()}
    asked = {name: type(boundary)() for name, boundary in wanted.items()}
    head = upto
    while missing := [name for name in states if wanted[name].criteria - asked[name].criteria]:
        readings = [
            Reading(type(wanted[n])(wanted[n].criteria - asked[n].criteria), upto=head) for n in missing
        ]
        for name, part in zip(missing, log.read_many(readings), strict=True):
            head = part.head if head is None else head
            found[name].update((entry.position, entry) for entry in part.entries)
            state = CitationLedger(name)
            for position in sorted(found[name]):
                state = evolve_ledger(state, found[name][position])
            states[name] = state
            asked[name], wanted[name] = wanted[name], ledger_boundary(name, state)
    return list(states.values())
