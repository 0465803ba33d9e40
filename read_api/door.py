"""What a route of this door works with, and the check of who comes in."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from starlette.requests import HTTPConnection

from event_store.log import Log
from event_store.proving import Proofs
from operations.doors import Visitor, enter
from operations.identity import Authenticator
from operations.settings import Settings
from projections.lookups import Lookups
from read_api.looking_up import Register
from read_api.zones_known import Zones

_BEARER = HTTPBearer(auto_error=False, description="A token of the issuer, with the claim `role`.")


@dataclass(frozen=True, slots=True)
class Door:
    """The log, the read models, who is who, and the register of look-ups."""

    log: Log
    lookups: Lookups
    authenticator: Authenticator
    settings: Settings
    register: Register
    zones: Zones
    proofs: Proofs | None = None
    """The sealed tree of the log, where the log stands in a database."""


def door_of(connection: HTTPConnection) -> Door:
    """Return the door that the app was made with."""
    door: Door = connection.app.state.door
    return door


# Coroutines, although they wait for nothing: FastAPI hands plain functions to a pool of threads, and three
# such errands cost a question more than the question.
async def here(connection: HTTPConnection) -> Door:
    """Return the door that the app was made with."""
    return door_of(connection)


async def admit(connection: HTTPConnection, _: Annotated[object, Security(_BEARER)]) -> Visitor:
    """Return who asks, where their role may use the route; the pages' cookie counts as a token.

    Raises:
        Problem: 401 or 403.

    """
    return enter(
        door_of(connection).authenticator,
        connection.scope["method"],
        connection.scope["route"].path,
        connection.headers.get("authorization"),
        connection.headers.get("cookie"),
    )


Here = Annotated[Door, Depends(here)]
Visit = Annotated[Visitor, Depends(admit)]
