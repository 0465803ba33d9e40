"""A key that cannot be folded is parked with what follows; retried, it takes everything in order."""

from dataclasses import replace

import psycopg
import pytest

from event_store.log import Log
from projections.cells import Entry
from projections.connection import connect
from projections.parking import request_retry
from projections.projection import Projection
from projections.runner import Runner
from projections.schema import OtherTable, ensure
from projections.table import OPEN
from projections.validity import VALIDITY
from tests.projections.conftest import Models, Running, until
from tests.projections.facts import bought, bounced, paid, revoked, told

POISON = "T-BAD"


def with_a_fault() -> Projection:
    """The model of validity, with a fault that refuses a revocation of one permit."""
    permits, *others = VALIDITY.things

    def evolve(state: object, entry: Entry) -> object:
        if type(entry.event).__name__ == "PermitRevoked" and entry.event.__dict__["permit"] == POISON:
            raise ZeroDivisionError("this revocation cannot be folded")
        return permits.evolve(state, entry)

    return replace(VALIDITY, things=(replace(permits, evolve=evolve), *others))


def parked(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "SELECT key, position, type, error, waiting, attempts FROM views.parked ORDER BY key"
        ).fetchall()


def test_the_rest_flows_and_a_retry_takes_what_waited_in_order(models: Models, log: Log, dsn: str) -> None:
    faulty = with_a_fault()
    told(log, bought(POISON, payment="P-1"), bought("T-1"), paid("P-1", permit=POISON))
    told(log, revoked(POISON, 30))
    told(log, bounced("P-1"), bought("T-2"))
    models.catch_up(2, (faulty,))
    assert parked(dsn) == [
        (
            f"permit:{POISON}",
            4,
            "PermitRevoked",
            "ZeroDivisionError: this revocation cannot be folded",
            0,
            1,
        )
    ]
    told(log, revoked(POISON, 20), bought("T-3"))
    models.catch_up(2, (faulty,))
    assert [row[4] for row in parked(dsn)] == [1]
    assert {row[0] for row in models.rows(VALIDITY) if row[3] == OPEN} == {
        f"permit:{name}" for name in (POISON, "T-1", "T-2", "T-3")
    }
    with connect(dsn) as connection:
        assert request_retry(connection, "validity", f"permit:{POISON}") == [f"permit:{POISON}"]
    models.catch_up(2, (VALIDITY,))
    assert parked(dsn) == []
    assert models.drift((VALIDITY,)) == []


def test_a_retry_that_fails_again_is_counted_and_keeps_waiting(models: Models, log: Log, dsn: str) -> None:
    faulty = with_a_fault()
    told(log, bought(POISON), revoked(POISON, 30), revoked(POISON, 40), bought("T-1"))
    models.catch_up(models=(faulty,))
    before = models.rows(VALIDITY)
    with connect(dsn) as connection:
        request_retry(connection, "validity")
    models.catch_up(models=(faulty,))
    assert [row[:2] + row[4:] for row in parked(dsn)] == [(f"permit:{POISON}", 2, 1, 2)]
    assert models.rows(VALIDITY) == before


def test_a_running_projector_retries_when_it_is_asked_to(
    models: Models, running: Running, log: Log, dsn: str
) -> None:
    told(log, bought(POISON), revoked(POISON, 30))
    models.catch_up(models=(with_a_fault(),))
    running((VALIDITY,))
    with connect(dsn) as connection:
        request_retry(connection, "validity")
    until(lambda: parked(dsn) == [])


def refusing() -> Projection:
    """A model whose rows the database refuses where the permit is called so."""

    def rows(name: str, state: object, neighbours: object) -> object:
        return [
            (*row[:2], "\x00" if name == POISON else row[2], *row[3:])
            for row in VALIDITY.rows(name, state, neighbours)
        ]  # type: ignore[arg-type]

    return replace(VALIDITY, name="refusing", rows=rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("others", [0, 60])
def test_rows_that_the_database_refuses_park_their_key_only(
    dsn: str, log: Log, models: Models, others: int
) -> None:
    model = refusing()
    told(log, bought(POISON), *(bought(f"T-{n}") for n in range(others)))
    told(log, bought("U-1"))
    Runner(dsn, (model, VALIDITY)).catch_up()
    assert [row[0] for row in parked(dsn)] == [f"permit:{POISON}"]
    assert len(models.rows(model)) == others + 1
    assert len(models.rows(VALIDITY)) == others + 2
    assert models.drift((VALIDITY,)) == []


def test_a_model_whose_table_is_gone_stalls_alone_and_says_why(
    dsn: str, log: Log, models: Models, running: Running
) -> None:
    lost = replace(VALIDITY, name="lost")
    ensure(dsn, (lost,))
    told(log, bought("T-1"))
    running((lost, VALIDITY))
    until(lambda: len(models.rows(lost)) == 1)
    with psycopg.connect(dsn) as connection:
        connection.execute("DROP TABLE views.lost_1 CASCADE")
    told(log, bought("T-2"))
    until(lambda: len(models.rows(VALIDITY)) == 2)
    until(lambda: any("lost_1" in str(stalled) for stalled in stalls(dsn)))


def stalls(dsn: str) -> list[object]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT stalled FROM views.progress WHERE stalled IS NOT NULL")
        return [row[0] for row in rows]


def test_a_table_with_other_columns_is_refused(dsn: str) -> None:
    other = replace(VALIDITY, table=replace(VALIDITY.table, columns={"plate": "text"}))
    with pytest.raises(OtherTable, match="raise the version of the model"):
        ensure(dsn, (other,))
