"""A year in small, and whether everything that must be true of it is."""

import asyncio

import psycopg
import pytest

from event_store.migrations import simulate
from event_store.postgres import PostgresLog
from replay.town.checking import checks
from replay.town.simulated import Lived, Year
from replay.town.year import Size, Town


def live(dsn: str, size: Size) -> Lived:
    with Year(dsn, Town(size)) as year:
        return asyncio.run(year.live())


def test_a_year_in_small_leaves_everything_true(dsn: str) -> None:
    simulate(dsn)
    lived = live(dsn, Size(scale=0.008, days=45))
    assert lived.done["PurchasePermit"] > 20
    assert lived.done["IssueCitation"] > 20
    assert lived.done["FileAppeal"] > 0
    assert lived.done["automation"] > 0
    assert lived.refused["PermitTypeSoldOut"] > 0
    log = PostgresLog(dsn)
    found = list(checks(dsn, log, most=100))
    log.close()
    assert [(one.name, *one.wrong) for one in found if not one.holds] == []
    assert all(one.looked_at for one in found)


def test_the_checks_find_what_is_wrong(dsn: str) -> None:
    simulate(dsn)
    live(dsn, Size(scale=0.001, days=3))
    with psycopg.connect(dsn) as connection:
        connection.execute("alter table log.events disable trigger refuse_change")
        connection.execute(
            "update log.events set payload = payload || '{\"zone\": \"LOT99\"}' where type = 'CitationIssued'"
        )
        connection.execute("update views.citations_1 set zone = 'LOT98'")
    log = PostgresLog(dsn)
    wrong = {one.name for one in checks(dsn, log, most=50) if not one.holds}
    log.close()
    assert {"the log stands as it was written", "rows of the read models equal a refold of the log"} <= wrong


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_lives_the_same_year(seed: int) -> None:
    first, second = (Town(Size(0.001), seed) for _ in range(2))
    assert first.drivers == second.drivers
    assert first.patrol(0) == second.patrol(0)
    assert [one.account for one in first.buyers(0)] == [one.account for one in second.buyers(0)]
