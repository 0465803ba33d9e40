"""Questions about the story itself: what was refused, counted, listed, proved."""

from typing import Any

from commands.incidents import plates_linked
from event_store.subjects import WORDS
from event_store.verifying import verify
from events.appeals import AppealFiled, LateFilingRequested
from events.boundary import on
from events.catalogue import CATALOGUE
from events.reads import PlateRead
from events.security import (
    IncidentAmended,
    IncidentClosed,
    IncidentLinked,
    IncidentNoted,
    IncidentOpened,
)
from events.vocabulary import REDACTED
from replay.scenario.asking import Asked, NoSuchThing, query, tagged
from replay.scenario.document import nearest

_SAYING = {
    "appeal": (AppealFiled, LateFilingRequested),
    "incident": (IncidentOpened, IncidentNoted, IncidentLinked, IncidentAmended, IncidentClosed),
}
"""What repeats words, by the case that it belongs to."""


@query("refused", needs="step", may="")
def _refused(asked: Asked) -> str | None:
    refusal = asked.world.played.refusals[asked.step()]
    return refusal.rule if refusal else None


@query("count", needs="event")
def _count(asked: Asked) -> int:
    name = asked.text("event")
    if name not in CATALOGUE:
        raise asked.wrong_here(f"there is no event of the catalogue {name!r}{nearest(name, list(CATALOGUE))}")
    return len(asked.world.log.read(tagged([CATALOGUE[name]]), upto=asked.known()).entries)


@query("incidents", needs="plate")
def _incidents(asked: Asked) -> int:
    types = (IncidentOpened, IncidentNoted, IncidentLinked, IncidentAmended)
    said = [entry.event for entry in asked.world.log.read(tagged(types), upto=asked.known()).entries]
    return len({event.incident for event in said if asked.plate() in plates_linked(event)})


@query("readable", needs="read", may="")
def _readable(asked: Asked) -> Any:
    """Tell whether the plate of a read can still be read: the key of its bucket stands."""
    found = asked.world.log.read(on(PlateRead, read=asked.text("read"))).entries
    if not found:
        raise NoSuchThing(f"read {asked.text('read')}")
    return REDACTED if found[0].event.plate == REDACTED else True


@query("verifies", may="")
def _verifies(asked: Asked) -> bool:
    return verify(asked.world.dsn).holds


@query("words", may="appeal incident")
def _words(asked: Asked) -> Any:
    """Tell whether what was said in an appeal or incident can still be read: none of it was erased."""
    kind = "appeal" if asked.given("appeal") else "incident"
    types = _SAYING[kind]
    found = [e.event for e in asked.world.log.read(tagged(types, **{kind: asked.text(kind)})).entries]
    said = [event.__dict__[field] for event in found for field in WORDS[type(event).__name__]]
    if not any(said):
        raise NoSuchThing(f"words in {kind} {asked.text(kind)}")
    return REDACTED if REDACTED in said else True
