"""The first page: what a role can do here, signing in and out."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from operations.doors import COOKIE, sign_in, sign_out
from operations.identity import NotAuthenticated
from operations.problems import Problem
from read_api.door import Here
from read_api.pages.menu import ROLE_WORDS, arrive, seen_by
from read_api.pages.own_page import demand_own_page, form_of
from read_api.pages.rendering import HEADERS, TEMPLATES, page

router = APIRouter(include_in_schema=False)

ANYONE = "/v1/zones"
"""A question that every role may ask: whoever may ask it is signed in."""
LONGEST_FORM = 16_384
"""Bytes of a sign-in form."""


@router.get("/")
async def landing(request: Request) -> Response:
    """Show what the visitor's role can do, or how to sign in."""
    try:
        visitor = arrive(request, ANYONE)
    except Problem:
        return page(request, "landing.html", {"refused": ended(request)})
    words = {"role_words": ROLE_WORDS[visitor.principal.role], "refused": None}
    return page(request, "landing.html", {**words, **seen_by(visitor)})


def ended(request: Request) -> str | None:
    """Return what to say to a browser that was signed in and is no longer."""
    return "Your sign-in has ended. Sign in again." if COOKIE in request.cookies else None


@router.get("/sign-in")
async def sign_in_by_link(request: Request, door: Here, token: str = "") -> Response:
    """Sign in by a link that carries a token."""
    return _signed_in(request, door, token)


@router.post("/sign-in")
async def sign_in_by_form(request: Request, door: Here) -> Response:
    """Sign in by a token that was pasted."""
    demand_own_page(request)
    fields = await form_of(request, LONGEST_FORM)
    return _signed_in(request, door, fields.get("token", [""])[0].strip())


@router.post("/sign-out")
async def leave(request: Request) -> Response:
    """Sign out."""
    demand_own_page(request)
    answer = RedirectResponse("/", 303, HEADERS)
    answer.headers["Set-Cookie"] = sign_out()
    return answer


def _signed_in(request: Request, door: Here, token: str) -> Response:
    """Answer with the cookie and a page that goes on.

    A redirect would not do: where the link stood on another site's page, the browser would not send the
    `SameSite=Strict` cookie along.
    """
    try:
        cookie = sign_in(door.authenticator, token, secure=request.url.scheme == "https")
    except NotAuthenticated as error:
        refused = str(error) or str(NotAuthenticated.__doc__)
        return page(request, "landing.html", {"refused": refused}, 401)
    answer = Response(
        TEMPLATES.get_template("signed_in.html").render(), media_type="text/html", headers=HEADERS
    )
    answer.headers["Set-Cookie"] = cookie
    return answer
