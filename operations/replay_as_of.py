"""`parkledger replay as-of`: what was true then, and what was known."""

import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from event_store.postgres import PostgresLog

EXAMPLE = (
    '**Example:** `parkledger replay as-of validity --plate "ON CKTR482" --zone F'
    " --at 2026-03-05T09:05:40-05:00 --known 2026-03-05T09:05:40-05:00`"
)
CITATION = "**Example:** `parkledger replay as-of citation PV-50001 --at 2026-04-01 --known 120344`"
TIMELINE = "**Example:** `parkledger replay as-of timeline PV-50001 --known 2026-03-05T09:05:40-05:00`"

At = Annotated[str | None, typer.Option(metavar="INSTANT", help="When it was true; by default now.")]
KnownAs = Annotated[
    str | None,
    typer.Option(metavar="POSITION|INSTANT", help="How much of the log may be known; by default all."),
]
Why = Annotated[str, typer.Option(help="What the look-up is for; it is recorded.")]
Json = Annotated[bool, typer.Option("--json", help="JSON.")]


def register(group: typer.Typer) -> None:
    """Add the group of commands."""
    asking = typer.Typer(help="Ask what was true at an instant, by what was known.", no_args_is_help=True)
    asking.command("validity", epilog=EXAMPLE)(validity)
    asking.command("citation", epilog=CITATION)(citation)
    asking.command("timeline", epilog=TIMELINE)(timeline)
    group.add_typer(asking, name="as-of", epilog=EXAMPLE)


def validity(
    plate: Annotated[str, typer.Option(metavar="REGION NUMBER", help="The vehicle.")],
    zone: Annotated[str, typer.Option(help="Where.")],
    at: At = None,
    known: KnownAs = None,
    purpose: Why = "unstated",
    as_json: Json = False,
) -> None:
    """Tell whether a vehicle might stand in a zone. Exit status 1 if it might not."""
    import msgspec

    from events.vocabulary import parse_plate
    from operations.settings import BadSetting
    from projections.progress import NotYet
    from replay import as_of

    try:
        named = parse_plate(plate)
    except ValueError as error:
        raise BadSetting(f"--plate: {error}") from None
    with _looking(f"as-of validity {zone}", purpose, plate=named) as (dsn, _):
        try:
            answer = as_of.validity(dsn, named, zone, _instant(at), _known(known))
        except NotYet as behind:
            raise BadSetting(f"{behind}; start the projector, or ask again.") from None
    told = msgspec.to_builtins(answer, builtin_types=(datetime,))
    _tell({name: value for name, value in told.items() if value not in (None, [])}, as_json=as_json)
    if not (answer.valid or answer.exempt):
        raise typer.Exit(1)


def citation(
    name: Annotated[str, typer.Argument(metavar="CITATION", help="Which.")],
    at: At = None,
    known: KnownAs = None,
    purpose: Why = "unstated",
    as_json: Json = False,
) -> None:
    """Tell how a citation stood, and what the evidence said of it. Exit status 1 if it was not known."""
    import msgspec

    from replay import as_of

    with _looking("as-of citation", purpose, citation=name) as (_, log):
        moment, upto = _instant(at), _known(known)
        state, found = as_of.citation(log, name, moment, upto), as_of.finding_on(log, name, upto)
    if state is None:
        typer.echo(f"No citation {name!r} was known then.", err=True)
        raise typer.Exit(1)
    _tell({**state, "finding": msgspec.to_builtins(found) if found else None}, as_json=as_json)


def timeline(
    name: Annotated[str, typer.Argument(metavar="CITATION", help="Which.")],
    known: KnownAs = None,
    purpose: Why = "unstated",
    as_json: Json = False,
) -> None:
    """Tell a citation's story: when each thing happened, and when it became known."""
    import msgspec

    from replay import as_of

    with _looking("as-of timeline", purpose, citation=name) as (dsn, _):
        found = as_of.timeline(dsn, name, _known(known))
    if not found.entries:
        typer.echo(f"No citation {name!r} was known then.", err=True)
        raise typer.Exit(1)
    for entry in found.entries:
        if as_json:
            typer.echo(msgspec.json.encode(entry).decode())
            continue
        shown = f"; the screen showed {entry.shown.answer}" if entry.shown else ""
        then = f"; known then: {entry.known_then.answer}" if entry.known_then else ""
        clocks = f"{_second(entry.at)}  known {_second(entry.recorded)}"
        typer.echo(f"{clocks}  {entry.position:>9,}  {entry.type}{shown}{then}")


@contextmanager
def _looking(query: str, purpose: str, **subject: str) -> "Iterator[tuple[str, PostgresLog]]":
    """Yield the database and its log, once the look-up stands in it: looking is a fact, on a terminal too."""
    from commands.decider import Refusal
    from commands.privacy import RecordAccess, record_access
    from event_store.identifiers import uuid7
    from event_store.postgres import PostgresLog
    from events.envelope import Append, Origin
    from operations.serving import database
    from operations.settings import BadSetting, Settings

    who = f"operator {getpass.getuser()}"
    why = None if purpose == "unstated" else purpose
    with database(Settings.from_environment()) as dsn, closing(PostgresLog(dsn)) as log:
        command = RecordAccess.model_validate(
            {"at": datetime.now(UTC), "who": who, "query": query, "purpose": why, **subject}
        )
        adopted = log.read(record_access.boundary(command, ())).entries
        facts: Any = ()
        for entry in adopted:
            facts = record_access.evolve(facts, entry)
        try:
            events = record_access.decide(command, facts)
        except Refusal as refused:
            raise BadSetting(f"{refused.detail} State it with --purpose.") from None
        log.append(Append(events, uuid7(), origin=Origin(actor=who, channel="cli")))
        yield dsn, log


def _instant(text: str | None) -> datetime | None:
    from operations.instants import instant_of

    return None if text is None else instant_of("--at", text)


def _known(text: str | None) -> int | datetime | None:
    from operations.instants import known_of

    return None if text is None else known_of("--known", text)


def _tell(answer: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, default=lambda value: value.isoformat()))
        return
    width = max(map(len, answer))
    for name, value in answer.items():
        told = _second(value) if isinstance(value, datetime) else value
        typer.echo(f"{name:<{width}}  {told}")


def _second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
