"""`parkledger replay verify`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from replay.verify import Differing, Verified

EXAMPLE = "**Example:** `parkledger replay verify` before an audit; exit status 1 if any answer differs."
SEEN = 50


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("verify", epilog=EXAMPLE)(verify)


def verify(
    upto: Annotated[
        int | None, typer.Option(metavar="POSITION", min=0, help="As far as this; else the whole log.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line per answer that differs, then one of totals.")
    ] = False,
) -> None:
    """Recompute every answer that an officer's screen ever showed, from the log at its own position.

    Exit status 1 if any differs.
    """
    from operations.serving import database
    from operations.settings import Settings
    from operations.telling import progress
    from replay.verify import verify as recompute

    with database(Settings.from_environment()) as dsn, progress("recomputing", quiet=as_json) as tell:
        found = recompute(dsn, upto=upto, tell=tell)
    if as_json:
        for one in found.differing:
            typer.echo(json.dumps(_as_json(one)))
        typer.echo(json.dumps(_totals(found)))
    else:
        _say(found)
    if not found.holds:
        raise typer.Exit(1)


def _totals(found: "Verified") -> dict[str, object]:
    return {
        "answers": found.answers,
        "offline": found.offline,
        "differing": len(found.differing),
        "unreadable": len(found.unreadable),
        "redacted": found.redacted,
        "position": found.position,
        "seconds": round(found.seconds, 3),
        "holds": found.holds,
    }


def _as_json(one: "Differing") -> dict[str, object]:
    return {
        "position": one.position,
        "read": one.read,
        "device": one.device,
        "plate": one.plate,
        "shown": {"answer": one.shown.answer, "right": one.shown.right, "position": one.shown.position},
        "log": {"answer": one.answer, "right": one.right},
        "reason": one.reason,
    }


def _say(found: "Verified") -> None:
    for one in found.differing[:SEEN]:
        log = one.reason or f"the log leads to {one.answer}{_by(one.right)}"
        typer.echo(
            f"event {one.position:,}, read {one.read} of {one.device}, {one.plate}: shown was"
            f" {one.shown.answer}{_by(one.shown.right)} at position {one.shown.position:,}; {log}"
        )
    if len(found.differing) > SEEN:
        typer.echo(f"… and {len(found.differing) - SEEN:,} more; --json tells them all.")
    for position in found.unreadable[:SEEN]:
        typer.echo(f"event {position:,}: this read cannot be read from the log")
    rate = found.answers / found.seconds if found.seconds else 0.0
    typer.echo(
        f"{found.answers:,} answers ({found.offline:,} offline) up to position {found.position:,} recomputed"
        f" in {found.seconds:.1f} s ({rate:,.0f} a second): {len(found.differing):,} differ."
    )


def _by(right: str | None) -> str:
    return f" by {right}" if right else ""
