"""The command line. Each command lives in a module of its own, whose imports wait until it is called."""

import sys

import typer

from operations import (
    cli_archive,
    cli_asyncapi,
    cli_audit,
    cli_bench,
    cli_demo,
    cli_import,
    cli_replay,
    cli_report,
    cli_scenario,
    cli_serve,
    cli_settings,
    cli_sql,
    cli_test,
    cli_token,
)
from operations.no_postgres import NoPostgres
from operations.settings import BadSetting
from operations.supervisor import PortTaken

UNUSABLE = 2
"""Exit status where the input or the machine cannot be used; 0 is done, 1 means that the answer is no."""

app = typer.Typer(
    name="parkledger",
    help="Parking operations on one immutable log: every answer reproducible.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for _area in (
    cli_demo,
    cli_serve,
    cli_import,
    cli_replay,
    cli_replay,
    cli_scenario,
    cli_audit,
    cli_report,
    cli_sql,
    cli_archive,
    cli_bench,
    cli_token,
    cli_settings,
    cli_asyncapi,
    cli_test,
):
    _area.register(app)


def main() -> None:
    """Run the command; what a person can mend is said in one sentence, with exit status 2."""
    try:
        app()
    except (BadSetting, NoPostgres, PortTaken, ConnectionError, PermissionError, FileNotFoundError) as error:
        sys.stderr.write(f"parkledger: {error}\n")
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        sys.exit(130)
