"""Reports in DuckDB: views in memory over the archive's files and the live tail, one truth for all who ask.

    with Reports(dsn, archive, hashed) as reports:
        answer = reports.ask("collection_by_value", Question(begin, end, by="lot"))
        answer.rows, answer.report.formula, answer.position

There is no database file: two processes would lock each other out of it. Each question has a session of its
own, in which variables say what is asked; the views look at these.
"""

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Self

import duckdb
import pyarrow as pa

from event_store.archive import EVENTS, Archive
from event_store.archive_hash import Hash
from event_store.archive_manifest import BrokenArchive, Manifest
from event_store.codec import Codec
from event_store.log import LogUnavailable
from event_store.postgres import PostgresLog
from projections.reports.asking import Question
from projections.reports.calm import Calm
from projections.reports.catalogue import FINDINGS, Report, report_named
from projections.reports.findings import causes
from projections.reports.newest import Newest
from projections.reports.plan import Plan
from projections.reports.remembered import Basis, Remembered, moment_of
from projections.reports.tail import Tail, tables

_RECORDED = "select recorded from log.events where position = %s"
_POSITION_AT = "select log.position_at(%s)"
_ATTEMPTS = 3
UNREADABLE = (duckdb.Error,)
"""What DuckDB raises of a file that is missing or damaged."""
_MEMORY = "2GB"
"""What is held and worked on in memory, at most; a question that needs more goes on in temporary files."""
_AT_ONCE = 4
"""Questions that are worked on at a time; a long one leaves room for others."""


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
        self._head: tuple[int, datetime | None] = (0, None)
        self._remembered = Remembered()
        # Half of the cores at most, and these give way: nobody else must wait for a report.
        cores = max(1, (os.cpu_count() or 1) // 2)
        self.calm = Calm(_AT_ONCE)
        self._database = self.calm.run(lambda: _database(cores))  # its threads are as calm as who makes them
        self._tail = Tail(dsn, hashed, self._database, codec)
        self._newest = Newest(self._database, lambda path: str(archive.store.local(path)))
        self._plan.ensure(self._database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything that is held."""
        self.calm.close()
        self._tail.close()
        self._database.close()

    def ask(self, name: str, question: Question) -> Answer:
        """Return the answer of a report.

        Raises:
            NoSuchReport: if there is none of that name.
            BadPlan: if the file of planned figures cannot be read.
            ArchiveBehind: if the archive is too far behind the log.
            BrokenArchive: naming the file of it that is missing or damaged.
            LogUnavailable: if the log cannot be reached.

        """
        return self.ask_all([(name, question)])[0]

    def ask_all(self, asked: Sequence[tuple[str, Question]]) -> list[Answer]:
        """Return the answers to questions with `known` and `at` in common, all on one state; see `ask`."""
        return self.calm.run(lambda: self._ask_all(asked))

    def _ask_all(self, asked: Sequence[tuple[str, Question]]) -> list[Answer]:
        for name, _ in asked:
            report_named(name)
        first = asked[0][1]
        with self._lock:
            moment = self._look(first)
        known = [self._remembered.find(*one, moment.basis_of(one[1])) for one in asked]
        found: list[Answer] = [answer for answer in known if answer is not None]
        if len(found) == len(asked):
            return found
        with self.session(first) as (session, moment):
            before, answers = first, []
            for name, question in asked:
                session.execute(_stated(question, before) or "select 1")
                answers.append(self._answer(session, name, question, moment))
                before = question
        return answers

    def _answer(
        self, session: duckdb.DuckDBPyConnection, name: str, question: Question, moment: "Moment"
    ) -> Answer:
        basis = moment.basis_of(question)
        remembered: Answer | None = self._remembered.find(name, question, basis)
        if remembered is not None:
            return remembered
        report = report_named(name)
        try:
            found = self._rows(session, report, moment)
        except UNREADABLE as failed:
            raise broken(self._manifest, failed) from failed
        rows = [
            {"part": row["part"], **row, "value": report.value(row["numerator"], row["denominator"])}
            for row in found
        ]
        answer = Answer(report, question, rows, moment.position, moment.recorded, moment.at)
        if name != FINDINGS:  # which opens what is sealed: keys may have ended meanwhile
            self._remembered.keep(name, question, basis, answer)
        return answer

    def _rows(
        self, session: duckdb.DuckDBPyConnection, report: Report, moment: "Moment"
    ) -> list[dict[str, Any]]:
        if report.name != FINDINGS:
            found = session.execute(report.sql)
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
        counted = Counter(self.wrong(session, moment).values())
        return [
            {"part": kind, "numerator": count, "denominator": None} for kind, count in counted.most_common()
        ]

    def wrong(self, session: duckdb.DuckDBPyConnection, moment: "Moment") -> Mapping[str, str]:
        """Return the citations that a session asks of and that the evidence finds wrong, with the causes."""
        names = session.execute("select citation from cohort where standing <> 'voided'").fetchall()
        with contextlib.closing(PostgresLog(self._dsn, codec=self._codec, readers=1)) as log:
            return causes(log, [row[0] for row in names], moment.position)

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
            moment = self._look(question)
            session = stack.enter_context(self._database.cursor())
            if not lasting:
                session.execute("begin; from newest_citations limit 0")  # a transaction begins with a look
            kept = stack.pop_all()
        with kept:
            path = "recent,main" if moment.recent and not lasting else "main"
            moments = (
                f"set variable known = {moment.position}; set variable at_instant = {literal(moment.at)};"
            )
            session.execute(
                f"set timezone to 'UTC'; set search_path = '{path}'; {moments}{_stated(question, Question())}"
            )
            yield session, moment

    def _look(self, question: Question) -> "Moment":
        """Return what a question rests on by now."""
        head = self._refresh()
        position = head if question.known is None else min(question.known, head)
        recorded = self._recorded(position)
        at = question.at or _instant(recorded, question)
        recent = position == head and self._newest.stands(at)
        stood = self._newest.stood if question.known is None else None
        return Moment(position, recorded, at, recent, (position, stood, self._plan.read))

    def refresh(self) -> int:
        """Look at what the archive and the log hold by now, and return the head of the log."""
        with self._lock:
            return self._refresh()

    def _recorded(self, position: int) -> datetime | None:
        """Return when the event at a position was recorded; `None` where there is none."""
        if position == self._head[0]:
            return self._head[1]
        row = self._tail.run(lambda c: c.execute(_RECORDED, [position]).fetchone())
        return row[0] if row else None

    def _refresh(self) -> int:
        for attempt in range(_ATTEMPTS):
            manifest = self._archive.manifest()
            try:
                if (
                    self._manifest is None
                    or manifest.segments != self._manifest.segments
                    or not self._newest.follows(manifest)
                ):
                    self._newest.follow(manifest)
                    self._lay(manifest)
                self._head = self._tail.refresh(manifest.upto, manifest.parked, self._newest)
                self._newest.stand(_now(self._head[1]))
            except (FileNotFoundError, *UNREADABLE) as failed:
                self._manifest = None  # a file was merged away meanwhile: look again
                if attempt == _ATTEMPTS - 1:
                    raise broken(manifest, failed) from failed
            else:
                self._plan.refresh(self._database)
                return self._head[0]
        raise LogUnavailable(str(LogUnavailable.__doc__))

    def _lay(self, manifest: Manifest) -> None:
        """Lay the views over the files of the archive."""
        for name in tables():
            paths = [str(self._archive.store.local(path)) for path in manifest.paths(name)]
            archived = (
                f"union all by name select * from read_parquet({literal(paths)}, "
                f"union_by_name = {literal(name == EVENTS)}, hive_partitioning = false)"
                if paths
                else ""
            )
            self._database.execute(
                f"create or replace view all_{name} as select * from tail_{name} {archived}"
            )
        if self._manifest is None:
            for schema, rows in (("main", "whole"), ("recent", "recent")):
                script = "".join(_script(name) for name in ("macros", rows, "views", f"{rows}_stays"))
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
    """The position that an answer rests on, when that was recorded, and the instant that it looks at.

    `recent` tells that memory holds what is asked of.
    """

    position: int
    recorded: datetime | None
    at: datetime
    recent: bool
    basis: Basis

    def basis_of(self, question: Question) -> Basis:
        """Return what an answer would be the same on."""
        return (*self.basis, moment_of(question, self.at))


def broken(manifest: Manifest | None, failed: Exception) -> Exception:
    """Return an error that names the file of the archive that cannot be read; the failure, if it is none."""
    paths = (file.path for one in manifest.segments for file in one.files.values()) if manifest else ()
    named = next((path for path in paths if path in str(failed)), None)
    if named is None:
        return failed
    return BrokenArchive(
        f"The archive's file {named} is missing or damaged. Remove the archive: it is written again from the "
        "log, by the service `archive` or `parkledger archive write`."
    )


def _database(threads: int) -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.execute(f"set timezone to 'UTC'; set parquet_metadata_cache to true; set threads to {threads}")
    spilled = Path(tempfile.gettempdir()) / f"parkledger-reports-{os.getpid()}"
    made.execute(f"set memory_limit to '{_MEMORY}'; set temp_directory to {literal(str(spilled))}")
    return made


def _script(name: str) -> str:
    return (files("projections.reports.sql") / f"{name}.sql").read_text("utf-8")


def _instant(recorded: datetime | None, question: Question) -> datetime:
    """Return the instant that is looked at: now, or when what was known then had been recorded."""
    return recorded if question.known is not None and recorded is not None else _now(recorded)


def _now(recorded: datetime | None) -> datetime:
    """Return the instant of now, which is not before the newest event was recorded."""
    now = datetime.now(UTC)
    return now if recorded is None else max(now, recorded)


def _stated(question: Question, before: Question) -> str:
    """Return the statements that make the variables of one question those of another; not its moments."""
    old, new = before.variables(), question.variables()
    return "".join(
        f'set variable "{name}" = {literal(value)};'
        for name, value in new.items()
        if value != old[name] and name not in {"known", "at_instant"}
    )


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
