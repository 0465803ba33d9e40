"""`parkledger replay rebuild`."""

import difflib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from projections.projection import Projection
    from replay.comparison import Comparison, Difference
    from replay.rebuild import Rebuilt

EXAMPLE = "**Example:** `parkledger replay rebuild validity --compare-to rows.parquet`, then `--switch`."
SEEN = 20
GIVES_WAY = 10
"""How much a rebuild is nicer than those who answer readers meanwhile."""
MEGABYTE = 1024 * 1024


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("rebuild", epilog=EXAMPLE)(rebuild)


def rebuild(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Which read models.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, in one pass over the log.")] = False,
    switch: Annotated[
        bool, typer.Option("--switch", help="Let readers be answered from the finished build.")
    ] = False,
    back: Annotated[
        bool, typer.Option("--back", help="Let readers be answered from the build before that one.")
    ] = False,
    compare_to: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Write every row that differs to a file.")
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(metavar="MB", min=64, help="Memory to keep to; else half of what is free."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, max=16, help="Processes that share several models; else one for each core."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON per read model.")] = False,
) -> None:
    """Build read models anew from the log, beside the live ones, and show what would change.

    Exit status 1 if another rebuild has one of them.
    """
    from operations.serving import database
    from operations.settings import BadSetting, Settings
    from replay.rebuild import AlreadyRebuilding

    if switch and back:
        raise BadSetting("--switch and --back are opposites; name one of them.")
    chosen = named(names or [], everything=everything)
    if compare_to is not None and len(chosen) > 1:
        raise BadSetting("--compare-to takes the rows of one read model; rebuild them one by one.")
    with database(Settings.from_environment()) as dsn:
        try:
            if switch or back:
                _switched(dsn, chosen, back=back, as_json=as_json)
            else:
                _rebuilt(dsn, chosen, compare_to, memory, processes, as_json=as_json)
        except (AlreadyRebuilding, LookupError) as refused:
            typer.echo(str(refused), err=True)
            raise typer.Exit(1) from None


def named(names: Sequence[str], *, everything: bool) -> "Sequence[Projection]":
    """Return the read models of these names.

    Raises:
        BadSetting: naming the one that is unknown and what is nearest to it.

    """
    from operations.settings import BadSetting
    from projections.registry import PROJECTIONS

    known = {projection.name: projection for projection in PROJECTIONS}
    if everything:
        return PROJECTIONS
    if not names:
        raise BadSetting(f"Name a read model, or say --all; there are {', '.join(known)}.")
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
            raise BadSetting(f"There is no read model {name!r}. {hint}")
    return [known[name] for name in dict.fromkeys(names)]


def _rebuilt(
    dsn: str,
    chosen: "Sequence[Projection]",
    compare_to: Path | None,
    memory: int | None,
    processes: int | None,
    *,
    as_json: bool,
) -> None:
    from operations.telling import bar
    from replay.comparison import Comparison
    from replay.rebuild import Rebuild
    from replay.watching import Watch

    os.nice(GIVES_WAY)
    limit = None if memory is None else memory * MEGABYTE
    with ExitStack() as held:
        with bar(quiet=as_json) as tell:
            rebuild = Rebuild(dsn, chosen, memory=limit, watch=Watch(tell), processes=processes)
            found = held.enter_context(rebuild.held())
        for one in found:
            comparison = Comparison(dsn, one.build)
            first = comparison.written_to(compare_to) if compare_to else comparison.counted()
            if as_json:
                typer.echo(json.dumps(_as_json(one, comparison, first), default=str))
            else:
                _tell(one, comparison, first)
    if not as_json:
        typer.echo(f"Readers see nothing of it before `parkledger replay rebuild {_words(chosen)} --switch`.")


def _switched(dsn: str, chosen: "Sequence[Projection]", *, back: bool, as_json: bool) -> None:
    from replay.switching import switch_back, switch_to_built

    for projection in chosen:
        build = (switch_back if back else switch_to_built)(dsn, projection)
        if as_json:
            typer.echo(json.dumps({"name": build.name, "version": build.version, "live_build": build.build}))
        else:
            typer.echo(f"Readers of {build.name} are answered from {build.label}.")


def _as_json(one: "Rebuilt", comparison: "Comparison", first: "Sequence[Difference]") -> dict[str, object]:
    from replay.comparison import as_row

    return {
        "name": one.build.name,
        "version": one.build.version,
        "build": one.build.build,
        "position": one.position,
        "rows": one.rows,
        "digest": one.digest,
        "in_memory": one.whole,
        "parked": one.parked,
        "seconds": round(one.seconds, 3),
        "events_per_second": round(one.events / one.seconds) if one.seconds else None,
        "compared_at": comparison.position,
        **{str(change): count for change, count in comparison.counts.items()},
        "columns_added": comparison.columns_added,
        "columns_gone": comparison.columns_gone,
        "first": [as_row(difference) for difference in first],
    }


def _tell(one: "Rebuilt", comparison: "Comparison", first: "Sequence[Difference]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    how = "in memory" if one.whole else "in batches"
    console.print(
        f"{one.build.label}: {one.rows:,} rows from {one.position:,} events in {one.seconds:.1f} s"
        f" ({one.events / max(one.seconds, 1e-9):,.0f} a second, {how}); {one.parked} keys parked."
    )
    counts = comparison.counts
    console.print(
        f"Beside {one.build.name} as it is live, at position {comparison.position:,}:"
        f" {counts['added']:,} rows added, {counts['gone']:,} gone, {counts['changed']:,} changed."
    )
    for words, columns in (("new", comparison.columns_added), ("gone", comparison.columns_gone)):
        if columns:
            console.print(f"Columns that are {words}: {', '.join(columns)}.")
    if first:
        table = Table("what", "key", "explained by", "in")
        for difference in first:
            event = f"{difference.type or '?'} at {difference.position:,}"
            table.add_row(difference.change, difference.key, event, _what(difference))
        console.print(table)


def _what(difference: "Difference") -> str:
    """Return what differs, the live value first."""
    live, rebuilt = difference.live, difference.rebuilt
    if live is not None and rebuilt is not None:
        return "; ".join(f"{name}: {live[name]} → {rebuilt[name]}" for name in difference.columns)
    row = live or rebuilt or {}
    return ", ".join(f"{name}={value}" for name, value in list(row.items())[4:9])


def _words(chosen: "Sequence[Projection]") -> str:
    return " ".join(projection.name for projection in chosen)
