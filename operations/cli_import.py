"""`parkledger import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import time

EXAMPLE = (
    '**Example:** `parkledger import plate-reads reads.csv --map plate="License Plate" '
    "--timezone America/Toronto`"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=EXAMPLE)(bring_in)


def bring_in(
    kind: Annotated[
        str, typer.Argument(metavar="FORMAT", help="plate-reads, permits, citations, payments or events.")
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV (or JSON Lines), gzip or plain.")],
    columns: Annotated[
        list[str] | None, typer.Option("--map", help='Which column holds a field: plate="License Plate".')
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="IANA time zone of local times, and of zones that are opened.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of plates that name none; else unknown.")] = None,
    zone: Annotated[str, typer.Option(help="Zone of rows that name none.")] = "UNZONED",
    device: Annotated[str, typer.Option(help="Device of reads that name none.")] = "import",
    day_first: Annotated[bool, typer.Option(help="Dates with slashes begin with the day.")] = False,
    minor_units: Annotated[bool, typer.Option(help="Amounts are in cents, not in dollars.")] = False,
    time_unknown: Annotated[
        str | None, typer.Option(help="Time of day to take for rows that have a date alone, such as 00:00.")
    ] = None,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Where rows go that cannot be taken; by default FILE.rejects.csv here."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False,
) -> None:
    """Bring history in. Running it again adds nothing; rows that cannot be taken are named and told why."""
    from operations.memory import settle_memory
    from operations.serving import database
    from operations.settings import BadSetting, Settings
    from write_api.imports.command import run
    from write_api.imports.rows import EVENTS, FORMATS, Options

    if kind not in {*FORMATS, EVENTS}:
        raise BadSetting(f"There is no format {kind!r}; there are {', '.join([*FORMATS, EVENTS])}.")
    options = Options(
        mapping=_mapping(columns or []),
        timezone=timezone,
        region=region,
        zone=zone,
        device=device,
        day_first=day_first,
        minor_units=minor_units,
        time_unknown=_clock(time_unknown),
    )
    with database(Settings.from_environment()) as dsn:
        settle_memory()
        status = run(dsn, kind, files, options, rejects, as_json=as_json)
    raise typer.Exit(status)


def _mapping(said: list[str]) -> dict[str, str]:
    """Return the columns by field; `field=` with nothing after it leaves a field out."""
    from operations.settings import BadSetting

    pairs = [one.partition("=") for one in said]
    wrong = next((field for field, equals, _ in pairs if not equals), None)
    if wrong is not None:
        raise BadSetting(f'--map is written field="Column", not {wrong!r}.')
    return {field.strip(): column for field, _, column in pairs}


def _clock(text: str | None) -> "time | None":
    from operations.settings import BadSetting
    from write_api.imports.local_time import LocalClock, Unreadable

    try:
        return LocalClock.clock(text) if text is not None else None
    except Unreadable as error:
        raise BadSetting(f"--time-unknown: {error}.") from None
