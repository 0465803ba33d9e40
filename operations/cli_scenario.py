"""`parkledger scenario`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replay.scenario.running import Report

EXAMPLE = "**Example:** `parkledger scenario run cases/` for every case of a folder."
DIFFERS, UNUSABLE = 1, 2


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Tell by-law cases and check what the system answers.", no_args_is_help=True)
    group.command("run", epilog=EXAMPLE)(run)
    app.add_typer(group, name="scenario", epilog=EXAMPLE)


def run(
    files: Annotated[list[Path], typer.Argument(help="Scenario files, or folders of them.")],
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per expectation.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave each story loaded in a database of the embedded PostgreSQL.")
    ] = False,
) -> None:
    """Play stories on a simulated clock and put their questions. Exit status 1 if an answer differs."""
    from operations.settings import BadSetting
    from replay.scenario.running import files_of

    found = files_of(files)
    if not found:
        raise BadSetting(f"There is no scenario file in {', '.join(map(str, files))}.")
    held = differed = unusable = 0
    for report in _reports(found, keep=keep):
        held += sum(verdict.holds for verdict in report.verdicts)
        differed += sum(not verdict.holds for verdict in report.verdicts)
        unusable += report.unusable is not None
        _tell(report, as_json=as_json)
    total = {"hold": held, "differ": differed, "unusable": unusable}
    typer.echo(json.dumps(total) if as_json else f"{held} hold, {differed} differ")
    if unusable or differed:
        raise typer.Exit(UNUSABLE if unusable else DIFFERS)


def _reports(files: list[Path], *, keep: bool) -> "Iterator[Report]":
    from operations.settings import Settings
    from replay.scenario.databases import Databases
    from replay.scenario.running import run_file, run_files

    if keep:
        with Databases.kept(Settings.from_environment()) as databases:
            for file in files:
                yield run_file(file, databases)
    else:
        with Databases.thrown_away() as root:
            yield from run_files(files, root)


def _tell(report: "Report", *, as_json: bool) -> None:
    if as_json:
        for verdict in report.verdicts:
            line = {
                "file": str(report.file),
                "line": verdict.line,
                "question": verdict.question,
                "holds": verdict.holds,
                "expected": verdict.expected,
                "got": verdict.got,
            }
            typer.echo(json.dumps(line))
        if report.unusable:
            typer.echo(json.dumps({"file": str(report.file), "unusable": report.unusable}))
        return
    typer.echo(f"{report.file}: {report.title}")
    for verdict in report.verdicts:
        typer.echo(f"  line {verdict.line}: {verdict.question}: {verdict.sentence}")
    if report.unusable:
        typer.echo(report.unusable, err=True)
    if report.kept_in:
        typer.echo(f"  look at it: PARKLEDGER_DATABASE={report.kept_in} parkledger serve read-api")
