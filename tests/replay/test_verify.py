"""What screens showed is recomputed from the log alone, and an answer that it does not lead to is named."""

import asyncio
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.mixed import Office as MixedOffice
from benchmarks.mixed import tell
from event_store.log import Log
from event_store.postgres import PostgresLog
from events.base import Event
from events.reads import Answer, DeviceSynced, PlateRead, Shown
from events.vocabulary import Plate
from operations.embedded import EmbeddedPostgres
from projections.lookups import Lookups
from replay.verify import Verified, verify
from tests.projections.conftest import Models
from tests.projections.facts import adopted, bought, exempted, minute, revoked, told
from tests.projections.test_fold import EVENTS
from tests.replay.test_rebuild import database, parkledger


def seen(
    answer: Answer,
    position: int,
    right: str | None = None,
    *,
    name: str = "r1",
    plate: str = "ON CKTR482",
    at: float = 10,
    online: bool = True,
) -> PlateRead:
    return PlateRead(
        at=minute(at),
        read=name,
        plate=Plate(plate),
        zone="F",
        device="H3",
        online=online,
        shown=Shown(answer, position, right),
    )


def differing(dsn: str, page: int = 20_000) -> list[tuple[str, str | None, str | None]]:
    found = verify(dsn, page=page)
    assert found.unreadable == []
    return [(one.read, one.answer, one.right) for one in found.differing]


def test_answers_are_recomputed_at_the_position_that_they_rested_on(log: Log, dsn: str) -> None:
    told(log, bought("T-1"))
    told(log, revoked("T-1", 5))
    told(log, seen("valid", 1, "T-1", name="early"), seen("in_grace", 2, "T-1", name="late"))
    told(log, seen("no_right", 0, name="before"), seen("no_right", 2, name="long after", at=60))
    assert differing(dsn) == []
    told(log, seen("valid", 2, "T-1", name="wrong"), seen("valid", 1, "T-9", name="wrong right"))
    assert differing(dsn, page=2) == [("wrong", "in_grace", "T-1"), ("wrong right", "valid", "T-1")]


def test_an_answer_cannot_rest_on_what_came_later(log: Log, dsn: str) -> None:
    told(log, seen("no_right", 2), bought("T-1"))
    (one,) = verify(dsn).differing
    assert (one.position, one.reason) == (1, "it names a position that the log had not come to")


def test_near_matches_are_recomputed(log: Log, dsn: str) -> None:
    told(log, bought("T-1", plates=["ON CKTR4B2"]))
    told(log, seen("possible_match", 1, name="near"), seen("no_right", 1, name="missed"))
    told(log, seen("no_right", 0, name="before"), seen("possible_match", 1, plate="ON ZZZ", name="far"))
    assert differing(dsn) == [("missed", "possible_match", None), ("far", "no_right", None)]


def test_grace_and_exemptions_are_those_known_then(log: Log, dsn: str) -> None:
    told(log, bought("T-1", until=5), exempted("E-1", "ON B2"))
    told(log, adopted("strict", -1000, grace_minutes=1))
    told(log, seen("in_grace", 2, "T-1", name="before"), seen("no_right", 3, name="after"))
    told(log, seen("exempt", 2, "E-1", plate="ON B2", name="exempt"))
    assert differing(dsn) == []


def test_an_offline_answer_rests_on_the_list_of_its_device(log: Log, dsn: str) -> None:
    told(log, bought("T-1", plates=["ON CKTR4B2"], at=60 * 24 * 3, until=60 * 24 * 9))
    told(log, DeviceSynced(at=minute(0), device="H3", list_version=1))
    later = 60 * 24 * 4
    told(log, seen("no_right", 1, plate="ON CKTR4B2", at=later, online=False, name="not listed yet"))
    told(log, seen("no_right", 1, at=later, online=False, name="no near matches"))
    told(log, seen("valid", 1, "T-1", plate="ON CKTR4B2", at=later, online=False, name="cannot be"))
    found = verify(dsn)
    assert (found.answers, found.offline) == (3, 3)
    assert [one.read for one in found.differing] == ["cannot be"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(EVENTS, min_size=1, max_size=15),
    st.lists(
        st.tuples(st.integers(0, 15), st.sampled_from(["ON A1", "ON B2", "ON 4I"]), st.integers(-20, 400)),
        min_size=1,
        max_size=8,
    ),
)
def test_the_look_ups_and_the_recomputation_agree(
    cluster: EmbeddedPostgres,
    template: str,
    events: list[Event],
    questions: list[tuple[int, str, int]],
) -> None:
    with database(cluster, template) as dsn:
        log = PostgresLog(dsn)
        told(log, *events)
        Models(dsn).catch_up()
        told(log, *asyncio.run(_answered(dsn, questions, len(events))))
        log.close()
        found = verify(dsn)
    assert (found.answers, found.differing) == (len(questions), [])


async def _answered(dsn: str, questions: list[tuple[int, str, int]], head: int) -> list[PlateRead]:
    with Lookups(dsn) as lookups:
        reads = []
        for number, (known, plate, at) in enumerate(questions):
            answer = await lookups.validity(plate, "F", minute(at), min(known, head))
            reads.append(
                seen(answer.answer, answer.rests_on, answer.right, name=f"r{number}", plate=plate, at=at)
            )
        return reads


def test_a_mixed_log_verifies_and_the_command_says_so(dsn: str, log: Log) -> None:
    tell(dsn, 3000)
    done = parkledger(dsn, "verify", "--json")
    assert (done.returncode, '"differing": 0' in done.stdout) == (0, True), done.stdout + done.stderr
    told(log, seen("valid", 3000, "T-0", name="lied"))
    done = parkledger(dsn, "verify")
    assert done.returncode == 1
    assert "lied" in done.stdout


def test_a_mixed_log_is_the_same_each_time() -> None:
    first, again = (list(MixedOffice().events(300)) for _ in range(2))
    assert first == again
    assert first[-1].at - first[0].at < timedelta(hours=1)


def test_nothing_shown_is_nothing_to_verify(dsn: str) -> None:
    found: Verified = verify(dsn)
    assert (found.answers, found.holds) == (0, True)
