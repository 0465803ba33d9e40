"""`parkledger report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from projections.reports.reporting import Answer

EXAMPLE = "**Example:** `parkledger report collection_by_value --from 2026-09-01 --to 2026-10-01 --by lot`"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", epilog=EXAMPLE)(report)


def report(
    name: Annotated[str | None, typer.Argument(help="Which report; without one, all are listed.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="Date or instant that the period begins at.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Date or instant before which it ends.")] = None,
    known: Annotated[
        str | None, typer.Option(help="As it would have read then: an instant, a date or a position.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Part the figure by zone, lot, type, officer, device, month…")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Narrow it down: `--only zone=F --only officer=riley`.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    parquet: Annotated[Path | None, typer.Option(help="Write a Parquet file instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """State a figure with its formula, what it is divided by, its cohort and the position it rests on."""
    from event_store.archive_manifest import BrokenArchive
    from operations.archiving import reports_of
    from operations.serving import database
    from operations.settings import BadSetting, Settings
    from projections.reports.catalogue import NoSuchReport, reports
    from projections.reports.exporting import answer_csv, answer_json, answer_parquet
    from projections.reports.plan import BadPlan
    from projections.reports.questions import BadQuestion, question_of
    from projections.reports.tail import ArchiveBehind

    settings = Settings.from_environment()
    if name is None:
        for one in reports().values():
            typer.echo(f"{one.name:<28} {one.formula}")
        return
    said = dict(one.partition("=")[::2] for one in only or ())
    try:
        with database(settings) as dsn, reports_of(dsn, settings) as asked:
            question = question_of(
                asked, name, {"from": begin, "to": end, "known": known, "by": by, **said}, settings.timezone
            )
            answer = asked.ask(name, question)
    except (NoSuchReport, BadQuestion, BadPlan, ArchiveBehind, BrokenArchive) as error:
        raise BadSetting(str(error)) from error
    if parquet is not None:
        parquet.write_bytes(answer_parquet(answer))
    elif csv:
        typer.echo(answer_csv(answer), nl=False)
    elif as_json:
        typer.echo(answer_json(answer))
    else:
        _show(answer)


def _show(answer: "Answer") -> None:
    from projections.reports.exporting import figure_text, said_of

    for name, text in said_of(answer).items():
        typer.echo(f"{name:<12} {text}")
    if answer.empty:
        typer.echo("The period holds nothing that this figure is made of.")
    for row in answer.rows:
        over = "" if row["denominator"] is None else f"   {row['numerator']:,} / {row['denominator']:,}"
        typer.echo(f"{row['part'] or '(none)':<24} {figure_text(answer.report, row['value']):>16}{over}")
