"""The two real city files go in whole, on a real log; the figures are those of the shared folder."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from event_store.bulk import Bulk
from event_store.postgres import PostgresLog
from write_api.imports.entering import Entering
from write_api.imports.importing import Result, bring
from write_api.imports.local_time import LocalClock
from write_api.imports.rejects import Rejects
from write_api.imports.rows import Options

DATA = Path(__file__).parents[4] / "shared" / "data"
SEATTLE = DATA / "seattle_pd_alpr_reads_2021-10.csv.gz"
LOS_ANGELES = DATA / "los_angeles_parking_citations_2015_9999.csv"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside this checkout"),
]


type Import = Callable[..., Result]


def counted(log: PostgresLog) -> Counter[str]:
    return Counter(row[1] for page in log.pages() for row in page)


@pytest.fixture
def import_(log: PostgresLog, dsn: str, tmp_path: Path) -> Iterator[Import]:
    bulk = Bulk(dsn)
    rejects = tmp_path / "rejects.csv"
    yield lambda kind, file, options=None: bring(
        kind, [file], Entering(log, bulk.submit), Rejects(rejects), options
    )
    bulk.close()


def test_the_reads_of_seattle(log: PostgresLog, import_: Import) -> None:
    result = import_("plate-reads", SEATTLE)
    assert (result.taken, result.rejected, result.known_already) == (93_490, 0, 0)
    assert counted(log)["PlateRead"] == 93_490
    reads = (log.codec.revive(row).event for page in log.pages(types=["PlateRead"]) for row in page)
    plates, devices = set(), set()
    for read in reads:
        plates.add(read.plate)
        devices.add(read.device)
    assert (len(plates), len(devices)) == (68_188, 9)
    again = import_("plate-reads", SEATTLE)
    assert (again.taken, again.known_already) == (0, 93_490)


def test_the_citations_of_los_angeles(log: PostgresLog, import_: Import) -> None:
    result = import_("citations", LOS_ANGELES)
    assert (result.taken, result.rejected) == (9_995, 4)
    midnight = Options(time_unknown=LocalClock.clock("00:00"))
    rest = import_("citations", LOS_ANGELES, midnight)
    assert (rest.taken, rest.rejected, rest.known_already) == (4, 0, 9_995)
    found = counted(log)
    assert found["CitationIssued"] == 9_999
    assert found["PlateRead"] == 2 * 292
