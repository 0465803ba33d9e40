"""The tables of the read models come to be once, whoever starts first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg

from event_store.log import Log
from event_store.migrations import migrate
from projections.registry import PROJECTIONS
from projections.schema import ensure
from projections.validity import VALIDITY
from tests.projections.conftest import Models
from tests.projections.facts import bought, told


def test_several_may_start_at_once_and_starting_again_changes_nothing(empty_dsn: str) -> None:
    migrate(empty_dsn)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ensure, [empty_dsn] * 4))
    ensure(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        names = connection.execute("SELECT name FROM views.progress WHERE live ORDER BY name").fetchall()
    assert [row[0] for row in names] == sorted(model.name for model in PROJECTIONS)


def test_starting_again_waits_for_nobody_who_writes(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"))
    models.catch_up()
    with psycopg.connect(dsn) as writing:
        for model in PROJECTIONS:
            writing.execute(f"DELETE FROM views.{model.table_name}".encode())
        writing.execute("UPDATE views.progress SET position = position")
        ensure(f"{dsn} options='-c lock_timeout=5s'")
        writing.rollback()


def test_a_later_version_begins_beside_the_live_one(dsn: str) -> None:
    ensure(dsn, (replace(VALIDITY, version=2),))
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT version, live, position FROM views.progress WHERE name = 'validity' ORDER BY version"
        ).fetchall()
        tables = connection.execute("SELECT to_regclass('views.validity_2') IS NOT NULL").fetchone()
    assert rows == [(1, True, 0), (2, False, 0)]
    assert tables == (True,)


def test_every_model_has_a_name_of_its_own() -> None:
    assert len({model.name for model in PROJECTIONS}) == len(PROJECTIONS)


def test_every_thing_is_known_by_a_tag_of_its_events() -> None:
    for model in PROJECTIONS:
        for thing in model.things:
            if not thing.common:
                for event in thing.types:
                    assert thing.kind in {tag for _, tag, _ in event.tagged}, (model.name, thing.kind, event)


def test_every_rooted_kind_is_folded() -> None:
    for model in PROJECTIONS:
        assert model.rooted <= model.kinds
