"""What a parker may say: nothing that sets a price, dates a right back, or does the office's part."""

from datetime import timedelta
from http import HTTPStatus

from operations.problems import Problem
from write_api.bodies import Document
from write_api.routes import Choice, CommandRoute
from write_api.wording import unusable

DELAY = timedelta(minutes=5)
"""How long ago a parker's wish may have been uttered: a purchase does not reach back."""


def demand_parkers(route: CommandRoute, said: Document) -> None:
    """Let a parker say on a route only what is theirs to say.

    Raises:
        Problem: 403 for the office's part of a choice; 422 for a field that they have to state or to leave.

    """
    rules = route.parkers
    choice = route.command
    if isinstance(choice, Choice) and rules.choices is not None:
        chosen = said.get(choice.by, next(iter(choice.among)))
        if chosen in choice.among and chosen not in rules.choices:
            raise Problem(
                HTTPStatus.FORBIDDEN, "Not permitted", f"{choice.by} {chosen} is the office's to say."
            )
    for field in rules.leaves:
        if field in said:
            raise unusable(field, "is not yours to say; leave it out")
    for field in rules.needs:
        if said.get(field) is None:
            raise unusable(field, "is missing")
