"""One row of a file as the fields of the domain: which column holds which, and how its text is read."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from events.vocabulary import (
    MAX_AMOUNT,
    UNKNOWN_REGION,
    UNREADABLE,
    Cents,
    Plate,
    looks_like_card_number,
    parse_plate,
    plate_of,
)
from write_api.imports.local_time import LocalClock, Unreadable
from write_api.imports.table import Row

UNZONED = "UNZONED"
"""The zone of rows that name none, where the import is not told another."""

SHORTEST_CARD = 13
"""Characters of the shortest card number (ISO/IEC 7812-1); a shorter value need not be looked at."""

_LONG = ("plate", "plates", "longitude", "latitude")
_MISSING = frozenset({"na", "n/a", "null", "none", "nan", "-", "--"})


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of one file are read; every field is an option of the import."""

    clock: LocalClock
    mapping: Mapping[str, str] = field(default_factory=dict)
    """The file's column of each field."""
    region: str = UNKNOWN_REGION
    zone: str = UNZONED
    device: str = "import"
    minor_units: bool = False
    time_unknown: time | None = None
    in_order: Sequence[tuple[str, str]] = ()
    """The mapping by field name, once for all rows."""

    def __post_init__(self) -> None:
        """Sort the mapping."""
        object.__setattr__(self, "in_order", sorted(self.mapping.items()))


class Cells:
    """The fields of one row."""

    def __init__(self, row: Row, reading: Reading) -> None:
        """Refuse the row at once if a card number stands in it; plates and coordinates are long by nature."""
        self._row, self._reading = row, reading
        own = {reading.mapping.get(name) for name in _LONG}
        for column, value in row.values.items():
            if len(value) >= SHORTEST_CARD and column not in own and looks_like_card_number(value):
                raise Unreadable(f"{column} looks like a card number, which is never taken")

    def text(self, name: str) -> str | None:
        """Return a field's text, `None` where it is empty, missing, or says that it is."""
        column = self._reading.mapping.get(name)
        value = self._row.values.get(column) if column else None
        return None if value is None or value.lower() in _MISSING else value

    def needed(self, name: str) -> str:
        """Return a field's text.

        Raises:
            Unreadable: if it is empty.

        """
        value = self.text(name)
        if value is None:
            raise Unreadable(f"{self._reading.mapping.get(name, name)} is empty")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return a list written with `;` or `|` between its values."""
        value = (self.text(name) or "").replace("|", ";")
        return tuple(part.strip() for part in value.split(";") if part.strip())

    def instant(self, name: str = "at", *, planned: bool = False) -> datetime:
        """Return a field's instant: of one column, or of the columns `date` and `time` for `at`."""
        if name == "at" and self._reading.mapping.get("at") is None:
            return self._reading.clock.joined(self.day("date"), self.clock("time"))
        value = self.needed(name)
        return self._named(name, lambda: self._reading.clock.instant(value, planned=planned))

    def day(self, name: str) -> date:
        """Return a field's date; what a date-time has after it is left out."""
        value = self.needed(name).replace("T", " ").partition(" ")[0]
        return self._named(name, lambda: self._reading.clock.day(value))

    def clock(self, name: str) -> time:
        """Return a field's time of day, or the one to take for rows that have none."""
        if self.text(name) is None and self._reading.time_unknown is not None:
            return self._reading.time_unknown
        if self.text(name) is None:
            raise Unreadable(
                f"{self._reading.mapping.get(name, name)} is empty; --time-unknown 00:00 takes such rows"
            )
        value = self.needed(name)
        return self._named(name, lambda: self._reading.clock.clock(value))

    def money(self, name: str) -> Cents | None:
        """Return a field's amount in minor units; files hold `50`, `$50.00` or `1,234.50` in major ones."""
        value = self.text(name)
        if value is None:
            return None
        try:
            amount = Decimal(value.lstrip("$€£ ").replace(",", ""))
            minor = amount if self._reading.minor_units else amount * 100
            if minor != int(minor) or not 0 <= minor <= MAX_AMOUNT:
                raise Unreadable(f"{self._reading.mapping[name]}: {value[:40]!r} is no amount of this office")
        except (InvalidOperation, OverflowError, ValueError):
            column = self._reading.mapping[name]
            raise Unreadable(f"{column}: {value[:40]!r} is no amount, such as 63.00") from None
        return Cents(int(minor))

    def plate(self) -> Plate:
        """Return the plate; a row without one is of a plate that nobody could read."""
        region = self.text("region") or self._reading.region
        number = self.text("plate") or UNREADABLE
        return self._named("plate", lambda: plate_of(region, number))

    def plates(self, name: str) -> tuple[Plate, ...]:
        """Return a list of plates, each `REGION NUMBER` or a number of the row's region."""
        region = self.text("region") or self._reading.region
        return tuple(
            self._named(name, lambda one=one: parse_plate(one) if " " in one else plate_of(region, one))  # type: ignore[misc]
            for one in self.words(name)
        )

    def zone(self) -> str:
        """Return the zone, or the one that the import was told for rows without."""
        return self.text("zone") or self._reading.zone

    def device(self) -> str:
        """Return the device, or the one that the import was told for rows without."""
        return self.text("device") or self._reading.device

    def joined(self, day: date, clock: time, *, planned: bool = False) -> datetime:
        """Return the instant of a local date and time."""
        return self._reading.clock.joined(day, clock, planned=planned)

    def local(self, instant: datetime) -> datetime:
        """Return an instant as local clocks showed it."""
        return self._reading.clock.local(instant)

    def digest(self) -> str:
        """Return 20 characters that stand for all that the row says: the identity of a row without one."""
        values = self._row.values
        said = "\x1f".join([f"{name}={values.get(column)}" for name, column in self._reading.in_order])
        return hashlib.sha256(said.encode()).hexdigest()[:20]

    def _named[T](self, name: str, read: Callable[[], T]) -> T:
        try:
            return read()
        except ValueError as error:
            raise Unreadable(f"{self._reading.mapping.get(name, name)}: {error}") from None
