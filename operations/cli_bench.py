"""`parkledger bench`."""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Annotated, Any

import typer

NAMES = (
    "log",
    "projections",
    "lookups",
    "http",
    "imports",
    "replay",
    "evidence",
    "reporting",
    "kafka",
    "plates",
    "lots",
    "town",
)
EXAMPLE = "**Example:** `parkledger bench log --quick` for a first impression of the log."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench", epilog=EXAMPLE)(bench)


def known() -> list[str]:
    """Return the benchmarks that there are, each a module of the package `benchmarks`."""
    return [name for name in NAMES if find_spec(f"benchmarks.{name}")]


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which; without names all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per figure.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Print the names and stop.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small and few rounds: a smoke test, no figure.")
    ] = False,
) -> None:
    """Measure this machine side by side with peers. Exit status 1 if a figure misses its goal."""
    from operations.settings import BadSetting

    if listed:
        typer.echo("\n".join(known()))
        return
    unknown = [name for name in names or () if name not in known()]
    if unknown:
        raise BadSetting(f"There is no benchmark {unknown[0]!r}; there are {', '.join(known())}.")
    missed = [name for name in names or known() if not _measure(name, as_json=as_json, quick=quick)]
    if missed:
        raise typer.Exit(1)


def _measure(name: str, *, as_json: bool, quick: bool) -> bool:
    """Run one benchmark in a process of its own and pass on its lines; tell whether every goal held."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    held = True
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        for line in process.stdout or ():
            held = held and (quick or json.loads(line)["holds"] is not False)
            typer.echo(line.rstrip() if as_json else _for_people(json.loads(line)))
    return held and process.returncode == 0


def _for_people(figure: dict[str, Any]) -> str:
    """Return a figure as a sentence of columns."""
    mark = {True: "holds", False: "MISSES", None: ""}[figure["holds"]]
    ours = f"{figure['ours']:>12,.4g} {figure['unit']:<12}"
    if figure["ratio"] is None:
        return f"{figure['bench']:<12} {figure['figure']:<52} {ours}"
    peer = f"{figure['other']:>12,.4g} {figure['other_name']}"
    goal = f"goal {figure['goal']} {mark}" if figure["goal"] else ""
    return (
        f"{figure['bench']:<12} {figure['figure']:<52} {ours} ratio {figure['ratio']:<8g} {goal:<20} {peer}"
    )
