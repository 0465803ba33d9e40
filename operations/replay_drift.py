"""`parkledger replay drift` and `parkledger replay retry`."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from projections.drifting import Drifted
    from replay.drift import Proved

DRIFT = "**Example:** `parkledger replay drift --sample 1000`, or `--all` for a proof of every row."
RETRY = "**Example:** `parkledger replay retry validity permit:T-1001` after the fault was mended."
SAMPLE = 200
SEEN = 50


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("drift", epilog=DRIFT)(drift)
    group.command("retry", epilog=RETRY)(retry)


def drift(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME…", help="Which read models; without names all.")
    ] = None,
    sample: Annotated[int, typer.Option(metavar="N", min=1, help="Random keys of each read model.")] = SAMPLE,
    everything: Annotated[bool, typer.Option("--all", help="All keys.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line per row that differs, and one per read model.")
    ] = False,
) -> None:
    """Fold keys again from the log and compare with the rows that readers get. Exit status 1 if any differs.

    The projector does the same all the while, at low load; `/v1/projections` tells what it proved last.
    """
    from operations.replay_rebuild import named
    from operations.serving import database
    from operations.settings import Settings
    from operations.telling import progress
    from replay.drift import look_for_drift

    chosen = named(names or [], everything=not names)
    with database(Settings.from_environment()) as dsn, progress("folding again", quiet=as_json) as tell:
        found = look_for_drift(dsn, chosen, sample=None if everything else sample, tell=tell)
    for proved in found:
        _tell(proved, as_json=as_json)
    if any(proved.drifted for proved in found):
        raise typer.Exit(1)


def retry(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which read model.")],
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="Which parked key; else all.")] = None,
) -> None:
    """Let the projector try parked keys again, in the order of events. Exit status 1 if there is none."""
    from operations.replay_rebuild import named
    from operations.serving import database
    from operations.settings import Settings
    from projections.connection import connect
    from projections.parking import request_retry

    (model,) = named([name], everything=False)
    with database(Settings.from_environment()) as dsn, connect(dsn) as connection:
        keys = request_retry(connection, model.name, key)
    if not keys:
        typer.echo(f"No key of {name} is parked{f' under {key!r}' if key else ''}.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{len(keys)} will be tried again: {', '.join(keys)}")


def _tell(proved: "Proved", *, as_json: bool) -> None:
    if as_json:
        for one in proved.drifted:
            typer.echo(json.dumps(_as_json(one)))
        totals = {"model": proved.build.label, "keys": proved.keys, "position": proved.position}
        typer.echo(json.dumps({**totals, "drifted": len(proved.drifted)}))
        return
    typer.echo(
        f"{proved.build.label}: {proved.keys:,} keys folded again at position {proved.position:,},"
        f" {_counted(proved.drifted)}"
    )
    for one in proved.drifted[:SEEN]:
        what = (
            "is not there" if one.live is None else "should not be there" if one.wanted is None else "differs"
        )
        typer.echo(
            f"  {one.key}: the row known since {one.known_from:,} {what};"
            f" see {one.type or 'the event'} at {one.position:,}{_columns(one)}"
        )


def _counted(drifted: "Sequence[Drifted]") -> str:
    return "none of their rows differs" if not drifted else f"{len(drifted):,} of their rows differ"


def _columns(one: "Drifted") -> str:
    """Return the columns in which a row differs, what stands there first."""
    live, wanted = one.live, one.wanted
    if live is None or wanted is None:
        return ""
    return "".join(f"; {name}: {live[name]} → {wanted[name]}" for name in live if live[name] != wanted[name])


def _as_json(one: "Drifted") -> dict[str, object]:
    from dataclasses import asdict

    return asdict(one)
