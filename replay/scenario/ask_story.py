"""Questions about the story itself: what was refused, counted, listed, proved."""

from typing import Any

from commands.calendar import local_date
from event_store.verifying import verify
from events.boundary import on
from events.catalogue import CATALOGUE
from events.privacy import RetentionKeyDestroyed
from events.reads import PlateRead
from events.security import IncidentAmended, IncidentLinked, IncidentNoted, IncidentOpened
from events.zones import ZoneOpened
from replay.scenario.asking import Asked, CannotBeAskedYet, NoSuchThing, query, tagged
from replay.scenario.document import nearest


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
    found = asked.world.log.read(tagged(types, plate=asked.plate()), upto=asked.known()).entries
    return len({entry.event.incident for entry in found})


@query("readable", needs="read", may="")
def _readable(asked: Asked) -> Any:
    """Tell of a read whose bucket's key stands; the bucket of a read is its local date."""
    log, name = asked.world.log, asked.text("read")
    found = log.read(on(PlateRead, read=name)).entries
    if not found:
        raise NoSuchThing(f"read {name}")
    read = found[0].event
    opened = log.read(on(ZoneOpened, zone=read.zone)).entries
    timezone = opened[-1].event.timezone if opened else asked.world.scenario.timezone
    bucket = local_date(read.at, timezone).isoformat()
    if any(entry.event.bucket == bucket for entry in log.read(on(RetentionKeyDestroyed)).entries):
        raise CannotBeAskedYet("what a destroyed key leaves readable")
    return True


@query("verifies", may="")
def _verifies(asked: Asked) -> bool:
    return verify(asked.world.dsn).holds
