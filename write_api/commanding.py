"""A command over HTTP: who asks, what they say, what it came to; the same answer for the same key again."""

from contextlib import suppress
from functools import cache, partial
from http import HTTPStatus
from uuid import UUID

from commands.decider import AnyDecider, Command, Refusal
from events.envelope import Origin
from events.vocabulary import looks_like_card_number
from operations.doors import Visitor
from operations.identity import Principal, Role
from operations.permissions import Access
from write_api.bodies import Document, document, refuse_card, whole_body
from write_api.door import Means, Request
from write_api.execute import Outcome
from write_api.identities import derived_id
from write_api.keyed import asking, first, refusal, remembered
from write_api.ownership import citation_of_appeal, demand_own, not_yours
from write_api.parkers import DELAY, demand_parkers
from write_api.replies import Reply, encode
from write_api.routes import CommandRoute
from write_api.wording import Wording, unusable

IDENTITIES = (
    *("zone", "policy", "permit_type", "permit", "session", "exemption", "read", "device", "citation"),
    *("payment", "appeal", "entry", "incident", "account", "case"),
)
"""Fields of a command that its answer repeats, so that a client learns what the server made up."""


class Commanding:
    """Serves one command route."""

    def __init__(self, route: CommandRoute) -> None:
        """Read the route's data once."""
        self.route = route
        self.path = route.path
        self._wording = Wording(route)

    async def answer(self, means: Means, request: Request) -> Reply:
        """Decide what is asked and answer with its position, or with the first answer to the same key."""
        visitor = means.admit(self.path, request.headers)
        subject, key = visitor.principal.subject, request.headers.key
        said = await self._said(means, request)
        asked = asking(subject, self.path, key, "/".join(request.path.values()), said)
        again = await remembered(means, asked) if key else None
        if again is not None:
            return again
        decider, command = await self._command(means, visitor, said, asked.command_id)
        origin = Origin(subject, "http", request.headers.correlation)
        try:
            outcome = await means.deciding.execute(
                decider, command, asked.command_id, origin, asked.fingerprint
            )
        except Refusal as wrong:
            await self._note(means, command, wrong, asked.command_id, origin)
            return await refusal(means, asked, wrong, partial(reply_to, command))
        reply = reply_to(command, outcome)
        if outcome.events or not key:
            return reply
        return await first(means, asked, reply, partial(reply_to, command))

    async def _note(
        self, means: Means, command: Command, wrong: Refusal, command_id: UUID, origin: Origin
    ) -> None:
        """Note a refusal in the log before it is answered, where the route says how."""
        noting = self.route.notes(command, wrong) if self.route.notes is not None else None
        if noting is not None:
            decider, note = noting
            with suppress(Refusal):  # of whom the log holds nothing, it keeps no refusal either
                await means.deciding.execute(
                    decider, note, derived_id(str(command_id), "refused"), origin, b""
                )

    async def _command(
        self, means: Means, visitor: Visitor, said: Document, command_id: UUID
    ) -> tuple[AnyDecider, Command]:
        principal = visitor.principal
        await self._complete(means, principal, said)
        await self._demand(means, visitor, said)
        late = DELAY if principal.role is Role.PARKER else None
        return self._wording.command(said, means.clock(), command_id, late=late, tolerance=means.tolerance)

    async def _said(self, means: Means, request: Request) -> Document:
        """Return the body's fields joined with the path's."""
        headers = request.headers
        if headers.length != 0 or headers.media_type:
            headers.demand_media_type("application/json")
        raw = await whole_body(request.receive, headers.length, means.settings.body_limit)
        said = document(raw) if raw else {}
        for name, value in request.path.items():
            if looks_like_card_number(value):
                refuse_card(name)
            field = self.route.names.get(name, name)
            if said.setdefault(field, value) != value:
                raise unusable(field, f"differs from the {name} in the path")
        return said

    async def _complete(self, means: Means, principal: Principal, said: Document) -> None:
        """Fill in what the body may leave out because the token or the log says it."""
        if self.route.signed and principal.role in {Role.OFFICER, Role.DEVICE}:
            said.setdefault(principal.role.value, principal.subject)
        if self.route.of_appeal and "citation" not in said:
            said["citation"] = await citation_of_appeal(means.deciding.gathering, said["appeal"])

    async def _demand(self, means: Means, visitor: Visitor, said: Document) -> None:
        """Let a parker do only what is theirs to do, with what is their own."""
        if visitor.principal.role is Role.PARKER:
            demand_parkers(self.route, said)
        if visitor.access is not Access.OWN:
            return
        if self.route.own is None:
            raise not_yours(self.route.area)
        await demand_own(means.deciding.gathering, self.route.own, visitor.principal, said)


def reply_to(command: Command, outcome: Outcome) -> Reply:
    """Return the answer to a command that was taken: 201 with its position, 200 where it changed nothing."""
    values = command.__dict__
    said = {"position": outcome.position}
    for name in _identities(type(command)):
        if values[name] is not None:
            said[name] = values[name]
    status = HTTPStatus.CREATED if outcome.events else HTTPStatus.OK
    return Reply(status, encode(said), position=outcome.position)


@cache
def _identities(kind: type[Command]) -> tuple[str, ...]:
    return tuple(name for name in IDENTITIES if name in kind.model_fields)
