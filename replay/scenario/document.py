"""YAML with the line of every key and value kept, so that whatever is wrong can be named by its line.

Plain scalars are read by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema): `on`,
`no` and `18:00` are text, as office staff expect, and so is every date: instants are read by this package.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import process
from yaml.reader import ReaderError

_MERGE = "tag:yaml.org,2002:merge"
MAX_BYTES = 4_000_000
MAX_NODES = 200_000
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INT = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class Unusable(Exception):
    """The file cannot be read as a scenario; the sentence names the file, the line and what is wrong."""

    def __init__(self, file: Path, line: int, what: str) -> None:
        """Keep where it is wrong beside what is."""
        super().__init__(f"{file}:{line}: {what}")
        self.file, self.line, self.what = file, line, what


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was written, and on which line."""

    text: str
    plain: bool
    line: int

    def value(self) -> Any:
        """Return the value that the text stands for."""
        text = self.text
        if not self.plain:
            return text
        if text in _NULL:
            return None
        if text in _TRUTH:
            return _TRUTH[text]
        if _INT.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of nodes."""

    items: "tuple[Node, ...]"
    line: int

    def value(self) -> list[Any]:
        """Return the list that it stands for."""
        return [item.value() for item in self.items]


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping, in the order of the file."""

    entries: "dict[str, Node]"
    line: int
    lines: dict[str, int]

    def value(self) -> dict[str, Any]:
        """Return the mapping that it stands for."""
        return {key: node.value() for key, node in self.entries.items()}


type Node = Scalar | Listing | Fields


class WrittenInt(int):
    """A whole number that says itself as it was written: `007` is the number 7, and the permit 007."""

    text: str

    def __str__(self) -> str:
        """Return it as it was written."""
        return self.text


class WrittenFloat(float):
    """A number that says itself as it was written: `9.10` is a section of a by-law, and no `9.1`."""

    text: str

    def __str__(self) -> str:
        """Return it as it was written."""
        return self.text


def as_written(node: Node) -> Any:
    """Return what a node stands for, its numbers with how they were written."""
    if isinstance(node, Listing):
        return [as_written(item) for item in node.items]
    if isinstance(node, Fields):
        return {key: as_written(inner) for key, inner in node.entries.items()}
    value = node.value()
    if type(value) not in {int, float}:
        return value
    number = WrittenInt(value) if isinstance(value, int) else WrittenFloat(value)
    number.text = node.text
    return number


def nearest(word: str, known: "Iterator[str] | list[str] | tuple[str, ...] | set[str]") -> str:
    """Return ` (did you mean X?)` for the known name nearest to the word, nothing where none is near."""
    found = process.extractOne(word, sorted(known), score_cutoff=50)
    return f" (did you mean {found[0]}?)" if found else ""


class Document:
    """One file, read."""

    def __init__(self, file: Path) -> None:
        """Remember the file; `root` reads it."""
        self.file = file
        self._nodes = 0

    def wrong(self, line: int, what: str) -> Unusable:
        """Return the error of that line."""
        return Unusable(self.file, line, what)

    def root(self) -> Fields:
        """Return the file's mapping.

        Raises:
            Unusable: if the file cannot be opened, is no YAML, or is no mapping.

        """
        text = self._text()
        try:
            node = yaml.compose(text, yaml.SafeLoader)
            if not isinstance(node, yaml.MappingNode):
                raise self.wrong(
                    1, "a scenario is a mapping with the keys scenario, timezone, story and expect"
                )
            return self._fields(node)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self.wrong(mark.line + 1 if mark else 1, f"this is not YAML: {error.problem}") from None
        except ReaderError as error:
            line = text[: error.position].count("\n") + 1
            what = f"this is not YAML: the character #x{int(error.character):04x} may not stand in it"
            raise self.wrong(line, what) from None
        except yaml.YAMLError as error:
            raise self.wrong(1, f"this is not YAML: {error}".replace("\n", " ")) from None
        except RecursionError:
            raise self.wrong(1, "the file is nested too deeply, or an anchor holds itself") from None

    def _text(self) -> str:
        try:
            raw = self.file.read_bytes()
        except OSError as error:
            raise self.wrong(1, f"the file cannot be read: {error.strerror}") from None
        if len(raw) > MAX_BYTES:
            raise self.wrong(1, f"a scenario has at most {MAX_BYTES:,} bytes, this file has {len(raw):,}")
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise self.wrong(line, "the file is not UTF-8 text") from None

    def _count(self, node: yaml.Node) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self.wrong(node.start_mark.line + 1, "the file expands to too many values")

    def _node(self, node: yaml.Node) -> Node:
        self._count(node)
        line = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._fields(node)
        if isinstance(node, yaml.SequenceNode):
            return Listing(tuple(self._node(item) for item in node.value), line)
        return Scalar(str(node.value), getattr(node, "style", None) is None, line)

    def _merged(self, node: yaml.MappingNode) -> list[tuple[yaml.Node, yaml.Node]]:
        """Return the entries of a mapping, those that `<<: *anchor` brings in behind its own."""
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong(key.start_mark.line + 1, "a key is a word")
        own = [(key, value) for key, value in node.value if key.tag != _MERGE]
        said = {key.value for key, _ in own}
        for _, value in (pair for pair in node.value if pair[0].tag == _MERGE):
            for one in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(one, yaml.MappingNode):
                    raise self.wrong(value.start_mark.line + 1, "<< brings in a mapping, or a list of them")
                self._count(one)
                brought = [(k, v) for k, v in self._merged(one) if k.value not in said]
                said |= {key.value for key, _ in brought}
                own += brought
        return own

    def _fields(self, node: yaml.MappingNode) -> Fields:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in self._merged(node):
            line = key.start_mark.line + 1
            if key.value in entries:
                raise self.wrong(line, f"{key.value!r} stands here twice")
            entries[key.value] = self._node(value)
            lines[key.value] = line
        return Fields(entries, node.start_mark.line + 1, lines)
