"""`parkledger replay what-if`."""

import csv
import difflib
import json
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from replay.what_if import Changed, OtherPolicy, WhatIf

EXAMPLE = "**Example:** `parkledger replay what-if --policy grace.yaml --from 2026-03-01 --to 2026-04-01`"
SEEN = 20
COLUMNS = ("disposition", "reason", "stands", "fine", "late_fee", "returned_fees", "balance")


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command("what-if", epilog=EXAMPLE)(what_if)


def what_if(
    policy: Annotated[
        Path, typer.Option(metavar="FILE", help="YAML or JSON: the policy's keys that would be otherwise.")
    ],
    since: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Citations issued from then on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="INSTANT", help="Citations issued before then.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="When the sums are taken; by default now.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A line per citation that changes, then one of sums.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A row per citation that changes.")] = False,
) -> None:
    """Tell history under another policy: which citations, fees and findings would change, and by how much.

    The rest of the policy stays as it was, and so does everything that happened. Nothing is written.
    """
    from event_store.postgres import PostgresLog
    from operations.instants import instant_of
    from operations.serving import database
    from operations.settings import BadSetting, Settings
    from operations.telling import progress
    from replay.what_if import what_if as tell_otherwise

    if as_json and as_csv:
        raise BadSetting("--json and --csv are two ways to write the same; name one of them.")
    other = _policy(policy)
    bounds = [
        None if text is None else instant_of(name, text)
        for name, text in (("--from", since), ("--to", until), ("--at", at))
    ]
    with (
        database(Settings.from_environment()) as dsn,
        closing(PostgresLog(dsn)) as log,
        progress("citations", quiet=as_json or as_csv) as tell,
    ):
        found = tell_otherwise(log, other, since=bounds[0], until=bounds[1], at=bounds[2], tell=tell)
    if as_json:
        _write_json(found)
    elif as_csv:
        _write_csv(found)
    else:
        _say(found)


def _policy(file: Path) -> "OtherPolicy":
    """Return the policy of a file.

    Raises:
        BadSetting: naming the key that cannot be used, and the nearest one that can.

    """
    import yaml

    from commands.policy import KEYS, PolicyValueOutOfRange, UnknownPolicyKey
    from operations.settings import BadSetting
    from replay.what_if import OtherPolicy

    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSetting(f"{file} cannot be read as YAML or JSON: {error}") from None
    except OSError as error:
        raise BadSetting(f"{file} cannot be read: {error.strerror}.") from None
    values = said.get("values", said) if isinstance(said, dict) else said
    if not isinstance(values, dict) or not values or not all(isinstance(key, str) for key in values):
        raise BadSetting(f"{file} names no key of a policy; write one a line, as `grace_minutes: 15`.")
    try:
        return OtherPolicy({str(key): value for key, value in values.items()})
    except UnknownPolicyKey as refused:
        unknown = next((key for key in values if key.partition(".")[0] not in KEYS), "")
        near = difflib.get_close_matches(unknown, KEYS, n=1)
        hint = f" Did you mean {near[0]}?" if near else f" There are {', '.join(KEYS)}."
        raise BadSetting(f"{file}: {refused.detail}{hint}") from None
    except PolicyValueOutOfRange as refused:
        raise BadSetting(f"{file}: {refused.detail}") from None


def _as_json(one: "Changed") -> dict[str, Any]:
    from dataclasses import asdict

    told = asdict(one)
    return {**told, "issued_at": one.issued_at.isoformat()}


def _write_json(found: "WhatIf") -> None:
    from dataclasses import asdict

    for one in found.changed:
        typer.echo(json.dumps(_as_json(one)))
    zones = {zone: asdict(sums) for zone, sums in sorted(found.zones.items())}
    sums = {"zones": zones, "total": asdict(found.total)}
    typer.echo(json.dumps({"at": found.at.isoformat(), "known": found.known, **sums}))


def _write_csv(found: "WhatIf") -> None:
    writer = csv.writer(sys.stdout)
    sides = [f"{side}_{column}" for side in ("before", "after") for column in COLUMNS]
    writer.writerow(["citation", "zone", "issued_at", *sides])
    for one in found.changed:
        values = [getattr(side, column) for side in (one.before, one.after) for column in COLUMNS]
        writer.writerow([one.citation, one.zone, one.issued_at.isoformat(), *values])


def _say(found: "WhatIf") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(
        "zone", "citations", "change", "findings", "not written", "fines", "fees", "still due",
        title=f"What would change, at {_minute(found.at)}, by what is known at {found.known:,}",
    )  # fmt: skip
    rows = [*sorted(found.zones.items()), ("all", found.total)]
    for zone, sums in rows:
        counts = (sums.citations, sums.changed, sums.findings, sums.not_written)
        amounts = (sums.fines, sums.fees, sums.balance)
        table.add_row(zone, *(f"{count:,}" for count in counts), *map(_money, amounts))
    console.print(table)
    for one in found.changed[:SEEN]:
        console.print(f"{one.citation} in {one.zone}: {_change(one)}", highlight=False)
    if len(found.changed) > SEEN:
        console.print(f"… and {len(found.changed) - SEEN:,} more; --csv or --json tell them all.")


def _change(one: "Changed") -> str:
    """Return what would be otherwise for one citation."""
    before, after = one.before, one.after
    told = [
        f"{name} {_money(was, signed=False)} → {_money(then, signed=False)}"
        for name, was, then in (
            ("fine", before.fine, after.fine),
            ("fees", before.fees, after.fees),
            ("due", before.balance, after.balance),
        )
        if was != then
    ]
    if (before.disposition, before.reason) != (after.disposition, after.reason):
        told.insert(0, f"{before.disposition} {before.reason} → {after.disposition} {after.reason}")
    return "; ".join(told) or "it would not be written"


def _money(cents: int, *, signed: bool = True) -> str:
    return f"{cents / 100:+,.2f}" if signed and cents else f"{cents / 100:,.2f}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
