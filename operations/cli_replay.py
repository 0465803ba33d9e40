"""`parkledger replay`: the log again, to rebuild, prove, compare and ask what would have been."""

import typer

from operations import replay_as_of, replay_drift, replay_rebuild, replay_verify, replay_what_if

EXAMPLE = "**Example:** `parkledger replay rebuild validity`, and then the same with `--switch`."


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Go through the log again: rebuild, verify, look for drift, ask as of any moment.",
        no_args_is_help=True,
    )
    for area in (replay_rebuild, replay_verify, replay_drift, replay_as_of, replay_what_if):
        area.register(group)
    app.add_typer(group, name="replay", epilog=EXAMPLE)
