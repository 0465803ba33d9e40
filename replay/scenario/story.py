"""A scenario as data: what happened, when it was recorded, and what must be answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from replay.scenario.document import Document, Fields, Listing, Node, Scalar, nearest

LAG = timedelta(seconds=1)
"""How long after it occurred a step is recorded, where the file does not say."""

_EARLIEST, _LATEST = datetime(1000, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""Between which instants stories play: the clock starts long before a story and goes on after it."""

_NOTHING = Scalar("", plain=True, line=0)

ALONE = ""
"""Under which key the one parameter of a question stands that is written without its name: `exists: PV-1`."""

_FILE_KEYS = ("scenario", "timezone", "policy", "story", "expect")
STEP_KEYS = ("id", "at", "recorded", "fact", "do")


@dataclass(frozen=True, slots=True)
class Step:
    """One fact as it was reported, or one command that the rules may refuse."""

    id: str
    line: int
    at: datetime
    recorded: datetime
    kind: Literal["fact", "do"]
    name: str
    fields: Fields
    """What the step says beside its id, clocks and name."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A question and the answer that it must get."""

    line: int
    query: str
    asked: Fields
    answer: Node


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story in the order in which the log accepts it, and its expectations in the order of the file."""

    file: Path
    title: str
    timezone: str
    policy: Fields | None
    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...]

    @property
    def zone_info(self) -> ZoneInfo:
        """The time zone of the zones that the story does not open itself."""
        return ZoneInfo(self.timezone)

    def last_at(self) -> datetime:
        """Return the latest occurred time of any step: `at` where a question does not say."""
        return max(step.at for step in self.steps)


def read_scenario(file: Path) -> Scenario:
    """Return the scenario of a file.

    Raises:
        Unusable: naming the file, the line and what is wrong, with the nearest known name.

    """
    document = Document(file)
    root = document.root()
    known_keys(document, root, _FILE_KEYS, "a scenario")
    if "story" not in root.entries:
        raise document.wrong(root.line, "a scenario has a story: a list of steps")
    policy = root.entries.get("policy")
    if policy is not None and not isinstance(policy, Fields):
        raise document.wrong(policy.line, "policy is a mapping of keys to values")
    timezone = _timezone(document, root)
    steps = [_step(document, node, number) for number, node in enumerate(_list(document, root, "story"), 1)]
    if not steps:
        raise document.wrong(root.lines["story"], "a story has at least one step")
    _once(document, steps)
    return Scenario(
        file,
        _text(document, root, "scenario", default=file.stem),
        timezone,
        policy,
        tuple(sorted(steps, key=lambda step: step.recorded)),
        tuple(_expectation(document, node) for node in _list(document, root, "expect")),
    )


def known_keys(
    document: Document, fields: Fields, known: Iterable[str], what: str, beside: Iterable[str] = ()
) -> None:
    """Refuse a key that is none of the known ones, with its line and the nearest of them or of `beside`."""
    names = list(known)
    for key in fields.entries:
        if key not in names:
            hint = nearest(key, [*names, *beside])
            raise document.wrong(fields.lines[key], f"{what} has no key {key!r}{hint}")


def instant_of(document: Document, node: Node, what: str) -> datetime:
    """Return the instant that a node holds, in UTC.

    Raises:
        Unusable: if it is no RFC 3339 date-time, or has no offset.

    """
    example = "such as 2026-03-05T09:02:11-05:00"
    if not isinstance(node, Scalar):
        raise document.wrong(node.line, f"{what} is an instant, {example}")
    try:
        instant = datetime.fromisoformat(node.text.strip().upper())
    except ValueError:
        raise document.wrong(node.line, f"{what} is an instant, {example}, not {node.text!r}") from None
    if instant.tzinfo is None:
        raise document.wrong(node.line, f"{what} needs an offset from UTC, {example}, not {node.text!r}")
    try:
        instant = instant.astimezone(UTC)
    except OverflowError:
        instant = datetime.max.replace(tzinfo=UTC)
    if not _EARLIEST <= instant <= _LATEST:
        raise document.wrong(node.line, f"{what} lies between {_EARLIEST.date()} and {_LATEST.date()}, UTC")
    return instant


def _step(document: Document, node: Node, number: int) -> Step:
    if not isinstance(node, Fields):
        raise document.wrong(node.line, "a step is a mapping with at, and a fact or a command to do")
    kinds = [kind for kind in ("fact", "do") if kind in node.entries]
    if len(kinds) != 1:
        hint = "".join(nearest(key, list(STEP_KEYS)) for key in node.entries if key not in STEP_KEYS)
        raise document.wrong(
            node.line,
            f"a step names either a fact or a command to do, exactly one{hint if not kinds else ''}",
        )
    if "at" not in node.entries:
        raise document.wrong(node.line, "a step says when it happened: at")
    at = instant_of(document, node.entries["at"], "at")
    recorded = node.entries.get("recorded", _NOTHING)
    said = {key: value for key, value in node.entries.items() if key not in STEP_KEYS}
    return Step(
        _text(document, node, "id", default=f"step {number}"),
        node.line,
        at,
        instant_of(document, recorded, "recorded") if recorded.value() is not None else at + LAG,
        "fact" if kinds == ["fact"] else "do",
        _text(document, node, kinds[0], default=""),
        Fields(said, node.line, node.lines),
    )


def _expectation(document: Document, node: Node) -> Expectation:
    if not isinstance(node, Fields):
        raise document.wrong(node.line, "an expectation is a mapping of a query, and the answer under is")
    queries = [key for key in node.entries if key != "is"]
    if "is" not in node.entries:
        raise document.wrong(node.line, f"an expectation says what the answer is{nearest('is', queries)}")
    if len(queries) != 1:
        raise document.wrong(
            node.line, f"an expectation asks one question and says is, not {', '.join(queries) or 'is alone'}"
        )
    asked = node.entries[queries[0]]
    if isinstance(asked, Scalar) and asked.value() in {None, True}:
        asked = Fields({}, asked.line, {})
    if isinstance(asked, Scalar):
        asked = Fields({ALONE: asked}, asked.line, {ALONE: asked.line})
    if not isinstance(asked, Fields):
        raise document.wrong(asked.line, f"{queries[0]} is asked with a mapping of its parameters")
    return Expectation(node.line, queries[0], asked, node.entries["is"])


def _once(document: Document, steps: list[Step]) -> None:
    first: dict[str, int] = {}
    for step in steps:
        if step.id in first:
            where = first[step.id]
            raise document.wrong(step.line, f"the step id {step.id!r} was used before, on line {where}")
        first[step.id] = step.line


def _list(document: Document, root: Fields, key: str) -> tuple[Node, ...]:
    node = root.entries.get(key)
    if node is None:
        return ()
    if isinstance(node, Scalar) and node.value() is None:
        return ()
    if not isinstance(node, Listing):
        raise document.wrong(node.line, f"{key} is a list")
    return node.items


def _text(document: Document, fields: Fields, key: str, *, default: str) -> str:
    node = fields.entries.get(key)
    if node is None:
        return default
    if not isinstance(node, Scalar) or not node.text.strip():
        raise document.wrong(node.line, f"{key} is a word or a sentence")
    return node.text.strip()


def _timezone(document: Document, root: Fields) -> str:
    name = _text(document, root, "timezone", default="UTC")
    if name not in available_timezones():
        known = nearest(name, available_timezones())
        raise document.wrong(root.lines["timezone"], f"{name!r} is no time zone of the IANA database{known}")
    return name
