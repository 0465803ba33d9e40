"""Reports in DuckDB: views in memory over the archive's files and the live tail, one truth for all who ask.

    with Reports(dsn, archive, hashed) as reports:
        answer = reports.ask("collection_by_value", Question(begin, end, by="lot"))
        answer.rows, answer.report.formula, answer.position

There is no database file: two processes would lock each other out of it. Each question has a session of its
own, in which variables say what is asked; the views look at these.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Self

import duckdb
import pyarrow as pa

from event_store.archive import Archive
from event_store.archive_hash import Hash
from event_store.archive_manifest import Manifest
from event_store.codec import Codec
from event_store.log import LogUnavailable
from event_store.postgres import PostgresLog
from projections.reports.asking import Question
from projections.reports.catalogue import FINDINGS, Report, report_named
from projections.reports.findings import causes
from projections.reports.newest import Newest
from projections.reports.plan import Plan
from projections.reports.tail import Tail, tables

_RECORDED = "select recorded from log.events where position = %s"
_POSITION_AT = "select log.position_at(%s)"
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """A report's figures, and the position and instant that they rest on.

    A row is `{part, numerator, denominator, value}` and what else the report tells. There are none where the
    period holds nothing.
    """

    report: Report
    question: Question
    rows: Sequence[dict[str, Any]]
    position: int
    recorded: datetime | None
    at: datetime

    @property
    def empty(self) -> bool:
        """Whether the period holds nothing that the figure could be made of."""
        return all(row["value"] is None for row in self.rows)


class Reports:
    """Answers questions over all of history; may be shared by threads, close it at the end."""

    def __init__(
        self,
        dsn: str,
        archive: Archive,
        hashed: Hash,
        *,
        plan: Path | None = None,
        codec: Codec | None = None,
    ) -> None:
        """Connect when first asked; `plan` is the file of planned figures."""
        self._dsn = dsn
        self._archive = archive
        self._plan = Plan(plan)
        self._codec = codec
        self._lock = Lock()
        self._manifest: Manifest | None = None
        self._database = duckdb.connect()
        self._database.execute("set timezone to 'UTC'; set parquet_metadata_cache to true")
        # Half of the cores at most: whoever cites or looks up meanwhile must not wait for a report.
        self._database.execute(f"set threads to {max(1, (os.cpu_count() or 1) // 2)}")
        self._tail = Tail(dsn, hashed, self._database, codec)
        self._newest = Newest(self._database, lambda path: str(archive.store.local(path)))
        self._plan.ensure(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything that is held."""
        self._tail.close()
        self._database.close()

    def ask(self, name: str, question: Question) -> Answer:
        """Return the answer of a report.

        Raises:
            NoSuchReport: if there is none of that name.
            BadPlan: if the file of planned figures cannot be read.
            ArchiveBehind: if the archive is too far behind the log.
            LogUnavailable: if the log cannot be reached.

        """
        report = report_named(name)
        with self.session(question) as (session, moment):
            found = self._rows(session, report, question, moment)
        rows = [
            {"part": row["part"], **row, "value": report.value(row["numerator"], row["denominator"])}
            for row in found
        ]
        return Answer(report, question, rows, moment.position, moment.recorded, moment.at)

    def _rows(
        self, session: duckdb.DuckDBPyConnection, report: Report, question: Question, moment: "Moment"
    ) -> list[dict[str, Any]]:
        if report.name != FINDINGS:
            found = session.execute(report.sql)
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        names = session.execute("select citation from cohort where standing <> 'voided'").fetchall()
        with contextlib.closing(PostgresLog(self._dsn, codec=self._codec, readers=1)) as log:
            counted = causes(log, [row[0] for row in names], moment.position)
        del question
        return [{"part": kind, "numerator": count, "denominator": None} for kind, count in counted.items()]

    def table(self, statement: str, question: Question) -> pa.Table:
        """Return what any query over the views finds."""
        with self.session(question) as (session, _):
            return session.sql(statement).to_arrow_table()

    @contextlib.contextmanager
    def session(
        self, question: Question, *, lasting: bool = False
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, "Moment"]]:
        """Yield a session whose views look at what is asked, as of the log's head or of `known`.

        It sees one state of archive and tail, whoever looks for newer ones meanwhile. One that is `lasting`
        outlives such states, and errors of who types: it reads the archive's files for everything.

        Raises:
            ArchiveBehind: if the archive is too far behind the log.
            LogUnavailable: if the log cannot be reached.

        """
        with self._lock, contextlib.ExitStack() as stack:
            head = self._refresh()
            position = head if question.known is None else min(question.known, head)
            row = self._tail.run(lambda c: c.execute(_RECORDED, [position]).fetchone())
            recorded: datetime | None = row[0] if row else None
            session = stack.enter_context(self._database.cursor())
            if not lasting:
                session.execute("begin; from newest_citations limit 0")  # a transaction begins with a look
            recent = not lasting and position >= (self._manifest.upto if self._manifest else 0)
            kept = stack.pop_all()
        at = question.at or _instant(recorded, question)
        with kept:
            variables = {**question.variables(), "known": position, "at_instant": at}
            stated = "".join(
                f'set variable "{n}" = {literal(v)};' for n, v in variables.items() if v is not None
            )
            path = "recent,main" if recent else "main"
            session.execute(f"set timezone to 'UTC'; set search_path = '{path}'; {stated}")
            yield session, Moment(position, recorded, at)

    def refresh(self) -> int:
        """Look at what the archive and the log hold by now, and return the head of the log."""
        with self._lock:
            return self._refresh()

    def _refresh(self) -> int:
        for attempt in range(_ATTEMPTS):
            manifest = self._archive.manifest()
            try:
                if self._manifest is None or manifest.segments != self._manifest.segments:
                    self._newest.follow(manifest)
                    self._lay(manifest)
                head = self._tail.refresh(manifest.upto, manifest.parked)
            except (FileNotFoundError, duckdb.IOException):
                self._manifest = None  # a file was merged away meanwhile: look again
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                self._plan.refresh(self._database)
                return head
        raise LogUnavailable(str(LogUnavailable.__doc__))

    def _lay(self, manifest: Manifest) -> None:
        """Lay the views over the files of the archive."""
        for name in tables():
            paths = [str(self._archive.store.local(path)) for path in manifest.paths(name)]
            archived = (
                f"union all by name select * from read_parquet({literal(paths)}, union_by_name = true, "
                f"hive_partitioning = false)"
                if paths
                else ""
            )
            self._database.execute(
                f"create or replace view all_{name} as select * from tail_{name} {archived}"
            )
        if self._manifest is None:
            for schema, rows in (("main", "whole"), ("recent", "recent")):
                script = "".join(_script(name) for name in ("macros", rows, "views"))
                self._database.execute(
                    f"create schema if not exists {schema}; set search_path = '{schema},main'"
                )
                self._database.execute(script)
            self._database.execute("set search_path = 'main'")
        self._manifest = manifest

    def position_at(self, instant: datetime) -> int:
        """Return the newest position recorded at or before an instant."""
        with self._lock:
            row = self._tail.run(lambda c: c.execute(_POSITION_AT, [instant]).fetchone())
        return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Moment:
    """The position that an answer rests on, when that was recorded, and the instant that it looks at."""

    position: int
    recorded: datetime | None
    at: datetime


def _script(name: str) -> str:
    return (files("projections.reports.sql") / f"{name}.sql").read_text("utf-8")


def _instant(recorded: datetime | None, question: Question) -> datetime:
    """Return the instant that is looked at: now, or when what was known then had been recorded."""
    now = datetime.now(UTC)
    if question.known is not None and recorded is not None:
        return recorded
    return now if recorded is None else max(now, recorded)


def literal(value: Any) -> str:
    """Return a value as DuckDB's SQL writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.astimezone(UTC).isoformat()}'"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return "'" + str(value).replace("'", "''") + "'"
