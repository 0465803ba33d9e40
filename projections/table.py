"""The table of a read model: bitemporal rows that are superseded, never changed in place.

Every table begins with the same five columns, which the engine fills:

| column | meaning |
|---|---|
| `key` | the tag of the thing that the row is about, such as `permit:T-1` |
| `known_from` | the position of the event by which the row became known |
| `part` | numbers the rows of one key that became known by the same event |
| `known_until` | the position by which it was known to be otherwise; `OPEN` while it stands |

What was known at position `p` are the rows with `known_from <= p < known_until`: one comparison, whatever
has been learned since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

OPEN = 2**63 - 1
"""`known_until` of a row that nothing has superseded."""

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of what has no end: comparable in SQL and in Python, unlike NULL."""

type Value = str | int | float | bool | datetime | Sequence[str] | bytes | None
type Row = tuple[Value, ...]
"""The values of a table's own columns, in their order; hashable."""

ENGINE_COLUMNS: Mapping[str, str] = {
    "key": "text",
    "known_from": "int8",
    "part": "int2",
    "known_until": "int8",
}


_IDENTITY = "PRIMARY KEY (key, known_from, part)"
_STORAGE = "WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05)"


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a read model by name, with their PostgreSQL types, and the indexes it is asked by.

    An index is the text between the parentheses of `CREATE INDEX`; what belongs behind them follows a
    spaced colon.
    """

    columns: Mapping[str, str]
    indexes: Sequence[str] = field(default=())

    @property
    def types(self) -> list[str]:
        """The types of all columns, in order."""
        return [*ENGINE_COLUMNS.values(), *self.columns.values()]

    def parts(self, name: str) -> Mapping[str, str]:
        """Return the statements that create the table under `name` and its indexes, each by what it makes."""
        whole = f"CREATE TABLE views.{name} ({self._defined}, {_IDENTITY}) {_STORAGE}"
        return {name: whole, **self._further(name)}

    def bare(self, name: str) -> str:
        """Return the statement that creates the table without any index, to be filled at once."""
        return f"CREATE TABLE views.{name} ({self._defined}) {_STORAGE}"

    def indexes_of(self, name: str) -> str:
        """Return the statements that give a bare table its indexes, the identity first."""
        return "; ".join([f"ALTER TABLE views.{name} ADD {_IDENTITY}", *self._further(name).values()])

    @property
    def _defined(self) -> str:
        columns = {**ENGINE_COLUMNS, **self.columns}
        return ", ".join(f'"{column}" {kind}' for column, kind in columns.items())

    def _further(self, name: str) -> dict[str, str]:
        statements = {}
        for number, index in enumerate(self.indexes, start=1):
            inside, _, after = index.partition(" : ")
            index_name = f"{name}_by_{number}"
            statements[index_name] = f"CREATE INDEX {index_name} ON views.{name} ({inside}) {after}"
        return statements
