"""The questions that a scenario may ask: what each takes, what it answers, and how a file's words become it.

`@query` registers a function of `Asked`. Whatever a question needs that this product cannot do yet says so
by raising `CannotBeAskedYet`: the expectation then differs, it is never passed over.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from events.base import Event
from events.boundary import Boundary, Criterion
from events.vocabulary import Plate, parse_plate
from replay.scenario.document import Document, Fields, Listing, Node, Scalar, Unusable, nearest
from replay.scenario.story import ALONE, Expectation, Scenario, Step, instant_of, known_keys
from replay.scenario.world import World

LATEST = "latest"


class CannotBeAskedYet(Exception):
    """No part of the product answers this question yet."""


class NoSuchThing(Exception):
    """The question is about something that the log, as known then, does not hold."""


class Asked:
    """One question with its parameters, and the world that it is put to."""

    def __init__(self, world: World, document: Document, expectation: Expectation) -> None:
        """Keep the parameters; they are read by the functions of the areas."""
        self.world, self._document, self._fields = world, document, expectation.asked

    def wrong_here(self, what: str) -> Unusable:
        """Return the error of the question as a whole."""
        return self._document.wrong(self._fields.line, what)

    def given(self, name: str) -> bool:
        """Tell whether the file names the parameter."""
        return name in self._fields.entries

    def text(self, name: str) -> str:
        """Return a parameter as the identity that it means."""
        node = self._fields.entries.get(name)
        if not isinstance(node, Scalar):
            raise self.wrong_here(f"{name} is one word")
        return self.world.obvious.identity(name, node.text.strip())

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        """Return a parameter that is one of a few words."""
        word = self.text(name)
        if word not in words:
            what = f"{name} is one of {', '.join(words)}, not {word!r}{nearest(word, words)}"
            raise self.wrong_here(what)
        return word

    def step(self) -> str:
        """Return the parameter `step`: a step of the story."""
        word = self.text("step")
        known = [step.id for step in self.world.scenario.steps]
        if word not in known:
            raise self.wrong_here(f"the story has no step {word!r}{nearest(word, known)}")
        return word

    def plate(self) -> Plate:
        """Return the parameter `plate`, normalised."""
        try:
            return parse_plate(self.text("plate"))
        except ValueError as error:
            raise self.wrong_here(f"plate: {error}") from None

    def instant(self, name: str = "at") -> datetime:
        """Return an instant; `at` defaults to the last step's."""
        node = self._fields.entries.get(name)
        if node is None:
            return self.world.scenario.last_at()
        step = step_of(self.world.scenario, node)
        return step.at if step is not None else instant_of(self._document, node, name)

    def known(self) -> int:
        """Return the position up to which the log was known: at `known`, or all of it."""
        node = self._fields.entries.get("known")
        if node is None or (isinstance(node, Scalar) and node.text == LATEST):
            return self.world.log.head()
        if isinstance(node, Scalar) and isinstance(node.value(), int):
            return min(int(node.text), self.world.log.head())
        step = step_of(self.world.scenario, node)
        known = step.recorded if step is not None else instant_of(self._document, node, "known")
        return self.world.log.position_at(known)


def tagged(types: Iterable[type[Event]], **tags: str) -> Boundary[Any]:
    """Return the boundary of any number of types, which `on` cannot type."""
    names = frozenset(t.__name__ for t in types)
    return Boundary(frozenset({Criterion(names, frozenset(f"{k}:{v}" for k, v in tags.items()))}))


type Ask = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One kind of question: the parameters it needs, those it may have, and the keys of its answer.

    `answers` is empty where the answer is one value.
    """

    needs: tuple[str, ...]
    may: tuple[str, ...]
    answers: tuple[str, ...]
    ask: Ask


ENTRY_KEYS = ("step", "at", "recorded", "device_time", "was")
"""The keys of an entry of a timeline."""

QUERIES: dict[str, Query] = {}

ANY_KEYS = ("*",)
"""The keys of an answer that may be a mapping of whatever was counted."""


def query(name: str, *, needs: str = "", may: str = "known", answers: str = "") -> Callable[[Ask], Ask]:
    """Register a question under its name; the parameters and keys are words separated by spaces."""

    def register(ask: Ask) -> Ask:
        QUERIES[name] = Query(tuple(needs.split()), tuple(may.split()), tuple(answers.split()), ask)
        return ask

    return register


def check(document: Document, scenario: Scenario, expectation: Expectation) -> None:
    """Refuse a question that is none, or an answer with keys that it never has.

    Raises:
        Unusable: with the line and the nearest known name.

    """
    name, asked = expectation.query, expectation.asked
    if name not in QUERIES:
        what = f"{name!r} cannot be asked{nearest(name, list(QUERIES))}"
        raise document.wrong(expectation.line, what)
    found = QUERIES[name]
    if ALONE in asked.entries:
        about = found.needs if len(found.needs) == 1 else [word for word in found.may if word == name]
        if not about:
            raise document.wrong(asked.line, f"{name} is asked with a mapping of its parameters")
        asked.entries[about[0]] = asked.entries.pop(ALONE)
        asked.lines[about[0]] = asked.lines.pop(ALONE)
    known_keys(document, asked, (*found.needs, *found.may), name)
    for need in found.needs:
        if need not in asked.entries:
            raise document.wrong(asked.line, f"{name} needs {need}")
    for when in ("at", "known"):
        node = asked.entries.get(when)
        if node is not None and not _is_no_instant(scenario, node, when):
            instant_of(document, node, when)
    _check_answer(document, expectation.answer, found.answers, name)
    if name == "timeline":
        _check_steps(document, scenario, expectation.answer)


def _check_answer(document: Document, answer: Node, keys: tuple[str, ...], name: str) -> None:
    if isinstance(answer, Fields) and keys != ANY_KEYS:
        if not keys:
            raise document.wrong(answer.line, f"the answer of {name} is one value, not a mapping")
        known_keys(document, answer, keys, f"the answer of {name}")


def _check_steps(document: Document, scenario: Scenario, answer: Node) -> None:
    """Refuse a timeline of steps that the story does not have: what is not there is easily excluded."""
    known = [step.id for step in scenario.steps]
    for node in answer.entries.values() if isinstance(answer, Fields) else ():
        for one in node.items if isinstance(node, Listing) else (node,):
            if isinstance(one, Fields):
                known_keys(document, one, ENTRY_KEYS, "an entry")
            step = one.entries.get("step") if isinstance(one, Fields) else one
            if isinstance(step, Scalar) and step.value() is not None and step.text.strip() not in known:
                word = step.text.strip()
                raise document.wrong(step.line, f"the story has no step {word!r}{nearest(word, known)}")


def instants_of(document: Document, scenario: Scenario, expectation: Expectation) -> list[datetime]:
    """Return every instant that a question names: the clock runs at least that far."""
    nodes: Mapping[str, Node] = expectation.asked.entries
    return [
        instant_of(document, node, name)
        for name, node in nodes.items()
        if name in {"at", "known", "from", "to"} and not _is_no_instant(scenario, node, name)
    ]


def step_of(scenario: Scenario, node: Node) -> Step | None:
    """Return the step that a node names instead of an instant: `at` and `known` are then the step's own."""
    text = node.text.strip() if isinstance(node, Scalar) else None
    return next((step for step in scenario.steps if step.id == text), None)


def _is_no_instant(scenario: Scenario, node: Node, name: str) -> bool:
    """Tell whether it is a step, or `latest` or a position of `known`, or the date alone of a period."""
    if not isinstance(node, Scalar):
        return False
    if name in {"at", "known"} and step_of(scenario, node) is not None:
        return True
    if name == "known":
        return node.text == LATEST or isinstance(node.value(), int)
    return name in {"from", "to"} and len(node.text.strip()) == len("2026-03-05")
