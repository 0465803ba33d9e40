"""From what a request says to the command it means: path and body joined, defaults given, times plausible.

One `Wording` a route. It knows which decider a body chooses, which identity the server makes up, and what
every office would call a slip: a reported moment in the future, a permit until 2097, a plate that nobody
could read where one has to be known.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus
from typing import Annotated, get_args, get_origin
from uuid import UUID

from pydantic import ValidationError

from commands.decider import AnyDecider, Command
from events.vocabulary import Plate, is_readable
from operations.problems import Problem, bad_fields
from write_api.bodies import Document
from write_api.identities import minted
from write_api.routes import Choice, CommandRoute

FURTHEST_AHEAD = timedelta(days=3660)
"""How far ahead a plan may reach: the longest term of a permit type."""

EARLIEST = 1970
REPORTED = frozenset({"at", "device_time"})
"""Fields that say when something happened; every other instant of a command is a plan or a date of effect."""

READS_PLATES = frozenset({"RecordPlateRead", "CorrectPlateRead", "ConfirmPossibleMatch", "DenyPossibleMatch"})
"""Commands that may name a plate which nobody could read."""


class Wording:
    """How the requests of one route become commands."""

    def __init__(self, route: CommandRoute) -> None:
        """Read the route's data once."""
        self.route = route
        self._choice = route.command if isinstance(route.command, Choice) else None
        self._single = None if isinstance(route.command, Choice) else route.command

    def decider(self, said: Document) -> AnyDecider:
        """Return the decider that the body chooses, and take the choice out of the body.

        Raises:
            Problem: 422 if the body chooses none that there is.

        """
        if self._single is not None:
            return self._single
        assert self._choice is not None  # noqa: S101 - a route has one decider or a choice of them
        among = self._choice.among
        chosen = said.pop(self._choice.by, next(iter(among)))
        if isinstance(chosen, str) and chosen in among:
            return among[chosen]
        raise unusable(self._choice.by, f"must be one of {', '.join(among)}")

    def command(
        self,
        said: Document,
        now: datetime,
        command_id: UUID,
        *,
        late: timedelta | None = None,
        tolerance: timedelta = timedelta(minutes=5),
    ) -> tuple[AnyDecider, Command]:
        """Return what decides the command, and the command.

        Args:
            said: the fields of body and path; they are used up.
            now: what `at` is where the body does not say, and what moments are compared with.
            command_id: what a made-up identity follows from.
            late: how long ago an instant may lie; any time where none is given.
            tolerance: how far ahead of `now` a reported moment may lie.

        Raises:
            Problem: 422 naming each field that is missing, unknown or unusable.

        """
        decider = self.decider(said)
        said.setdefault("at", now)
        if self.route.mints and self.route.mints not in said:
            said[self.route.mints] = minted(self.route.prefix, command_id)
        _join_plates(said)
        try:
            command = decider.command.model_validate(said)
        except ValidationError as wrong:
            raise bad_fields(wrong.errors(include_url=False, include_input=False)) from None
        _plausible(command, now, late, tolerance)
        return decider, command


def unusable(field: str, problem: str) -> Problem:
    """Return the problem of one field."""
    errors = [{"field": field, "problem": problem}]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Unusable input", f"{field} {problem}", errors=errors)


def _join_plates(said: Document) -> None:
    """Write `plate` with `region` as `REGION NUMBER`, also inside `plates`."""
    region = said.get("region")
    if isinstance(region, str) and isinstance(said.get("plate"), str):
        del said["region"]
        said["plate"] = f"{region.strip() or 'ZZ'} {said['plate']}"
    listed = said.get("plates")
    if isinstance(listed, list):
        said["plates"] = [_joined(one) for one in listed]


def _joined(one: object) -> object:
    if isinstance(one, dict) and set(one) <= {"plate", "region"} and isinstance(one.get("plate"), str):
        return f"{one.get('region') or 'ZZ'} {one['plate']}"
    return one


def _plausible(command: Command, now: datetime, late: timedelta | None, tolerance: timedelta) -> None:
    """Refuse moments and plates that can only be a slip."""
    kind = type(command)
    for field in _instants(kind):
        value: datetime | None = getattr(command, field)
        if value is not None:
            _plausible_instant(field, value, now, tolerance)
            if late is not None and value < now - late:
                raise unusable(field, "lies in the past; leave it out: it is taken as now")
    if kind.__name__ not in READS_PLATES:
        for field, plate in _plates(command):
            if not is_readable(plate):
                raise unusable(field, "was not readable; name the plate by its region and number")


def _plausible_instant(field: str, value: datetime, now: datetime, tolerance: timedelta) -> None:
    if value.year < EARLIEST:
        raise unusable(field, f"lies before {EARLIEST}")
    if field in REPORTED:
        if value > now + tolerance:
            raise unusable(field, f"lies in the future: it is {now:%Y-%m-%dT%H:%M:%SZ} now")
    elif value > now + FURTHEST_AHEAD:
        raise unusable(field, f"lies more than {FURTHEST_AHEAD.days} days ahead")


@cache
def _instants(kind: type[Command]) -> tuple[str, ...]:
    return tuple(name for name, field in kind.model_fields.items() if _is_instant(field.annotation))


def _is_instant(annotation: object) -> bool:
    if annotation is datetime:
        return True
    inner = get_args(annotation)
    return any(map(_is_instant, inner[:1] if get_origin(annotation) is Annotated else inner))


def _plates(command: Command) -> Iterator[tuple[str, Plate]]:
    values = command.__dict__
    plate = values.get("plate")
    if plate is not None:
        yield "plate", plate
    for number, one in enumerate(values.get("plates") or ()):
        yield f"plates.{number}", one
