"""What a file of each format may hold, and how its columns are recognised by their names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz import process

from events.base import Event
from write_api.imports.cells import Cells
from write_api.imports.source import UnusableFile


@dataclass(frozen=True, slots=True)
class Taken:
    """What a row comes to: its events, and the identity by which the same row is known again.

    `named` is the tag of what the row brings into the world (`citation:4711`), where the file names it: it
    may be in the log already, by another way in. It is empty where the identity is made up from the row.
    """

    identity: str
    events: Sequence[Event]
    named: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """The export of a system that many offices have, recognised by its columns."""

    name: str
    mapping: Mapping[str, str]
    timezone: str | None = None
    region: str | None = None

    def fits(self, columns: Sequence[str]) -> bool:
        """Tell whether the file has every column of the preset."""
        return set(self.mapping.values()) <= set(columns)


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of history: its fields with the names that columns go by, and how a row is taken."""

    name: str
    fields: Mapping[str, tuple[str, ...]]
    needs: tuple[tuple[str, ...], ...]
    """Of each group of fields, the file must have one."""
    take: Callable[[Cells], Taken]
    presets: tuple[Preset, ...] = field(default=())

    def preset(self, columns: Sequence[str]) -> Preset | None:
        """Return the preset that fits the file, if one does."""
        return next((preset for preset in self.presets if preset.fits(columns)), None)

    def mapping(self, columns: Sequence[str], said: Mapping[str, str]) -> dict[str, str]:
        """Return the file's column of each field: as said, else by preset, else by the column's name.

        Raises:
            UnusableFile: naming the field or column that is unknown, or the field that no column holds.

        """
        for name, column in said.items():
            if name not in self.fields:
                known = ", ".join(self.fields)
                raise UnusableFile(f"{self.name} have no field {name!r}; the fields are {known}")
            if column and column not in columns:
                near = process.extractOne(column, columns, score_cutoff=50)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                raise UnusableFile(f"the file has no column {column!r}{hint}")
        preset = self.preset(columns)
        found = dict(preset.mapping) if preset else self._guessed(columns)
        found |= said
        found = {name: column for name, column in found.items() if column}
        self._complete(found, columns)
        return found

    def _guessed(self, columns: Sequence[str]) -> dict[str, str]:
        plain = {_plain(column): column for column in columns}
        found: dict[str, str] = {}
        for name, aliases in self.fields.items():
            column = next((plain[alias] for alias in (_plain(name), *aliases) if alias in plain), None)
            if column is not None:
                found[name] = column
        return found

    def _complete(self, found: Mapping[str, str], columns: Sequence[str]) -> None:
        for group in self.needs:
            if not any(name in found for name in group):
                wanted = " or ".join(group)
                raise UnusableFile(
                    f'no column holds {wanted}; name it with --map {group[0]}="Column". '
                    f"The file's columns are {', '.join(columns)}"
                )


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
