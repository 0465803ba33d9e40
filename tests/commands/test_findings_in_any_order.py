"""The same facts give the same finding in whatever order they arrive, whatever automation did on the way."""

from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.evidence import AUTOMATION, Evidence, evolve_evidence
from commands.findings import finding
from commands.reviews import REEXAMINE_CITATION, ReexamineCitation
from events.base import Event
from events.citations import CitationIssued, CitationVoided, ReviewRequired
from events.envelope import Recorded
from events.payments import PaymentAuthorised, PaymentDishonoured
from events.permits import PermitPurchased, PermitRevoked
from events.reads import PlateReadCorrected
from events.vocabulary import Plate
from tests.commands.cases import CAR, PERMITS_ONLY, ZONE, cents, cited, seen, t

NOW = t("2026-03-20")
OTHER = Plate("ON CKTR4B2")
PERMIT = PermitPurchased(
    at=t("2026-03-05 09:02:11"),
    permit="T-1",
    zones=("F",),
    plates=(CAR,),
    valid_from=t("2026-03-05 09:00"),
    valid_until=t("2026-03-05 11:00"),
    payment="P-1",
)
FACTS: tuple[Event, ...] = (
    seen("2026-03-05 08:00", "r0"),
    seen("2026-03-05 09:05:40", "r1"),
    seen("2026-03-05 10:00", "r2", plate=OTHER),
    seen("2026-03-05 11:30", "r3"),
    seen("2026-03-05 12:50", "r4", direction="exit"),
    seen("2026-03-05 13:20", "r5"),
    cited("2026-03-05 08:01", "C-0", basis=("r0",)),
    cited("2026-03-05 09:06", "C-1", basis=("r1",)),
    cited("2026-03-05 10:01", "C-2", basis=("r2",), plate=OTHER),
    cited("2026-03-05 11:31", "C-3", basis=("r3",)),
    cited("2026-03-05 13:21", "C-5", basis=("r5",)),
    cited("2026-03-05 11:00", "C-6"),
    PERMIT,
    PaymentAuthorised(at=t("2026-03-05 09:02"), payment="P-1", amount=cents(100), permit="T-1"),
    PaymentDishonoured(at=t("2026-03-09"), payment="P-1"),
    PermitRevoked(at=t("2026-03-05 08:30"), permit="T-1", effective_at=t("2026-03-05 10:30")),
    PlateReadCorrected(at=t("2026-03-06"), read="r2", plate=CAR, was=OTHER, basis="image"),
    CitationVoided(at=t("2026-03-07"), citation="C-0", reason="error"),
)
CITATIONS = [fact.citation for fact in FACTS if isinstance(fact, CitationIssued)]


def arrived(facts: list[Event]) -> Evidence:
    """Return the evidence after these facts arrived one by one, automation acting after each."""
    log = Evidence()

    def append(event: Event, actor: str) -> None:
        nonlocal log
        position = len(log.entries) + 1
        log = evolve_evidence(log, Recorded(position, NOW, event, actor, actor, UUID(int=position)))

    for fact in (ZONE, PERMITS_ONLY, *facts):
        append(fact, "tests")
        for name in CITATIONS:
            for made in REEXAMINE_CITATION.decide(ReexamineCitation(at=NOW, citation=name), log):
                append(made, AUTOMATION)
    return log


def found(log: Evidence) -> dict[str, tuple[str, str]]:
    each = ((name, finding(log, name)) for name in CITATIONS)
    return {name: (f.disposition, f.reason) for name, f in each if f is not None}


@given(st.lists(st.sampled_from(FACTS), unique_by=id, min_size=4), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_arrival_leaves_no_trace_in_findings(facts: list[Event], random: Random) -> None:
    again = list(facts)
    random.shuffle(again)
    assert found(arrived(facts)) == found(arrived(again))


@given(st.permutations(FACTS))
@settings(max_examples=20, deadline=None)
def test_automation_comes_to_rest_and_voids_each_duplicate_once(facts: list[Event]) -> None:
    log = arrived(facts)
    voided = [
        e.event.citation
        for e in log.entries
        if isinstance(e.event, CitationVoided) and e.event.duplicate_of is not None
    ]
    assert len(voided) == len(set(voided))
    for name in CITATIONS:
        asked = REEXAMINE_CITATION.decide(ReexamineCitation(at=NOW, citation=name), log)
        assert not [event for event in asked if not isinstance(event, ReviewRequired)]
        assert not asked
