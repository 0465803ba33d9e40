"""Steps as events and commands: checked against their models before the story is played.

What depends on the log (`corrects: e4` is the position of step e4) is filled in when the step is played.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeAliasType, get_args

from pydantic import BaseModel, ValidationError

from events.catalogue import CATALOGUE
from replay.scenario.document import Document, Fields, Listing, Node, Scalar, Unusable, nearest
from replay.scenario.fitting import descend, fitted, put, rule
from replay.scenario.obvious import Obvious
from replay.scenario.story import STEP_KEYS, Scenario, Step, known_keys

POSITIONS = frozenset({"corrects", "list_version", "position"})
"""Fields that hold a position of the log, and may be written as the id of a step."""

_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_SYNCS = frozenset({"DeviceSynced", "SyncDevice"})

DECIDED: Mapping[str, frozenset[str]] = {
    "CorrectPlateRead": frozenset({"was"}),
    "CancelWatchlistEntry": frozenset({"plate", "source", "expires"}),
    "EndExemption": frozenset({"plate", "zone", "start"}),
    "LiftLegalHold": frozenset({"covers"}),
    "AcceptWaitlistPlace": frozenset({"expires"}),
    "LapseWaitlistPlace": frozenset({"expires"}),
    "AssessLateFee": frozenset({"amount"}),
    "ReverseLateFee": frozenset({"corrects"}),
    "ReinstateLateFee": frozenset({"amount", "corrects"}),
    "AssessReturnedItemFee": frozenset({"amount", "corrects"}),
}
"""Fields of an event that its command does not take, because the rules find them: a step may say them."""


@dataclass(frozen=True, slots=True)
class Told:
    """A step ready to be played: its model, and the values of its fields.

    `references` are paths to values that stand for the position of a step, by that step's id; an empty id
    stands for the newest position that was recorded by the time the step occurred.
    """

    step: Step
    model: type[BaseModel]
    values: Mapping[str, Any]
    references: Mapping[tuple[str, ...], str]

    def with_positions(self, position_of: Callable[[str], int]) -> BaseModel:
        """Return the event or command, its references resolved.

        Raises:
            ValidationError: never for what `tell` accepted, whatever the positions.

        """
        values = dict(self.values)
        for path, step_id in self.references.items():
            values = put(values, path, position_of(step_id))
        return self.model.model_validate(values)


def tell(
    document: Document, scenario: Scenario, obvious: Obvious, commands: Mapping[str, type[BaseModel]]
) -> tuple[Told, ...]:
    """Return the story's steps as events and commands, in the order in which the log accepts them.

    Raises:
        Unusable: at the first step that is none.

    """
    return tuple(_Teller(document, scenario, obvious, commands, step).told() for step in scenario.steps)


class _Teller:
    """Turns one step into the event or command that it names."""

    def __init__(
        self,
        document: Document,
        scenario: Scenario,
        obvious: Obvious,
        commands: Mapping[str, type[BaseModel]],
        step: Step,
    ) -> None:
        self._document, self._obvious, self._step = document, obvious, step
        self._ids = {one.id for one in scenario.steps}
        self._lists = _lists(scenario, before=step)
        self._commands = commands
        self._references: dict[tuple[str, ...], str] = {}

    def told(self) -> Told:
        step, model = self._step, self._model()
        decided = DECIDED.get(step.name, frozenset())
        takes = [f for f in model.model_fields if f != "at"]
        known_keys(self._document, step.fields, [*takes, *decided], step.name, beside=STEP_KEYS)
        said = ((key, node) for key, node in step.fields.entries.items() if key in takes)
        values = {key: self._value((key,), node) for key, node in said}
        values = {key: value for key, value in values.items() if value is not None}
        for field, info in model.model_fields.items():
            if field in values or field == "at":
                continue
            if field == "list_version" and info.is_required():
                self._references[field,] = ""
                values[field] = 0
            elif info.is_required() or step.id in self._obvious.created.get(field, {}):
                values[field] = self._obvious.value(step, field)
        values = {key: value for key, value in values.items() if value is not None}
        told = Told(
            step, model, fitted(model, values | {"at": step.at.isoformat()}, step.fields), self._references
        )
        self._model_of(told.values)
        return told

    def _model(self) -> type[BaseModel]:
        step = self._step
        known: Mapping[str, type[BaseModel]] = CATALOGUE if step.kind == "fact" else self._commands
        if step.name in known:
            return known[step.name]
        line = step.fields.lines[step.kind]
        other: Mapping[str, type[BaseModel]] = self._commands if step.kind == "fact" else CATALOGUE
        if step.name in other:
            right = "do" if step.kind == "fact" else "fact"
            raise self._document.wrong(line, f"{step.name} is written with {right}:, not with {step.kind}:")
        what = "event of the catalogue" if step.kind == "fact" else "command"
        raise self._document.wrong(line, f"there is no {what} {step.name!r}{nearest(step.name, list(known))}")

    def _value(self, path: tuple[str, ...], node: Node) -> Any:
        """Return a node's value, ids of steps replaced by what they stand for."""
        field = path[-1]
        if isinstance(node, Listing):
            return [self._value(path, item) for item in node.items]
        if isinstance(node, Fields):
            inner = {key: self._value((*path, key), value) for key, value in node.entries.items()}
            return self._shown(path, inner) if field == "shown" else rule(inner)
        if field == "shown":
            return self._shown(path, {"answer": node.value()})
        value = node.value()
        if value is None:
            return None
        named = field in POSITIONS and node.text in self._ids
        if named or (field == "list_version" and isinstance(value, str)):
            self._references[path] = node.text if named else self._lists.get(node.text, "")
            return 0
        if field == "corrects" and isinstance(value, str):
            what = f"the story has no step {value!r}{nearest(value, sorted(self._ids))}"
            raise self._document.wrong(node.line, what)
        known = self._obvious.identity(field, node.text)
        return known if known != node.text else value

    def _shown(self, path: tuple[str, ...], inner: dict[str, Any]) -> dict[str, Any]:
        """Return what a screen showed; without a position, it rested on all that was known then."""
        if "position" not in inner:
            inner["position"] = 0
            self._references[(*path, "position")] = ""
        return inner

    def _model_of(self, values: Mapping[str, Any]) -> None:
        model = self._model()
        try:
            model.model_validate(values)
        except ValidationError as error:
            first = min(error.errors(), key=lambda one: one["type"] not in _UNKNOWN_KEY)
            raise self._explained(first["loc"], first["type"], first["msg"]) from None

    def _explained(self, loc: tuple[int | str, ...], kind: str, message: str) -> Unusable:
        name = self._step.name
        node = descend(self._step.fields, loc)
        words = [str(part) for part in loc if not _is_branch(part)]
        field = ".".join(words)
        if kind == "missing":
            return self._document.wrong(node.line, f"{name} needs {field}")
        if kind in _UNKNOWN_KEY:
            inside, key = ".".join(words[:-1]), words[-1]
            hint = nearest(key, _inner_names(self._model()))
            return self._document.wrong(node.line, f"{name}: {inside} has no key {key!r}{hint}")
        about = f"{name}: {field}" if field else name
        return self._document.wrong(node.line, f"{about}: {message.removeprefix('Value error, ')}")


def _lists(scenario: Scenario, before: Step) -> dict[str, str]:
    """Return the steps that fetched each list before a step, by what the story calls the list."""
    syncs = (one for one in scenario.steps[: scenario.steps.index(before)] if one.name in _SYNCS)
    named = ((one.fields.entries.get("list_version"), one.id) for one in syncs)
    return {node.text: sync for node, sync in named if isinstance(node, Scalar)}


def _inner_names(model: type[BaseModel]) -> set[str]:
    """Return the keys of whatever mappings stand within a model's fields, such as a zone's rules."""
    names: set[str] = set()
    hints: list[Any] = [info.annotation for info in model.model_fields.values()]
    while hints:
        hint = hints.pop()
        if is_dataclass(hint):
            names |= {field.name for field in fields(hint)}
        hints += get_args(hint.__value__ if isinstance(hint, TypeAliasType) else hint)
    return names


def _is_branch(part: int | str) -> bool:
    """Tell whether a part of an error's path names a branch of a union rather than a field."""
    return isinstance(part, str) and (not part.isidentifier() or part in {"str", "int"})
