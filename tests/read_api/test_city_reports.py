"""Two real cities: what the reports and the director's page say is what counting their files says."""

import csv
import gzip
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from event_store.archive import writing
from event_store.bulk import Bulk
from event_store.log import Log
from operations.archiving import archivist
from operations.settings import Settings
from tests.read_api.office import opened
from write_api.imports.entering import Entering
from write_api.imports.importing import bring
from write_api.imports.local_time import LocalClock
from write_api.imports.rejects import Rejects
from write_api.imports.rows import Options

DATA = Path(__file__).parents[3] / "shared" / "data"
SEATTLE = DATA / "seattle_pd_alpr_reads_2021-10.csv.gz"
LOS_ANGELES = DATA / "los_angeles_parking_citations_2015_9999.csv"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not beside this checkout"),
]


def test_totals_agree_with_a_direct_count_of_the_files(log: Log, dsn: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, archive=str(tmp_path / dsn[-8:]), timezone="America/Los_Angeles")
    midnight = Options(time_unknown=LocalClock.clock("00:00"))
    with closing(Bulk(dsn)) as bulk:
        entering, rejects = Entering(log, bulk.submit), Rejects(tmp_path / "rejects.csv")
        bring("citations", [LOS_ANGELES], entering, rejects, midnight)
        bring("plate-reads", [SEATTLE], entering, rejects)
    with writing(dsn):
        archivist(dsn, settings).catch_up()
    with LOS_ANGELES.open(newline="", encoding="utf-8-sig") as file:
        tickets = list(csv.DictReader(file))
    fines = sum(round(float(row["Fine amount"] or "60") * 100) for row in tickets)  # the policy's, where none
    with gzip.open(SEATTLE, "rt", newline="", encoding="utf-8") as packed:
        seen = list(csv.DictReader(packed))
    with opened(dsn, log, settings) as office:
        office.catch_up()
        by_code = office.get("/v1/reports/violations", "director", by="type").json()["rows"]
        counted = Counter(row["Violation code"] or "NOT_SAID" for row in tickets)
        assert {row["part"]: row["value"] for row in by_code} == dict(counted)
        owed = office.get("/v1/reports/collection_by_value", "director").json()["rows"][0]
        assert (owed["numerator"], owed["denominator"]) == (0, fines)
        observed = office.get("/v1/reports/compliance", "director", from_="2021-10-01").json()["rows"][0]
        assert observed["denominator"] == len({row["plate_hash"] for row in seen})
        page = office.get("/director", "director", from_="2014-01-01", to="2026-01-01").text
        assert f">{len(tickets):,}</a>" in page
