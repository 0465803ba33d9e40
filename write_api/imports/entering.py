"""Imported rows on their way into the log: zones are opened first, what is there already is recognised."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime

from event_store.codec import Unstorable
from event_store.log import Log, Reading
from events.base import Event
from events.boundary import Boundary, Criterion, on
from events.envelope import Append, Appended, CommandIdReused, Origin
from events.reads import PlateRead
from events.zones import ZoneOpened
from write_api.imports.formats import Taken
from write_api.imports.numbering import command_id
from write_api.imports.source import UnusableFile

ORIGIN = Origin("import", "import")
OTHER_CONTENT = "the log holds this row already, with other content; correct it by a command"

type Answer = Appended | str
"""What became of a row: where it stands in the log, or why it was not taken."""

type Submit = Callable[[Sequence[Append]], Future[list[Appended | Exception]]]
"""How a batch goes in: `event_store.bulk.Bulk.submit`, or one append after the other."""


class Entering:
    """One import's way into a log."""

    def __init__(self, log: Log, submit: Submit | None = None) -> None:
        """Know the zones that are open; nothing else is remembered between batches."""
        self._log = log
        self._submit = submit or self._one_by_one
        self._zones = {entry.event.zone for entry in log.read(on(ZoneOpened)).entries}

    def open_zones(self, rows: Iterable[Taken], timezone: str | None, *, needed: bool) -> None:
        """Open the zones that rows name and nobody opened, each once.

        Raises:
            UnusableFile: if a zone has to be opened (`needed`), and no time zone is known for it.

        """
        first: dict[str, datetime] = {}
        for event in (event for row in rows for event in row.events):
            if isinstance(event, ZoneOpened):
                self._zones.add(event.zone)
            for zone in _zones(event) - self._zones:
                first[zone] = min(event.at, first.get(zone, event.at))
        new = {zone: at for zone, at in sorted(first.items()) if zone not in self._zones}
        if new and timezone is None:
            if needed:
                raise UnusableFile(
                    f"the zone {next(iter(new))!r} is not open yet; name its time zone with --timezone, "
                    "such as America/Toronto"
                )
            return
        for zone, at in new.items():
            opened = ZoneOpened(at=at, zone=zone, name=zone, timezone=timezone or "UTC")
            once = command_id("zone", zone, None)
            self._log.append(Append([opened], once, origin=ORIGIN, fingerprint=b"zone"))
            self._zones.add(zone)

    def submit(self, appends: Sequence[Append], named: Sequence[str]) -> Future[list[Answer]]:
        """Queue a batch; the future answers what became of each, in order.

        `named` holds the tag of what each brings into the world, empty where the row does not name it.
        """
        held = self._held(appends, named)
        whole: Future[list[Answer]] = Future()
        fresh = self._submit([one for n, one in enumerate(appends) if n not in held])

        def answer(done: Future[list[Appended | Exception]]) -> None:
            try:
                rest = iter(done.result())
                whole.set_result([held[n] if n in held else _told(next(rest)) for n in range(len(appends))])
            except Exception as failed:  # noqa: BLE001 - whoever waits must hear of it
                whole.set_exception(failed)

        fresh.add_done_callback(answer)
        return whole

    def _one_by_one(self, appends: Sequence[Append]) -> Future[list[Appended | Exception]]:
        waiting = [self._log.submit(one) for one in appends]
        answers: list[Appended | Exception] = []
        for one in waiting:
            try:
                answers.append(one.result())
            except (CommandIdReused, Unstorable) as refused:
                answers.append(refused)
        done: Future[list[Appended | Exception]] = Future()
        done.set_result(answers)
        return done

    def _held(self, appends: Sequence[Append], named: Sequence[str]) -> dict[int, Answer]:
        """Return the rows whose thing came into the log by another way in: known, or with other content."""
        asked = [(n, appends[n]) for n, tag in enumerate(named) if tag]
        readings = [Reading(_of(one.events[-1], named[n])) for n, one in asked]
        held: dict[int, Answer] = {}
        for (number, one), found in zip(
            asked, self._log.read_many(readings) if readings else (), strict=True
        ):
            if not found.entries or any(entry.command_id == one.command_id for entry in found.entries):
                continue
            first, wanted = found.entries[0], one.events[-1]
            same = first.event.at == wanted.at and first.event.payload() == wanted.payload()
            held[number] = (
                Appended(first.position, 1, first.recorded, known_already=True) if same else OTHER_CONTENT
            )
        return held


def _told(answer: Appended | Exception) -> Answer:
    if isinstance(answer, Appended):
        return answer
    return OTHER_CONTENT if isinstance(answer, CommandIdReused) else str(answer)


def _of(event: Event, tag: str) -> Boundary[Event]:
    """Return what the log may hold of a thing; the id of a read counts only together with its device."""
    tags = frozenset({tag, f"device:{event.device}"} if isinstance(event, PlateRead) else {tag})
    return Boundary(frozenset({Criterion(frozenset({type(event).__name__}), tags)}))


def _zones(event: Event) -> set[str]:
    zone, several = getattr(event, "zone", None), getattr(event, "zones", None) or ()
    return {str(one) for one in (zone, *several) if one is not None}
