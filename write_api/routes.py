"""A command's way in, as data: its path, what decides it, and which fields the path or the server gives.

An area's module lists its routes in `ROUTES`; the door serves them, and the OpenAPI document is made of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from commands.decider import AnyDecider, Command, Refusal
from commands.registry import COMMANDS
from write_api.ownership import Belonging


@dataclass(frozen=True, slots=True)
class Choice:
    """One route, several commands: the body's field `by` says which; the first one if it is silent."""

    by: str
    among: Mapping[str, AnyDecider]


@dataclass(frozen=True, slots=True)
class Parkers:
    """What a parker has to say on a route and may not say, and which of a choice's values is theirs."""

    needs: Sequence[str] = ()
    leaves: Sequence[str] = ()
    choices: Sequence[str] | None = None


ANYTHING = Parkers()


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """`POST path` is the command. Fields of the command that stand in the path are not sent in the body.

    `mints` names the identity that the server makes up where the body leaves it out, `prefix` how it begins.
    """

    path: str
    command: AnyDecider | Choice
    summary: str
    example: Mapping[str, Any]
    mints: str | None = None
    prefix: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    """Path fields whose name differs from the command's: `{"offer": "account"}`."""
    own: Belonging | None = None
    """By which field a command is a parker's own, where the table of permissions says `own`."""
    parkers: Parkers = ANYTHING
    """What a parker may say on this route."""
    signed: bool = False
    """The officer or device that asks is the one that the command names, where it names none."""
    of_appeal: bool = False
    """The citation is the appeal's, where the body names none."""

    notes: Callable[[Command, Refusal], tuple[AnyDecider, Command] | None] | None = None
    """How the log keeps that the rules refused a command, where it has to."""

    @property
    def area(self) -> str:
        """The first noun of the path, which groups the routes of the document."""
        return self.path.split("/")[2]

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The names between braces, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def takes_account(self) -> bool:
        """Whether a parker's account may be left out of the body, as it can only be their own."""
        return self.own == "account"

    def deciders(self) -> Iterable[AnyDecider]:
        """Every decider that the route may lead to."""
        return self.command.among.values() if isinstance(self.command, Choice) else (self.command,)


def decides(name: str) -> AnyDecider:
    """Return the decider of a command's imperative name."""
    return COMMANDS[name]


def one_of(by: str, **names: str) -> Choice:
    """Return the choice of commands by the value of the field `by`: `one_of("step", held="HoldHearing")`."""
    return Choice(by, {value: COMMANDS[name] for value, name in names.items()})


class Switchboard[R]:
    """Finds what serves a path. A literal part of a path wins over a field."""

    def __init__(self, routes: Iterable[tuple[str, R]]) -> None:
        """Take `(path, what serves it)` pairs."""
        self._exact: dict[str, R] = {}
        self._shaped: dict[int, list[tuple[Sequence[str], R]]] = {}
        for path, route in routes:
            if "{" not in path:
                self._exact[path] = route
            else:
                parts = path.split("/")
                self._shaped.setdefault(len(parts), []).append((parts, route))

    def find(self, path: str) -> tuple[R, dict[str, str]] | None:
        """Return what serves the path and the values of its fields; nothing where no route is like it."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact, {}
        given = path.split("/")
        for parts, route in self._shaped.get(len(given), ()):
            values: dict[str, str] = {}
            for part, value in zip(parts, given, strict=True):
                if part[:1] == "{":
                    values[part[1:-1]] = value
                elif part != value:
                    break
            else:
                return route, values
        return None
