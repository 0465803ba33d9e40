"""`parkledger demo`."""

import typer

EXAMPLE = "**Example:** `parkledger demo`, then open one of the links that it prints."


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=EXAMPLE)(demo)


def demo() -> None:
    """Start everything on this machine, with a simulated university town living its day."""
    from rich.console import Console

    from operations.demo import demo as run
    from operations.log_lines import configure
    from operations.settings import Settings

    settings = Settings.from_environment()
    configure(settings, "demo")
    run(settings, Console())
