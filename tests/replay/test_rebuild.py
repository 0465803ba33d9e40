"""A rebuild beside the live model gives the very same rows, whatever interrupts it; no reader notices."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_store.log import Log
from event_store.postgres import PostgresLog
from events.base import Event
from operations.embedded import EmbeddedPostgres
from projections import builds
from projections.connection import connect
from projections.locking import lock_rebuild
from projections.projection import Projection
from projections.refold import standing_rows
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.validity import VALIDITY
from replay.comparison import Comparison
from replay.rebuild import AlreadyRebuilding, Rebuild
from replay.switching import switch_back, switch_to_built
from replay.watching import Watch
from tests.projections.conftest import Models, until
from tests.projections.facts import (
    appealed,
    bought,
    bounced,
    cited,
    corrected,
    dismissed,
    opened,
    paid,
    parked_in,
    read,
    revoked,
    told,
    watched,
)
from tests.projections.test_fold import EVENTS

STORY = (
    opened(),
    bought("T-1", payment="P-1"),
    read("r1"),
    cited("C-1", basis=("r1",)),
    paid("P-1", 5, permit="T-1"),
    parked_in("S-1"),
    appealed("A-1", "C-1"),
    corrected("r1", "ON B2"),
    watched("W-1"),
    dismissed("A-1", "C-1"),
    bounced("P-1"),
    revoked("T-1", 50),
)


class Killed(Exception):
    """What a kill looks like from inside: nothing more is done."""


def killing_after(steps: int) -> Watch:
    """Watches, and ends the rebuild at its so-manieth sign of life."""
    left = iter(range(steps))

    def tell(*_: object) -> None:
        if next(left, None) is None:
            raise Killed

    return Watch(tell)


def rows_of(dsn: str, build: Projection) -> list[tuple[object, ...]]:
    with connect(dsn) as connection:
        return standing_rows(connection, build)


def test_all_models_rebuilt_in_one_pass_have_the_rows_of_the_live_ones(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, *STORY)
    models.catch_up(3)
    made = Rebuild(dsn, PROJECTIONS, page=5).run()
    assert [one.position for one in made] == [len(STORY)] * len(PROJECTIONS)
    for one, live in zip(made, PROJECTIONS, strict=True):
        assert rows_of(dsn, one.build) == rows_of(dsn, live)
        with connect(dsn) as connection:
            assert builds.digest(connection, live) == (one.rows, one.digest)


def test_where_memory_is_short_the_rest_goes_batch_by_batch(models: Models, log: Log, dsn: str) -> None:
    told(log, *STORY)
    models.catch_up()
    (made,) = Rebuild(dsn, (VALIDITY,), page=4, memory=0).run()
    assert not made.whole
    assert rows_of(dsn, made.build) == rows_of(dsn, VALIDITY)


@contextmanager
def database(cluster: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"rebuilt_{os.urandom(4).hex()}"
    yield cluster.create(name, template)
    cluster.drop(name)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(EVENTS, min_size=1, max_size=25),
    st.integers(1, 9),
    st.integers(1, 30),
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 30), st.booleans()), max_size=2),
)
def test_any_batches_and_any_kills_give_equal_digests(
    cluster: EmbeddedPostgres,
    template: str,
    events: list[Event],
    page: int,
    live_page: int,
    kills: list[tuple[int, int, bool]],
) -> None:
    with database(cluster, template) as dsn:
        log = PostgresLog(dsn)
        told(log, *events)
        log.close()
        Runner(dsn, (VALIDITY,), page_size=live_page).catch_up()
        for steps, size, short in kills:
            try:
                Rebuild(
                    dsn, (VALIDITY,), page=size, memory=0 if short else None, watch=killing_after(steps)
                ).run()
            except Killed:
                continue
        (made,) = Rebuild(dsn, (VALIDITY,), page=page).run()
        with connect(dsn) as connection:
            assert builds.digest(connection, VALIDITY) == (made.rows, made.digest)


def test_a_rebuild_that_is_killed_hard_is_done_again(models: Models, log: Log, dsn: str) -> None:
    told(log, *STORY)
    models.catch_up()
    script = (
        "import sys, time; from projections.validity import VALIDITY; from replay.rebuild import Rebuild;"
        " from replay.watching import Watch\n"
        "def tell(step, *_):\n    print(step, flush=True); time.sleep(60)\n"
        "Rebuild(sys.argv[1], (VALIDITY,), watch=Watch(tell)).run()"
    )
    with subprocess.Popen([sys.executable, "-c", script, dsn], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "folding\n"
        with pytest.raises(AlreadyRebuilding, match="validity: Somebody else is rebuilding"):
            Rebuild(dsn, (VALIDITY,)).run()
        process.send_signal(signal.SIGKILL)
    _until_unlocked(dsn)
    (made,) = Rebuild(dsn, (VALIDITY,)).run()
    assert rows_of(dsn, made.build) == rows_of(dsn, VALIDITY)
    with connect(dsn) as connection:
        assert [build.stage for build in builds.builds_of(connection, VALIDITY)] == ["following", "built"]


def _until_unlocked(dsn: str) -> None:
    """Wait until the server has noticed that whoever had the lock is gone."""
    with connect(dsn) as connection:
        connection.execute(
            "SELECT pg_advisory_lock(hashtextextended('parkledger rebuild validity', 0))", prepare=False
        )


def test_a_second_rebuilder_is_refused(models: Models, dsn: str) -> None:
    models.catch_up()
    with connect(dsn) as connection:
        assert lock_rebuild(connection, "validity")
        with pytest.raises(AlreadyRebuilding):
            Rebuild(dsn, (VALIDITY,)).run()


def test_nobody_begins_anew_while_a_build_is_compared(models: Models, log: Log, dsn: str) -> None:
    told(log, *STORY)
    models.catch_up()
    with Rebuild(dsn, (VALIDITY,)).held() as (made,):
        with pytest.raises(AlreadyRebuilding):
            Rebuild(dsn, (VALIDITY,)).run()
        assert not any(Comparison(dsn, made.build).counts.values())


def test_readers_are_switched_over_and_back(models: Models, log: Log, dsn: str) -> None:
    told(log, *STORY)
    models.catch_up()
    Rebuild(dsn, (VALIDITY,)).run()
    told(log, bought("T-2"))
    build = switch_to_built(dsn, VALIDITY)
    assert build.table_name == "validity_1_2"
    assert answered_from(dsn) == ("validity_1_2", len(STORY) + 1)
    models.catch_up(models=(VALIDITY,))
    told(log, bought("T-3"))
    models.catch_up(models=(VALIDITY,))
    assert answered_from(dsn) == ("validity_1_2", len(STORY) + 2)
    assert switch_back(dsn, VALIDITY).table_name == "validity_1"
    assert answered_from(dsn) == ("validity_1", len(STORY) + 2)
    assert rows_of(dsn, VALIDITY) == rows_of(dsn, replace(VALIDITY, build=2))


def answered_from(dsn: str) -> tuple[str, int]:
    """The table behind the view that readers ask, and its position."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT DISTINCT d.refobjid::regclass::text FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid"
            " WHERE r.ev_class = 'views.validity'::regclass AND d.refobjid <> r.ev_class"
            " AND d.refclassid = 'pg_class'::regclass"
        ).fetchall()
        position = connection.execute(
            "SELECT position FROM views.progress WHERE name = 'validity' AND live"
        ).fetchone()
    assert position is not None
    (table,) = tables
    return str(table[0]).removeprefix("views."), int(position[0])


@pytest.mark.parametrize("turn", [switch_to_built, switch_back])
def test_there_has_to_be_a_build_to_switch_to(models: Models, dsn: str, turn: object) -> None:
    models.catch_up()
    with pytest.raises(LookupError, match="validity"):
        turn(dsn, VALIDITY)  # type: ignore[operator]


def test_starting_anew_after_a_switch_follows_the_build_that_is_live(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    Rebuild(dsn, (VALIDITY,)).run()
    switch_to_built(dsn, VALIDITY)
    told(log, bought("T-2"))
    models.catch_up()
    assert answered_from(dsn) == ("validity_1_2", 2)


def test_a_running_projector_goes_on_with_the_build_that_readers_were_switched_to(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    runner = Runner(dsn, PROJECTIONS)
    thread = threading.Thread(target=runner.run)
    thread.start()
    try:
        for number in range(2, 5):
            Rebuild(dsn, (VALIDITY,)).run()
            told(log, bought(f"T-{number}"))
            table = switch_to_built(dsn, VALIDITY).table_name
            position = told(log, bought(f"U-{number}")).position
            until(lambda table=table, position=position: answered_from(dsn) == (table, position))  # type: ignore[misc]
    finally:
        runner.stop()
        thread.join(10)
    assert models.drift(tuple(m for m in PROJECTIONS if m.name != "validity")) == []


def with_other_ends() -> Projection:
    """The model of validity, changed by an analyst: a revocation is called a withdrawal."""

    def rows(name: str, state: object, neighbours: object) -> object:
        for row in VALIDITY.rows(name, state, neighbours):  # type: ignore[arg-type]
            yield (*row[:6], "withdrawal") if row[6] == "revocation" else row

    return replace(VALIDITY, rows=rows)  # type: ignore[arg-type]


def test_the_comparison_names_the_event_that_explains_each_row(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"), bought("T-2"), revoked("T-1", 30))
    models.catch_up()
    (made,) = Rebuild(dsn, (with_other_ends(),)).run()
    comparison = Comparison(dsn, made.build)
    (one,) = comparison.differences()
    assert comparison.counts == {"added": 0, "gone": 0, "changed": 1}
    assert (one.key, one.position, one.type) == ("permit:T-1", 3, "PermitRevoked")
    assert list(one.columns) == ["ended_by"]


def test_the_comparison_is_of_what_both_have_come_to(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"), bought("T-2"))
    models.catch_up()
    told(log, revoked("T-1", 30), bought("T-3"))
    (made,) = Rebuild(dsn, (VALIDITY,)).run()
    comparison = Comparison(dsn, made.build)
    assert (comparison.position, list(comparison.differences())) == (2, [])


def test_a_row_is_explained_by_the_event_that_closed_it(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"), revoked("T-1", 30))
    models.catch_up()
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM views.validity_1 WHERE known_until < 100")
        connection.execute("UPDATE views.validity_1 SET plate = 'ON WRONG'")
    (made,) = Rebuild(dsn, (VALIDITY,)).run()
    found = {(one.change, one.position, one.type) for one in Comparison(dsn, made.build).differences()}
    assert found == {("added", 1, "PermitPurchased"), ("changed", 2, "PermitRevoked")}


def test_the_command_rebuilds_compares_and_switches(
    models: Models, log: Log, dsn: str, tmp_path: Path
) -> None:
    told(log, bought("T-1"), revoked("T-1", 30))
    models.catch_up()
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE views.validity_1 SET plate = 'ON WRONG'")
    file = tmp_path / "rows.parquet"
    done = parkledger(dsn, "rebuild", "validity", "--json", "--compare-to", str(file))
    answer = json.loads(done.stdout)
    assert (answer["changed"], answer["rows"], answer["in_memory"]) == (2, 2, True)
    assert pq.read_table(file).column("type").to_pylist() == ["PermitPurchased", "PermitRevoked"]
    assert "answered from validity/1.2" in parkledger(dsn, "rebuild", "validity", "--switch").stdout
    assert "answered from validity/1." in parkledger(dsn, "rebuild", "validity", "--back").stdout
    assert parkledger(dsn, "rebuild", "validity", "--switch").returncode == 1
    unknown = parkledger(dsn, "rebuild", "valdity")
    assert (unknown.returncode, "Did you mean validity?" in unknown.stderr) == (2, True)


def parkledger(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "operations", "replay", *arguments],
        env=os.environ | {"PARKLEDGER_DSN": dsn},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_later_version_that_a_projector_brought_up_is_switched_to_as_it_is(
    models: Models, log: Log, dsn: str
) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    later = replace(VALIDITY, version=2)
    Runner(dsn, (later,)).catch_up()
    assert answered_from(dsn) == ("validity_1", 1)
    assert switch_to_built(dsn, later).label == "validity/2"
    assert answered_from(dsn) == ("validity_2", 1)
    told(log, bought("T-2"))
    Runner(dsn, (later,)).catch_up()
    assert answered_from(dsn) == ("validity_2", 2)


def test_several_processes_share_the_models(models: Models, log: Log, dsn: str) -> None:
    told(log, *STORY)
    models.catch_up()
    made = Rebuild(dsn, PROJECTIONS, page=5, processes=2).run()
    assert all(one.whole for one in made)
    for one, live in zip(made, PROJECTIONS, strict=True):
        assert rows_of(dsn, one.build) == rows_of(dsn, live)
