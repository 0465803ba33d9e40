"""Reports from columns beside the same questions in SQL on the log: their speed, size and cost to others.

    python -m benchmarks.reporting [--quick] [--events=N] [--folder=PLACE]

A city's year is loaded, archived and asked of: one month of it, as a director would, another one in each
round, so that no answer is remembered. The other side asks PostgreSQL's log in its own SQL, with every plan
allowed and statistics fresh; where a KPI needs the ledger's fold, its SQL adds up what is simplest and leaves
discounts, fees and reversals out, which favours it. The page is asked again once something was appended, and
then when nothing was. A folder that is named keeps what was loaded, to be measured again.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.city_year import load
from benchmarks.harness import Sample, at_least, at_most, emit, figure, interleaved, note, percentile
from event_store.archive import Archive, writing
from event_store.archive_hash import keyed
from event_store.archive_store import LocalStore
from event_store.migrations import migrate
from event_store.postgres import PostgresLog
from events.boundary import on
from events.citations import CitationIssued
from events.envelope import Append
from events.reads import PlateRead
from events.vocabulary import Plate
from operations.embedded import EmbeddedPostgres
from projections import schema
from projections.reports.archivist import Archivist
from projections.reports.asking import Question
from projections.reports.reporting import Reports
from read_api.pages.director import figures

BENCH = "reporting"
EVENTS, QUICK_EVENTS = 10_000_000, 60_000
MONTHS = [(datetime(2026, at, 1, tzinfo=UTC), datetime(2026, at + 1, 1, tzinfo=UTC)) for at in range(4, 10)]
HASHED = keyed(b"benchmark")
_IN = "at >= %(begin)s and at < %(end)s"
_CITED = f"""
    c as (
        select payload->>'citation' as citation, payload->>'zone' as zone from log.events
        where type = 'CitationIssued' and {_IN})
"""
_PLATES = """
    select distinct substr(t, 7) as plate from log.events, unnest(tags) t where t like 'plate:%%' and type =
"""
QUESTIONS: dict[str, tuple[str | None, str]] = {
    "violations": (
        "lot",
        f"""
        with {_CITED},
        z as (
            select payload->>'zone' as zone, payload->>'lot' as lot from log.events
            where type = 'ZoneOpened'),
        v as (select payload->>'citation' as citation from log.events where type = 'CitationVoided')
        select z.lot, count(*) from c join z using (zone)
        where not exists (select from v where v.citation = c.citation) group by 1
        """,
    ),
    "collection_by_value": (
        None,
        f"""
        with {_CITED},
        p as (
            select payload->>'citation' as citation, sum((payload->>'amount')::bigint) as paid from log.events
            where type = 'PaymentReceived' and payload ? 'citation' group by 1)
        select sum(paid), count(*) * 6000 from c left join p using (citation)
        """,
    ),
    "appeal_rate": (
        None,
        f"""
        with {_CITED},
        a as (select distinct payload->>'citation' as citation from log.events where type = 'AppealFiled')
        select count(a.citation), count(*) from c left join a using (citation)
        """,
    ),
    "overturn_rate": (
        None,
        f"""
        with {_CITED},
        a as (
            select payload->>'citation' as citation,
                (array_agg(payload->>'outcome' order by at desc))[1] as outcome
            from log.events where type = 'AppealDecided' group by 1)
        select outcome, count(*) from c join a using (citation) group by 1
        """,
    ),
    "compliance": (
        None,
        f"""
        with seen as ({_PLATES} 'PlateRead' and {_IN}), wrong as ({_PLATES} 'CitationIssued' and {_IN})
        select count(*), count(wrong.plate) from seen left join wrong using (plate)
        """,
    ),
    "citations_per_patrol_hour": (
        None,
        f"""
        select sum(last - first) from (
            select payload->>'session', min(at) as first, max(at) as last
            from log.events where type = 'PlateRead' and {_IN} group by 1) duty
        """,
    ),
    "revenue": (
        "type",
        f"""
        with p as (
            select payload->>'permit' as permit, payload->>'permit_type' as kind from log.events
            where type = 'PermitPurchased')
        select kind, sum((payload->>'amount')::bigint)
        from log.events e join p on p.permit = e.payload->>'permit'
        where type = 'PaymentReceived' and {_IN} group by 1
        """,
    ),
}
"""Reports, what each is parted by, and the same question in SQL on the log."""

_REPORTING = """
import sys
from pathlib import Path
from benchmarks.reporting import asked_again
asked_again(*sys.argv[1:])
"""


def timed(work: Callable[[], object]) -> Sample:
    """Return `seconds` that the work took."""
    began = time.perf_counter()
    work()
    return {"seconds": time.perf_counter() - began}


def speed(reports: Reports, dsn: str, rounds: int, *, quick: bool) -> None:
    """Print each report's time against that of the same question in SQL on the log."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("set jit to off; set work_mem to '256MB'")
        for name, (by, statement) in QUESTIONS.items():
            months = [iter(MONTHS), iter(MONTHS)]
            ours = lambda name=name, by=by, m=months[0]: _asked(reports, name, by, *next(m))  # noqa: E731
            theirs = lambda s=statement, m=months[1]: _found(connection, s, *next(m))  # noqa: E731
            pairs = interleaved(ours, theirs, rounds)
            faster = [({"times": b["seconds"] / a["seconds"]}, {"times": 1.0}) for a, b in pairs]
            goal = None if quick else at_least(20)
            emit(
                figure(
                    BENCH, f"{name}, one month: times faster", faster, "times", unit="times",
                    other_name="SQL on the log", goal=goal,
                )
            )  # fmt: skip


def _asked(reports: Reports, name: str, by: str | None, begin: datetime, end: datetime) -> Sample:
    return timed(lambda: reports.ask(name, Question(begin, end, by=by)))


def _found(connection: psycopg.Connection[Any], statement: str, begin: datetime, end: datetime) -> Sample:
    period = {"begin": begin, "end": end}
    return timed(lambda: connection.execute(statement.encode(), period).fetchall())


def page(dsn: str, make: Callable[[], Reports], rounds: int) -> None:
    """Print what the director's page waits for: in a process that has just begun, and asked again."""
    words = {"from": "2026-06-01", "to": "2026-07-01"}
    cold, warm, unchanged = [], [], []

    def shown(reports: Reports) -> Sample:
        return timed(lambda: figures(reports, words, "UTC"))

    with closing(PostgresLog(dsn)) as log:
        for _ in range(rounds):
            with make() as reports:
                cold.append((shown(reports), {"seconds": 2.0}))
                log.append(Append([_read()], uuid4()))
                warm.append((shown(reports), {"seconds": 0.5}))
                unchanged.append((shown(reports), {"seconds": 0.5}))
    for name, pairs in (("cold", cold), ("warm, after an event", warm), ("warm, unchanged", unchanged)):
        emit(
            figure(
                BENCH, f"the director's page, {name}: seconds", pairs, "seconds", unit="s",
                other_name="the time it may take", goal=at_most(1),
            )
        )  # fmt: skip


def archiving(dsn: str, root: Path, rounds: int, sample: int) -> None:
    """Print the rate of archiving against that of reading the same stretch of the log."""

    def ours() -> Sample:
        with tempfile.TemporaryDirectory(dir=root) as folder, writing(dsn):
            stretch = _Stretch(dsn, Archive(LocalStore(Path(folder))), sample)
            return {"rate": sample / timed(stretch.write)["seconds"]}

    def theirs() -> Sample:
        with closing(PostgresLog(dsn)) as log:
            return {
                "rate": sample / timed(lambda: sum(len(rows) for rows in log.pages(upto=sample)))["seconds"]
            }

    pairs = interleaved(ours, theirs, rounds)
    emit(
        figure(
            BENCH, f"archiving {sample:,} events: rate", pairs, "rate", unit="events/s",
            other_name="reading the log", goal=at_least(0.4),
        )
    )  # fmt: skip


class _Stretch:
    """The first segment of an archive, to be written again and again."""

    def __init__(self, dsn: str, archive: Archive, size: int) -> None:
        self._archivist = Archivist(dsn, archive, HASHED, rows=size)

    def write(self) -> None:
        """Write one segment, and stop."""
        self._archivist.catch_up(upto=1)


def size(dsn: str, archive: Archive) -> None:
    """Print the bytes of the archive against those of the log's table, without its indexes."""
    files = [file for segment in archive.manifest().segments for file in segment.files.values()]
    with psycopg.connect(dsn) as connection:
        row = connection.execute("select pg_table_size('log.events')").fetchone()
    pairs = [({"bytes": float(sum(f.bytes for f in files))}, {"bytes": float(row[0] if row else 0)})]
    emit(
        figure(
            BENCH, "size of the archive", pairs, "bytes", unit="bytes", other_name="the log's table",
            goal=at_most(0.2),
        )
    )  # fmt: skip


def asked_again(dsn: str, root: str) -> None:
    """Ask reports one after another until killed: what a busy analyst does."""
    with Reports(dsn, Archive(LocalStore(Path(root))), HASHED) as reports:
        print("asking", flush=True)
        while True:
            for name, (by, _) in QUESTIONS.items():
                reports.ask(name, Question(*MONTHS[2], by=by))


def effect(dsn: str, root: Path, rounds: int, times: int) -> None:
    """Print the p99 of appending and of looking up while reports run, against the same without them."""

    def alone() -> Sample:
        return _felt(dsn, times)

    def beside() -> Sample:
        command = [sys.executable, "-c", _REPORTING, dsn, str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            if process.stdout is not None:
                process.stdout.readline()
            try:
                return _felt(dsn, times)
            finally:
                process.kill()

    pairs = interleaved(beside, alone, rounds)
    for name, measured in (("append", "append"), ("look-up", "lookup")):
        emit(
            figure(
                BENCH, f"{name} p99 while reports run", pairs, measured, unit="ms",
                other_name="without reports", goal=at_most(1.2),
            )
        )  # fmt: skip


def _felt(dsn: str, times: int) -> Sample:
    appends, lookups, pause = [], [], Flag()
    with closing(PostgresLog(dsn)) as log:
        for number in range(times):
            appends.append(timed(lambda: log.append(Append([_read()], uuid4())))["seconds"])
            asked = on(CitationIssued, plate=f"ON {number:06d}")
            lookups.append(timed(lambda a=asked: log.read(a))["seconds"])  # type: ignore[misc]
            pause.wait(0.002)
    return {"append": percentile(appends, 0.99) * 1000, "lookup": percentile(lookups, 0.99) * 1000}


def _read() -> PlateRead:
    return PlateRead(at=datetime.now(UTC), read=uuid4().hex, plate=Plate("ON A1"), zone="Z1", device="V")


def main() -> None:
    """Load, archive, and measure as the command line says."""
    quick = "--quick" in sys.argv
    events = int(_option("events") or (QUICK_EVENTS if quick else EVENTS))
    kept = _option("folder")
    with nullcontext(kept) if kept else tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        options = {"max_wal_size": "8GB", "checkpoint_timeout": "1h"}
        with EmbeddedPostgres(folder / "server", options=options) as server:
            archive = Archive(LocalStore(folder / "archive"))
            full = archive.manifest().upto > 0
            dsn = server.dsn("reporting") if full else server.create("reporting")
            migrate(dsn)
            schema.ensure(dsn)
            if not full:
                _fill(dsn, archive, events)
            measure(dsn, archive, folder, 1 if quick else 5, quick=quick)


def _option(name: str) -> str | None:
    return next((one.partition("=")[2] for one in sys.argv if one.startswith(f"--{name}=")), None)


def _fill(dsn: str, archive: Archive, events: int) -> None:
    note(f"loading {events:,} events")
    load(dsn, events)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze log.events")
    note("archiving")
    with writing(dsn):
        Archivist(dsn, archive, HASHED).catch_up()


def measure(dsn: str, archive: Archive, folder: Path, rounds: int, *, quick: bool) -> None:
    """Print every figure."""
    size(dsn, archive)
    page(dsn, lambda: Reports(dsn, archive, HASHED), rounds)
    with Reports(dsn, archive, HASHED) as reports:
        speed(reports, dsn, rounds, quick=quick)
    archiving(dsn, folder, rounds, 20_000 if quick else 100_000)
    effect(dsn, folder / "archive", rounds, 50 if quick else 300)


if __name__ == "__main__":
    main()
