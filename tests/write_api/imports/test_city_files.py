"""The two real city files go in whole, once, on a real log; the figures are those of the shared folder.

What the reports and the director's page say of them is what counting the files says.
"""

import csv
import gzip
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import psycopg
import pytest

from event_store.archive import writing
from event_store.bulk import Bulk
from event_store.postgres import PostgresLog
from events.reads import PlateRead
from operations.archiving import archivist
from operations.embedded import EmbeddedPostgres
from operations.settings import Settings
from tests.read_api.office import opened
from write_api.imports.entering import Entering
from write_api.imports.importing import Result, bring
from write_api.imports.local_time import LocalClock
from write_api.imports.rejects import Rejects
from write_api.imports.rows import Options

DATA = Path(__file__).parents[4] / "shared" / "data"
SEATTLE = DATA / "seattle_pd_alpr_reads_2021-10.csv.gz"
LOS_ANGELES = DATA / "los_angeles_parking_citations_2015_9999.csv"
AGAIN = int(os.environ.get("CITY_AGAIN", "20500"))
"""Rows of Seattle that are brought a second time: two batches and a part of one; 93490 for all of them."""
MIDNIGHT = Options(time_unknown=LocalClock.clock("00:00"))

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside this checkout"),
]


@dataclass(frozen=True)
class Cities:
    """A log that both files went into, and what became of their rows each time that they were brought."""

    dsn: str
    log: PostgresLog
    los_angeles: tuple[Result, Result]
    between: int
    """The position that Los Angeles ends at; after it stands Seattle."""
    seattle: tuple[Result, Result]

    def reads_of_seattle(self) -> Iterator[PlateRead]:
        for page in self.log.pages(after=self.between, types=["PlateRead"]):
            for row in page:
                event = self.log.codec.revive(row).event
                assert isinstance(event, PlateRead)
                yield event


@pytest.fixture(scope="module")
def cities(
    cluster: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cities]:
    """Bring each file twice: first without and then with a time for rows without one; Seattle's in part."""
    dsn = cluster.create("cities", template)
    root = tmp_path_factory.mktemp("cities")
    rejects, again = root / "rejects.csv", root / "again.csv"
    with gzip.open(SEATTLE, "rb") as packed:
        again.write_bytes(b"".join(islice(packed, 1 + AGAIN)))
    with closing(PostgresLog(dsn)) as log, closing(Bulk(dsn)) as bulk:

        def brought(kind: str, file: Path, options: Options | None = None) -> Result:
            return bring(kind, [file], Entering(log, bulk.submit), Rejects(rejects), options)

        los_angeles = brought("citations", LOS_ANGELES), brought("citations", LOS_ANGELES, MIDNIGHT)
        between = log.head()
        seattle = brought("plate-reads", SEATTLE), brought("plate-reads", again)
        yield Cities(dsn, log, los_angeles, between, seattle)
    cluster.drop("cities")


def counted(cities: Cities, after: int, upto: int) -> Counter[str]:
    with psycopg.connect(cities.dsn) as connection:
        return Counter(
            dict(
                connection.execute(
                    "select type, count(*) from log.events where position > %s and position <= %s group by 1",
                    [after, upto],
                ).fetchall()
            )
        )


def test_the_reads_of_seattle(cities: Cities) -> None:
    first, again = cities.seattle
    assert (first.taken, first.rejected, first.known_already) == (93_490, 0, 0)
    assert (again.taken, again.rejected, again.known_already) == (0, 0, AGAIN)
    assert counted(cities, cities.between, cities.log.head())["PlateRead"] == 93_490
    seen = [(read.plate, read.device) for read in cities.reads_of_seattle()]
    assert (len(seen), *(len(set(part)) for part in zip(*seen, strict=True))) == (93_490, 68_188, 9)


def test_the_citations_of_los_angeles(cities: Cities) -> None:
    first, rest = cities.los_angeles
    assert (first.taken, first.rejected) == (9_995, 4)
    assert (rest.taken, rest.rejected, rest.known_already) == (4, 0, 9_995)
    found = counted(cities, 0, cities.between)
    assert found["CitationIssued"] == 9_999
    assert found["PlateRead"] == 2 * 292


def test_totals_agree_with_a_direct_count_of_the_files(cities: Cities, tmp_path: Path) -> None:
    archive = str(tmp_path / cities.dsn[-8:])
    settings = Settings(data=tmp_path, archive=archive, timezone="America/Los_Angeles")
    with writing(cities.dsn):
        archivist(cities.dsn, settings).catch_up()
    with LOS_ANGELES.open(newline="", encoding="utf-8-sig") as file:
        tickets = list(csv.DictReader(file))
    fines = sum(round(float(row["Fine amount"] or "60") * 100) for row in tickets)  # the policy's, where none
    with gzip.open(SEATTLE, "rt", newline="", encoding="utf-8") as packed:
        seen = list(csv.DictReader(packed))
    with opened(cities.dsn, cities.log, settings) as office:
        by_code = office.get("/v1/reports/violations", "director", by="type").json()["rows"]
        codes = Counter(row["Violation code"] or "NOT_SAID" for row in tickets)
        assert {row["part"]: row["value"] for row in by_code} == dict(codes)
        owed = office.get("/v1/reports/collection_by_value", "director").json()["rows"][0]
        assert (owed["numerator"], owed["denominator"]) == (0, fines)
        observed = office.get("/v1/reports/compliance", "director", from_="2021-10-01").json()["rows"][0]
        assert observed["denominator"] == len({row["plate_hash"] for row in seen})
        page = office.get("/director", "director", from_="2014-01-01", to="2026-01-01").text
        assert f">{len(tickets):,}</a>" in page
