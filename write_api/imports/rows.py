"""From a file to its rows, each with what it comes to or why it cannot be taken."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationError

from events.vocabulary import UNKNOWN_REGION
from write_api.imports import citations, json_lines, payments, permits, plate_reads
from write_api.imports.cells import UNZONED, Cells, Reading
from write_api.imports.formats import Format, Taken
from write_api.imports.local_time import LocalClock, Unreadable
from write_api.imports.source import Source, UnusableFile
from write_api.imports.table import Reject, Row, Table

FORMATS: dict[str, Format] = {
    f.name: f for f in (plate_reads.FORMAT, citations.FORMAT, permits.FORMAT, payments.FORMAT)
}
"""The formats of CSV files, by the name that the command line knows each by."""

EVENTS = "events"
"""The format of JSON Lines."""

type Rows = Iterator[tuple[Row, Taken] | Reject]


@dataclass(frozen=True, slots=True)
class Options:
    """What the person who imports says of the files; see `parkledger import --help`."""

    mapping: dict[str, str] = field(default_factory=dict)
    timezone: str | None = None
    region: str | None = None
    zone: str = UNZONED
    device: str = "import"
    day_first: bool = False
    minor_units: bool = False
    time_unknown: time | None = None


def rows_of(kind: str, source: Source, options: Options) -> tuple[Rows, str | None]:
    """Return the rows of a file of that format, and the time zone that its local times are in.

    Raises:
        UnusableFile: if the file has no such columns, or the time zone is none.

    """
    if options.timezone is not None and options.timezone not in available_timezones():
        raise UnusableFile(
            f"{options.timezone!r} is no time zone of the IANA database, such as America/Toronto"
        )
    if kind == EVENTS:
        return _taken(json_lines.lines(source), json_lines.take), options.timezone
    table, found = Table(source), FORMATS[kind]
    mapping = found.mapping(table.columns, options.mapping)
    preset = found.preset(table.columns)
    timezone = options.timezone or (preset.timezone if preset else None)
    reading = Reading(
        LocalClock(ZoneInfo(timezone) if timezone else None, datetime.now(UTC), day_first=options.day_first),
        mapping,
        options.region or (preset.region if preset else None) or UNKNOWN_REGION,
        options.zone,
        options.device,
        options.minor_units,
        options.time_unknown,
    )
    return _taken(table, lambda row: found.take(Cells(row, reading))), timezone


def _taken(rows: Iterable[Row | Reject], take: Callable[[Row], Taken]) -> Rows:
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            yield row, take(row)
        except Unreadable as reason:
            yield Reject(row.line, str(reason), row.raw)
        except ValidationError as error:
            first: Any = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            yield Reject(row.line, f"{where}: {first['msg'].removeprefix('Value error, ')}", row.raw)
