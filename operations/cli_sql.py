"""`parkledger sql`."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import duckdb

EXAMPLE = '**Example:** `parkledger sql "select lot, count(*) from citations group by lot"`'
_POLITE = 10
"""Added to the niceness of this process: an analyst's query gives way to whoever serves the office."""
_WELCOME = """History as tables: `views;` lists them, `describe citations;` their columns. A query ends
with `;`. `SET VARIABLE known = 1042;` shows everything as it was known at that position. Ctrl-D ends.
"""
_VIEWS = """
    select distinct view_name as name, comment from duckdb_views() where not internal and comment is not null
    union select table_name, comment from duckdb_tables() where comment is not null order by name
"""
_VIEWS_AT_MOST = 1000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sql", epilog=EXAMPLE)(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="The query; without one, a prompt.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    parquet: Annotated[Path | None, typer.Option(help="Write what is found to a Parquet file.")] = None,
) -> None:
    """Query all of history with DuckDB, without slowing anybody down."""
    import duckdb

    from event_store.archive_manifest import BrokenArchive
    from operations.archiving import reports_of
    from operations.serving import database
    from operations.settings import BadSetting, Settings
    from projections.reports.asking import Question
    from projections.reports.tail import ArchiveBehind

    if query is None or sys.stdin.isatty():
        os.nice(_POLITE)
    settings = Settings.from_environment()
    try:
        with (
            database(settings) as dsn,
            reports_of(dsn, settings) as asked,
            asked.session(Question(timezone=settings.timezone), lasting=query is None) as (session, _),
        ):
            if query is None:
                _prompt(session, asked.refresh)
            else:
                with _stoppable():
                    _answer(session, query, csv=csv, parquet=parquet)
    except (duckdb.Error, ArchiveBehind, BrokenArchive) as error:
        raise BadSetting(str(error)) from error


def _answer(
    session: "duckdb.DuckDBPyConnection", query: str, *, csv: bool = False, parquet: Path | None = None
) -> None:
    from event_store.archive import parquet as as_parquet
    from projections.reports.exporting import table_csv

    views = query.strip().lower() in {"views", "show views"}
    found = session.sql(_VIEWS if views else query)
    if found is None:
        return
    if parquet is not None:
        parquet.write_bytes(as_parquet(found.to_arrow_table()))
    elif csv:
        typer.echo(table_csv(found.to_arrow_table().to_pylist()), nl=False)
    elif views:
        found.show(max_rows=_VIEWS_AT_MOST)
    else:
        typer.echo(str(found))


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Turn what DuckDB raises at Ctrl-C into Python's own interrupt."""
    try:
        yield
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        raise KeyboardInterrupt from error


def _prompt(session: "duckdb.DuckDBPyConnection", refresh: object) -> None:
    import duckdb

    from event_store.archive_manifest import BrokenArchive
    from event_store.log import LogUnavailable
    from projections.reports.tail import ArchiveBehind

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives the prompt a history

    typer.echo(_WELCOME)
    lines: list[str] = []
    while True:
        try:
            lines.append(input("parkledger> " if not lines else "       ...> "))
        except EOFError:
            sys.stdout.write("\n")
            return
        except KeyboardInterrupt:
            lines = []
            sys.stdout.write("\n")
            continue
        text = "\n".join(lines).strip()  # a comment ends with its line
        if not text.endswith(";"):
            continue
        lines = []
        try:
            if callable(refresh):
                refresh()
            with _stoppable():
                _answer(session, text.rstrip("; "))
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
        except (duckdb.Error, ArchiveBehind, BrokenArchive, LogUnavailable) as error:
            typer.echo(str(error), err=True)
