"""Turns a view into an HTML answer: escaped throughout, under headers that forbid what no page needs."""

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from operations.problems import Problem
from read_api.door import door_of
from read_api.pages.figures import decimal_text, instant_text, money_text, number_text, seconds_text
from read_api.pages.forms import FORMS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: everything comes from this server, and nothing stands in line."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send our own forms with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Vary": "HX-Request, Cookie",
}

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_KEPT = "public, max-age=31536000, immutable"


def _static() -> dict[str, tuple[bytes, str, str]]:
    """Return our own static files and those of the installed htmx and Bokeh: content, media type, digest."""
    own = files("read_api.pages") / "static"
    htmx = files("js_lib_htmx") / "static" / "htmx"
    named: dict[str, Traversable] = {one.name: one for one in own.iterdir() if one.is_file()}
    named["htmx/htmx.min.js"] = htmx / "htmx.min.js"
    named["bokeh/bokeh.min.js"] = files("bokeh") / "server" / "static" / "js" / "bokeh.min.js"
    found = {}
    for name, file in named.items():
        content = file.read_bytes()
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        found[name] = (content, media, hashlib.sha256(content).hexdigest()[:16])
    return found


STATIC = _static()
router = APIRouter(include_in_schema=False)


@router.get("/static/{name:path}")
def static_file(name: str) -> Response:
    """Answer a static file; its address changes with its content, so browsers may keep it."""
    if name not in STATIC:
        raise Problem(404, "Not found", f"There is no file {name[:80]!r}.")
    content, media, digest = STATIC[name]
    headers = {"Cache-Control": _KEPT, "ETag": f'"{digest}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media, headers=headers)


@router.get("/favicon.ico")
def icon() -> Response:
    """Answer the mark to browsers that ask for it where no page named it."""
    return static_file("mark.svg")


def static_address(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"/static/{name}?{STATIC[name][2]}"


def instant_markup(value: datetime, zone: ZoneInfo | None = None) -> Markup:
    """Return an instant as a `time` element, which breaks between date and time alone."""
    machine = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(machine, _kept_together(instant_text(value, zone)))


def _kept_together(written: str) -> str:
    day, month, year, clock, offset = written.split(" ")
    gap = "\N{NO-BREAK SPACE}"
    return f"{gap.join((day, month, year))} {clock}{gap}{offset}"


def breakable(name: str) -> Markup:
    """Return a name in capitals that may be broken after each underscore."""
    return Markup("_<wbr>").join(name.split("_"))


def split_name(name: str) -> Markup:
    """Return the name of an event, which may be broken before each word."""
    return Markup("<wbr>").join(_WORDS.split(name))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("read_api.pages"),
        autoescape=True,
        auto_reload=False,  # a release that is being replaced goes on with its own templates
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(instant=instant_markup, money=money_text, seconds=seconds_text, n=number_text)
    environment.filters.update(breakable=breakable, split_name=split_name, decimal=decimal_text)
    environment.globals["static"] = static_address
    environment.globals["fresh_key"] = lambda: str(uuid4())
    return environment


TEMPLATES = _environment()
DONE = frozenset(form.done for form in FORMS.values())
ABSENT: Mapping[str, Any] = {
    "principal": None,
    "menu": (),
    "stream": None,
    "as_of": None,
    "problem": None,
    "oob": False,
    "done": "",
    "back": "/",
}
"""What every page may show and need not be given."""


def page(request: Request, template: str, view: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """Return a page made from a template and what it shows."""
    done = request.query_params.get("done", "")
    done = done if done in DONE else ""  # what a link says is not what this page says
    settings = door_of(request).settings
    office = {"zone": ZoneInfo(settings.timezone), "development": settings.issuer is None}
    given = {**ABSENT, **office, "here": request.url.path, "done": done, **view}
    return HTMLResponse(TEMPLATES.get_template(template).render(given), status, headers=HEADERS)


def wants_part(request: Request) -> bool:
    """Tell whether htmx asks for the living part of a page only."""
    return request.headers.get("HX-Request") == "true" and "HX-History-Restore-Request" not in request.headers
