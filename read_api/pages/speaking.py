"""Says a problem of the HTTP interface to people: what fields and roles are called there, nobody knows."""

import re

from operations.identity import Role
from read_api.pages.menu import ROLE_WORDS

_FIELD = re.compile(r"^([a-z_]+) is refused: ", re.MULTILINE)
_ROLE = re.compile(r"^The role ([a-z]+) may not (?:use [A-Z]+ \S+|do this)\.?$")


def spoken(detail: str) -> str:
    """Return the detail of a problem as a page says it."""
    of_role = _ROLE.match(detail)
    if of_role:
        return f"This is not for your role: you are signed in as {ROLE_WORDS[Role(of_role[1])]}."
    return _FIELD.sub(_field, detail)


def _field(found: re.Match[str]) -> str:
    name = found[1].replace("_", " ").capitalize()
    return f"{name}{' ' if found.string[found.end() :].startswith('is ') else ': '}"
