"""`parkledger test`."""

import os
import sys
from pathlib import Path

import typer

EXAMPLE = "**Example:** `parkledger test tests/commands -q` for one folder."


def register(app: typer.Typer) -> None:
    """Add the command; everything after it is pytest's."""
    context = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
    app.command("test", context_settings=context, epilog=EXAMPLE)(test)


def test(context: typer.Context) -> None:
    """Run all tests, or those that pytest's arguments name."""
    root = Path(__file__).resolve().parent.parent
    os.chdir(root)
    os.environ.pop("PARKLEDGER_DATA", None)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *context.args])  # noqa: S606 - takes our place
