"""What the evidence asks for by itself, exactly once."""

from commands.reviews import ReexamineCitation
from events.appeals import AppealDecided, AppealFiled
from events.base import Event
from events.citations import CitationVoided, ReviewRequired
from events.permits import PermitPurchased, PermitReinstated, PermitSuspended
from events.policies import PolicyAdopted
from tests.commands.cases import CAR, PERMITS_ONLY, ZONE, cited, seen, t
from tests.commands.given_when_then import given

FIRST = seen("2026-03-05 09:05:40")
SECOND = seen("2026-03-05 10:00:00", "r2")
KEPT = cited("2026-03-05 09:06:30", online=False, basis=("r1",))
REPEATED = cited("2026-03-05 10:01:00", "C-2", basis=("r2",))
NOW = t("2026-03-06 10:00")
PERMIT = PermitPurchased(
    at=t("2026-01-10"),
    permit="T-1",
    zones=("F",),
    plates=(CAR,),
    valid_from=t("2026-01-10"),
    valid_until=t("2026-05-01"),
)
FILED = AppealFiled(at=t("2026-03-06 09:00"), appeal="A-1", citation="C-1")
DECIDED = AppealDecided(at=t("2026-03-10"), appeal="A-1", citation="C-1", outcome="upheld")


VOIDED = CitationVoided(at=REPEATED.at, citation="C-2", reason="DUPLICATE", duplicate_of="C-1")
AGAIN = ReexamineCitation(at=NOW, citation="C-2")


def test_a_duplicate_is_voided_from_the_instant_at_which_both_had_been_written() -> None:
    given(ZONE, PERMITS_ONLY, SECOND, REPEATED, FIRST, KEPT).when(AGAIN).then(VOIDED).and_nothing_more()
    given(ZONE, PERMITS_ONLY, SECOND, REPEATED, FIRST, KEPT, VOIDED).when(AGAIN).then()


def test_an_office_may_leave_duplicates_to_staff() -> None:
    values = {"void_duplicates": False}
    adopted = PolicyAdopted(at=ZONE.at, policy="by-hand", effective_from=ZONE.at, values=values)
    given(ZONE, PERMITS_ONLY, adopted, SECOND, REPEATED, FIRST, KEPT).when(AGAIN).then()


def test_a_duplicate_waits_for_the_reads_that_tell_when_it_was_seen() -> None:
    given(ZONE, PERMITS_ONLY, REPEATED, FIRST, KEPT).when(AGAIN).then()
    given(ZONE, PERMITS_ONLY, SECOND, REPEATED, KEPT).when(AGAIN).then()


def test_a_duplicate_that_was_decided_on_appeal_is_left_to_a_person() -> None:
    upheld = AppealDecided(at=t("2026-03-05 12:00"), appeal="A-2", citation="C-2", outcome="upheld")
    (review,) = given(ZONE, PERMITS_ONLY, SECOND, REPEATED, upheld, FIRST, KEPT).when(AGAIN).events
    assert isinstance(review, ReviewRequired)
    assert review.cause == "UPHELD NO_RIGHT_AT_OBSERVATION became VOID DUPLICATE"


def test_a_citation_with_nothing_new_about_it_is_left_alone() -> None:
    given(ZONE, PERMITS_ONLY, FIRST, KEPT).when(ReexamineCitation(at=NOW, citation="C-1")).then()
    given().when(ReexamineCitation(at=NOW, citation="C-1")).then()


def test_a_fact_that_changes_the_finding_of_a_decided_citation_asks_for_a_review_once() -> None:
    facts = (ZONE, PERMITS_ONLY, FIRST, KEPT, DECIDED, PERMIT)
    (review,) = (
        given(*facts).beside(FILED).when(ReexamineCitation(at=NOW, citation="C-1")).and_nothing_more().events
    )
    assert isinstance(review, ReviewRequired)
    assert review.reason == "FINDING_CHANGED"
    assert review.cause == "UPHELD NO_RIGHT_AT_OBSERVATION became DISMISSED VALID_RIGHT_AT_OBSERVATION"


def test_an_undecided_citation_asks_for_no_review_when_its_finding_changes() -> None:
    given(ZONE, PERMITS_ONLY, FIRST, KEPT, PERMIT).when(ReexamineCitation(at=NOW, citation="C-1")).then()


def test_a_retroactive_reinstatement_flags_the_citation_and_a_prospective_one_does_not() -> None:
    suspended = PermitSuspended(at=t("2026-03-01"), permit="T-1", effective_at=t("2026-03-01"))
    back = PermitReinstated(
        at=t("2026-03-06 09:00"),
        permit="T-1",
        effective_at=t("2026-03-06 09:00"),
        retroactive_to=t("2026-03-01"),
    )
    facts: tuple[Event, ...] = (ZONE, PERMITS_ONLY, PERMIT, suspended, FIRST, KEPT)
    command = ReexamineCitation(at=NOW, citation="C-1")
    (review,) = given(*facts, back).when(command).and_nothing_more().events
    assert isinstance(review, ReviewRequired)
    assert review.reason == "RETROACTIVE_REINSTATEMENT"
    given(*facts, back.model_copy(update={"retroactive_to": None})).when(command).then()
