"""`parkledger serve`."""

from typing import Annotated

import typer

EXAMPLE = "**Example:** `parkledger serve` for all of it, `parkledger serve projector` for that alone."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", epilog=EXAMPLE)(serve)


def serve(
    services: Annotated[
        list[str] | None,
        typer.Argument(
            help="write-api, read-api, projector, archive, automation, sealer; relay and ingest where Kafka "
            "is configured; without names all of it."
        ),
    ] = None,
    supervised_by: Annotated[int | None, typer.Option(hidden=True)] = None,
    socket: Annotated[list[int] | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the real thing. One service alone runs in this process: that is what a container starts."""
    from operations.log_lines import configure
    from operations.processes import of
    from operations.serving import serve_all, serve_one
    from operations.settings import Settings

    settings = Settings.from_environment()
    names = services or of(settings)
    configure(settings, names[0] if len(names) == 1 else "supervisor")
    if len(names) == 1:  # the hidden options come from the supervisor
        serve_one(settings, names[0], supervised_by=supervised_by, handed=socket or ())
    else:
        serve_all(settings, names)
