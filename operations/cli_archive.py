"""`parkledger archive`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from event_store.archive_manifest import Manifest

EXAMPLE = "**Example:** `parkledger archive verify` compares every archived event with the log."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("archive", epilog=EXAMPLE)(archive)


def archive(
    what: Annotated[
        str, typer.Argument(metavar="[status|write|verify]", help="What to do with it.")
    ] = "status",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Show the archive of the log's history, bring it up to date, or compare it with the log."""
    from event_store.archive_manifest import BrokenArchive
    from operations.settings import BadSetting

    tasks = {"status": _status, "write": _write, "verify": _verify}
    if what not in tasks:
        raise BadSetting(f"There is no {what!r}; an archive has {', '.join(tasks)}.")
    try:
        tasks[what](as_json)
    except BrokenArchive as broken:
        typer.echo(f"parkledger: {broken}", err=True)
        raise typer.Exit(1) from broken


def _status(as_json: bool) -> None:  # noqa: FBT001 - the flag of the command line
    from operations.archiving import archive_of
    from operations.settings import Settings

    _show(archive_of(Settings.from_environment()).manifest(), as_json=as_json)


def _write(as_json: bool) -> None:  # noqa: FBT001 - the flag of the command line
    from event_store.archive import Occupied, writing
    from operations.archiving import archivist
    from operations.serving import database
    from operations.settings import BadSetting, Settings

    settings = Settings.from_environment()
    with database(settings) as dsn:
        try:
            with writing(dsn):
                manifest = archivist(dsn, settings).catch_up(
                    lambda now: typer.echo(f"archived up to position {now.upto:,}", err=True)
                )
        except Occupied as occupied:
            raise BadSetting(f"{occupied} Stop the service `archive`, or leave it to that.") from occupied
    _show(manifest, as_json=as_json)


def _verify(as_json: bool) -> None:  # noqa: FBT001 - the flag of the command line
    from event_store.archive_verifying import verify
    from operations.archiving import archive_of, hash_of
    from operations.serving import database
    from operations.settings import Settings

    settings = Settings.from_environment()
    wrong = 0
    with database(settings) as dsn:
        for found in verify(archive_of(settings), dsn, hash_of(settings)):
            wrong += found.wrong is not None
            if not as_json:
                typer.echo(f"{found.first:,} to {found.last:,}: {found.wrong or 'as the log says'}")
    if as_json:
        typer.echo(json.dumps({"verifies": not wrong, "wrong_segments": wrong}))
    if wrong:
        typer.echo("Remove the archive: `parkledger archive write` writes it again from the log.", err=True)
        raise typer.Exit(1)


def _show(manifest: "Manifest", *, as_json: bool) -> None:
    files = [file for segment in manifest.segments for file in segment.files.values()]
    found = {
        "position": manifest.upto,
        "segments": len(manifest.segments),
        "files": len(files),
        "bytes": sum(file.bytes for file in files),
        "parked": len(manifest.parked),
    }
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo("  ".join(f"{name} {value:,}" for name, value in found.items()))
    for key, position in manifest.parked.items():
        typer.echo(f"{key} stands still since the event at position {position:,}")
