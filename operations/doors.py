"""The lock on both doors: a FastAPI dependency that lets in whom the table of permissions lets in."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie

from starlette.requests import HTTPConnection

from operations.identity import CLOCK, Authenticator, NotAuthenticated, Principal
from operations.permissions import Access, NotPermitted, demand, demand_own
from operations.problems import Problem

COOKIE = "parkledger_token"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who came in, and how far they may use the route that they came to."""

    principal: Principal
    access: Access

    def owns(self, account: str | None) -> None:
        """Let pass who may see everything, or what is of this account.

        Raises:
            Problem: 403, if it is somebody else's.

        """
        try:
            demand_own(self.principal, self.access, account)
        except NotPermitted as error:
            raise _forbidden(error) from error


def visitor(authenticator: Authenticator, *, cookies: bool) -> Callable[[HTTPConnection], Visitor]:
    """Return the dependency of one app: `Depends(visitor(authenticator, cookies=True))`.

    Args:
        authenticator: what verifies the tokens.
        cookies: whether the sign-in cookie of the pages counts too. Only where nothing is changed: a cookie
            is sent by the browser whoever wrote the page that asks.

    """

    def admit(connection: HTTPConnection) -> Visitor:
        return enter(
            authenticator,
            connection.scope["method"],
            connection.scope["route"].path,
            connection.headers.get("authorization"),
            connection.headers.get("cookie") if cookies else None,
        )

    return admit


def enter(
    authenticator: Authenticator,
    method: str,
    route: str,
    authorization: str | None,
    cookie: str | None = None,
) -> Visitor:
    """Return who comes in by these headers; the same as `visitor` for a route without FastAPI's machinery.

    Raises:
        Problem: 401 without a usable token, 403 if the role may not use the route.

    """
    try:
        principal = authenticator.verify(token_of(authorization, cookie))
    except NotAuthenticated as error:
        challenge = {"WWW-Authenticate": 'Bearer realm="parkledger"'}
        detail = str(error) or str(NotAuthenticated.__doc__)
        raise Problem(HTTPStatus.UNAUTHORIZED, "Sign in", detail, headers=challenge) from error
    try:
        return Visitor(principal, demand(principal, method, route))
    except NotPermitted as error:
        raise _forbidden(error) from error


def token_of(authorization: str | None, cookie: str | None = None) -> str:
    """Return the token in an `Authorization: Bearer` header, or else in the sign-in cookie.

    Raises:
        NotAuthenticated: if there is none.

    """
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return token.strip()
        raise NotAuthenticated("The Authorization header must be `Bearer` and a token.")
    if cookie:
        try:
            morsel = SimpleCookie(cookie).get(COOKIE)
        except CookieError:
            morsel = None
        if morsel is not None and morsel.value:
            return morsel.value
    raise NotAuthenticated(str(NotAuthenticated.__doc__))


def sign_in(authenticator: Authenticator, token: str, *, secure: bool) -> str:
    """Return the `Set-Cookie` that signs a browser in until the token expires.

    Scripts cannot read it and other sites' pages cannot send it.

    Args:
        authenticator: what verifies the token.
        token: a bearer token.
        secure: whether the pages are served over HTTPS alone.

    Raises:
        NotAuthenticated: if the token is not accepted.

    """
    seconds = max(0, int(authenticator.verify(token).expires - CLOCK()))
    cookie = f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"
    return f"{cookie}; Secure" if secure else cookie


def sign_out() -> str:
    """Return the `Set-Cookie` that signs a browser out."""
    return f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"


def _forbidden(error: NotPermitted) -> Problem:
    return Problem(HTTPStatus.FORBIDDEN, "Not permitted", str(error))
